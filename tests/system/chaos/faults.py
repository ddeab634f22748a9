"""Doing what the schedule says, and seeing to it that it happened.

Owns how each kind of fault is brought about and by what it is known to have struck. Whatever was stopped goes on again,
whatever was turned is turned back, however a run ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec
from aiokafka.errors import KafkaError

from deploy.kafka.cluster import Cluster
from hubbub.world.faults import Fault as PlatformFault
from hubbub.world.faults import Kind as PlatformKind
from ingest.signal import InvalidSignalError, decode
from tests.system.chaos.schedule import Fault, Kind
from tests.system.chaos.stage import SESSION_SECONDS, Stage, out_of_step, until_in_step
from transport.producer import open_producer
from transport.topics import name

__all__ = ["Disturbance", "Done", "poison"]

STOPPED_SECONDS = 1.4 * SESSION_SECONDS
BROKER_STOPPED_SECONDS = 7.0
"""Longer than the brokers' own session (6 s), so that others take over what it leads."""
JUMPED_SECONDS = 3.0
WORKED_SECONDS = 3.0
PLATFORM_SECONDS = 2.5
PLATFORM_SHARE = 0.3
FIRED_SECONDS = 100.0
"""A fault that is not done and undone by then has failed."""


class Done(msgspec.Struct, frozen=True):
    """A fault as it was done: when (seconds since the beginning), to what, and by what it is known to have struck."""

    at_seconds: float
    kind: str
    target: str
    fired: bool
    found: str


class Disturbance:
    """Strikes ``stage`` and, where there are any, its brokers and platforms. ``poison``: where it was put."""

    def __init__(self, stage: Stage, seed: str, *, cluster: Cluster | None = None, platforms_url: str = "") -> None:
        self.done: list[Done] = []
        self.poison: dict[tuple[int, int], bytes] = {}
        self._stage = stage
        self._chance = random.Random(f"{seed}:disturbance")
        self._cluster = cluster
        self._platforms_url = platforms_url

    async def run(self, lanes: Sequence[Sequence[Fault]]) -> None:
        """Do all of it."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(self._run(lane, began))

    async def _run(self, lane: Sequence[Fault], began: float) -> None:
        for fault in lane:
            await asyncio.sleep(max(0.0, began + fault.at_seconds - time.monotonic()))
            at_seconds = round(time.monotonic() - began, 1)
            fired, target = True, fault.target
            try:
                async with asyncio.timeout(FIRED_SECONDS):
                    if fault.kind in _ROLES:
                        target = self._chance.choice(self._stage.instances(fault.target))
                    found = await getattr(self, f"_{fault.kind.name.lower()}")(fault, target)
            except (TimeoutError, NotSeenError, KafkaError, aiohttp.ClientError) as error:
                fired, found = False, f"not seen: {error or type(error).__name__}"
            self.done.append(Done(at_seconds, fault.kind.value, target, fired, found))

    async def _killed(self, _: Fault, target: str) -> str:
        pid = await self._stage.pid(target)
        os.kill(pid, signal.SIGKILL)
        while (again := await self._stage.pid(target)) == pid:
            await asyncio.sleep(0.05)
        return f"process {pid} ended, {again} took its place"

    async def _stopped(self, _: Fault, target: str) -> str:
        failures = self._stage.failures.total()
        stood: bool | None = None
        while stood is None:  # a process that another fault ends meanwhile is no evidence: then its successor
            pid = await self._stage.pid(target)
            try:
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(STOPPED_SECONDS)
                stood = _state(pid) == "T"
            except (ProcessLookupError, FileNotFoundError):
                await asyncio.sleep(0.1)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        if not stood:
            raise NotSeenError(f"process {pid} was not stopped")
        for _moment in range(50):
            if self._stage.failures.total() > failures:
                break
            await asyncio.sleep(0.1)
        own = "ended itself" if self._stage.failures.total() > failures else "goes on"
        return f"process {pid} stood still for {STOPPED_SECONDS:.1f} s of a session of {SESSION_SECONDS} s; {own}"

    async def _joined(self, fault: Fault, _: str) -> str:
        began = time.monotonic()
        async with self._stage.further(fault.target):
            joined = time.monotonic() - began
            await asyncio.sleep(WORKED_SECONDS)
        return f"ready after {joined:.1f} s, left {time.monotonic() - began - joined:.1f} s later"

    async def _clock(self, fault: Fault, target: str) -> str:
        dial = self._stage.dials[target]
        try:
            dial.set(fault.amount)
            while dial.used_ms != fault.amount:
                await asyncio.sleep(0.05)
            await asyncio.sleep(JUMPED_SECONDS)
        finally:
            dial.set(0)
        return f"by {fault.amount / 60_000:+.0f} min for {JUMPED_SECONDS:.0f} s"

    async def _broker_killed(self, _: Fault, target: str) -> str:
        cluster, number = self._brokers, int(target)
        pid = cluster.pid(number)
        began = time.monotonic()
        cluster.kill(number)
        lacking = 0
        try:
            while not (lacking := await out_of_step(self._stage.kafka)):
                await asyncio.sleep(0.2)
        finally:
            await asyncio.to_thread(cluster.restart, number)
        await until_in_step(self._stage.kafka, FIRED_SECONDS)
        took = time.monotonic() - began
        return f"process {pid}: {lacking} partitions lacked it; all in step again after {took:.0f} s"

    async def _broker_stopped(self, _: Fault, target: str) -> str:
        cluster, number = self._brokers, int(target)
        lacking = 0
        cluster.pause(number)
        try:
            await asyncio.sleep(BROKER_STOPPED_SECONDS)
            while not (lacking := await out_of_step(self._stage.kafka)):
                await asyncio.sleep(0.2)
        finally:
            cluster.resume(number)
        await until_in_step(self._stage.kafka, FIRED_SECONDS)
        return f"said nothing for {BROKER_STOPPED_SECONDS:.0f} s; {lacking} partitions lacked it, all in step again"

    @property
    def _brokers(self) -> Cluster:
        assert self._cluster is not None, "there are no brokers of our own here"
        return self._cluster

    async def _platform(self, fault: Fault, _: str) -> str:
        kind = PlatformKind(fault.target)
        before = (await self._set_platforms([]))[kind]
        await self._set_platforms([PlatformFault(kind=kind, probability=PLATFORM_SHARE, seconds=1.0)])
        try:
            await asyncio.sleep(PLATFORM_SECONDS)
            while not (struck := (await self._set_platforms(None))[kind] - before):
                await asyncio.sleep(0.2)
        finally:
            await self._set_platforms([])
        return f"struck {struck} requests"

    async def _set_platforms(self, schedule: list[PlatformFault] | None) -> dict[PlatformKind, int]:
        """Set what the platforms do, unless it is None, and return how often each kind has struck."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            body = None if schedule is None else msgspec.json.encode(schedule)
            method = "GET" if schedule is None else "PUT"
            async with session.request(method, f"{self._platforms_url}/_world/faults", data=body) as response:
                struck: dict[str, int] = (await response.json())["struck"]
        return {kind: struck.get(kind.value, 0) for kind in PlatformKind}

    async def _poison(self, fault: Fault, _: str) -> str:
        topic = name("signals", self._stage.kafka.topic_prefix)
        async with open_producer(self._stage.kafka.client_options()) as producer:
            for _record in range(fault.amount):
                record = poison(self._chance)
                partition = self._chance.randrange(self._stage.kafka.partitions)
                place = await producer.send_and_wait(topic, record, b"poison", partition)
                self.poison[place.partition, place.offset] = record
        return f"{fault.amount} records"


_ROLES = {Kind.KILLED, Kind.STOPPED, Kind.CLOCK}


def _state(pid: int) -> str:
    """Return what Linux says of a process: T, it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class NotSeenError(RuntimeError):
    """A fault was done, but nothing shows that it struck."""


def poison(chance: random.Random) -> bytes:
    """Return a record that is no signal, whatever the reader does."""
    good = b'{"v":1,"id":"reddit:t3_x","kind":"post","platform":"reddit","thread":"reddit:t3_x","counts":{}}'
    match chance.randrange(6):
        case 0:
            record = b""
        case 1:
            record = chance.randbytes(chance.randrange(1, 300))
        case 2:
            record = good[: chance.randrange(1, len(good))]
        case 3:
            record = good.replace(b'"post"', b'"rumour"')
        case 4:
            record = b"[" * chance.randrange(10, 5_000)
        case _:
            record = b'{"v":1,"text":"' + b"x" * chance.randrange(100_000) + b'"}'
    try:
        decode(record, 0)
    except InvalidSignalError:
        return record
    raise AssertionError(f"a signal after all: {record[:200]!r}")
