"""Injects the faults of the schedule, and observes that each one struck.

Owns how each kind of fault is caused, and the evidence that it struck. A process that was stopped continues, and a
clock that was set is reset, however a run ends.
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
from tests.system.chaos.deployment import SESSION_SECONDS, Deployment, out_of_sync, until_in_sync
from tests.system.chaos.schedule import Fault, Kind
from transport.producer import open_producer
from transport.topics import name

__all__ = ["FaultInjector", "InjectedFault", "poison"]

STOPPED_SECONDS = 1.4 * SESSION_SECONDS
BROKER_STOPPED_SECONDS = 7.0
"""Longer than the brokers' own session (6 s), so that other brokers take over its partitions."""
CLOCK_OFFSET_SECONDS = 3.0
EXTRA_WORKER_SECONDS = 3.0
PLATFORM_SECONDS = 2.5
PLATFORM_SHARE = 0.3
FAULT_TIMEOUT_SECONDS = 100.0
"""A fault that is not injected and undone by then has failed."""


class InjectedFault(msgspec.Struct, frozen=True):
    """A fault that was injected: when (seconds since the start), into what, whether it struck, and the evidence."""

    at_seconds: float
    kind: str
    target: str
    observed: bool
    evidence: str


class FaultInjector:
    """Injects faults into ``deployment`` and, if there are any, its brokers and platforms. ``poison``: where it is."""

    def __init__(
        self, deployment: Deployment, seed: str, *, cluster: Cluster | None = None, platforms_url: str = ""
    ) -> None:
        self.injected: list[InjectedFault] = []
        self.poison: dict[tuple[int, int], bytes] = {}
        self._deployment = deployment
        self._chance = random.Random(f"{seed}:injector")
        self._cluster = cluster
        self._platforms_url = platforms_url

    async def run(self, queues: Sequence[Sequence[Fault]]) -> None:
        """Inject the faults of all queues, side by side."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for queue in queues:
                tasks.create_task(self._run(queue, began))

    async def _run(self, queue: Sequence[Fault], began: float) -> None:
        for fault in queue:
            await asyncio.sleep(max(0.0, began + fault.at_seconds - time.monotonic()))
            at_seconds = round(time.monotonic() - began, 1)
            observed, target = True, fault.target
            try:
                async with asyncio.timeout(FAULT_TIMEOUT_SECONDS):
                    if fault.kind in _ROLES:
                        target = self._chance.choice(self._deployment.instances(fault.target))
                    evidence = await getattr(self, f"_{fault.kind.name.lower()}")(fault, target)
            except (TimeoutError, NotObservedError, KafkaError, aiohttp.ClientError) as error:
                observed, evidence = False, f"not observed: {error or type(error).__name__}"
            self.injected.append(InjectedFault(at_seconds, fault.kind.value, target, observed, evidence))

    async def _killed(self, _: Fault, target: str) -> str:
        pid = await self._deployment.pid(target)
        os.kill(pid, signal.SIGKILL)
        while (again := await self._deployment.pid(target)) == pid:
            await asyncio.sleep(0.05)
        return f"process {pid} ended, {again} took its place"

    async def _stopped(self, _: Fault, target: str) -> str:
        failures = self._deployment.failures.total()
        stood: bool | None = None
        while stood is None:  # if another fault ends the process meanwhile, stop its successor
            pid = await self._deployment.pid(target)
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
            raise NotObservedError(f"process {pid} did not stop")
        for _moment in range(50):
            if self._deployment.failures.total() > failures:
                break
            await asyncio.sleep(0.1)
        then = "ended itself" if self._deployment.failures.total() > failures else "continues"
        return f"process {pid} stood still for {STOPPED_SECONDS:.1f} s of a session of {SESSION_SECONDS} s; {then}"

    async def _joined(self, fault: Fault, _: str) -> str:
        began = time.monotonic()
        async with self._deployment.extra_worker(fault.target):
            joined = time.monotonic() - began
            await asyncio.sleep(EXTRA_WORKER_SECONDS)
        return f"ready after {joined:.1f} s, left {time.monotonic() - began - joined:.1f} s later"

    async def _clock(self, fault: Fault, target: str) -> str:
        offset = self._deployment.clock_offsets[target]
        try:
            offset.set(fault.amount)
            while offset.applied_ms != fault.amount:
                await asyncio.sleep(0.05)
            await asyncio.sleep(CLOCK_OFFSET_SECONDS)
        finally:
            offset.set(0)
        return f"by {fault.amount / 60_000:+.0f} min for {CLOCK_OFFSET_SECONDS:.0f} s"

    async def _broker_killed(self, _: Fault, target: str) -> str:
        cluster, number = self._brokers, int(target)
        pid = cluster.pid(number)
        began = time.monotonic()
        cluster.kill(number)
        missing = 0
        try:
            while not (missing := await out_of_sync(self._deployment.kafka)):
                await asyncio.sleep(0.2)
        finally:
            await asyncio.to_thread(cluster.restart, number)
        await until_in_sync(self._deployment.kafka, FAULT_TIMEOUT_SECONDS)
        took = time.monotonic() - began
        return f"process {pid}: {missing} partitions had a replica missing; all in sync again after {took:.0f} s"

    async def _broker_stopped(self, _: Fault, target: str) -> str:
        cluster, number = self._brokers, int(target)
        missing = 0
        cluster.pause(number)
        try:
            await asyncio.sleep(BROKER_STOPPED_SECONDS)
            while not (missing := await out_of_sync(self._deployment.kafka)):
                await asyncio.sleep(0.2)
        finally:
            cluster.resume(number)
        await until_in_sync(self._deployment.kafka, FAULT_TIMEOUT_SECONDS)
        return f"did not answer for {BROKER_STOPPED_SECONDS:.0f} s; {missing} partitions had a replica missing"

    @property
    def _brokers(self) -> Cluster:
        assert self._cluster is not None, "this run has no brokers of its own"
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
        """Set the faults of the platforms unless ``schedule`` is None. Return how often each kind has struck."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            body = None if schedule is None else msgspec.json.encode(schedule)
            method = "GET" if schedule is None else "PUT"
            async with session.request(method, f"{self._platforms_url}/_world/faults", data=body) as response:
                struck: dict[str, int] = (await response.json())["struck"]
        return {kind: struck.get(kind.value, 0) for kind in PlatformKind}

    async def _poison(self, fault: Fault, _: str) -> str:
        topic = name("signals", self._deployment.kafka.topic_prefix)
        async with open_producer(self._deployment.kafka.client_options()) as producer:
            for _record in range(fault.amount):
                record = poison(self._chance)
                partition = self._chance.randrange(self._deployment.kafka.partitions)
                place = await producer.send_and_wait(topic, record, b"poison", partition)
                self.poison[place.partition, place.offset] = record
        return f"{fault.amount} records"


_ROLES = {Kind.KILLED, Kind.STOPPED, Kind.CLOCK}


def _state(pid: int) -> str:
    """Return the state of a process on Linux; T: it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class NotObservedError(RuntimeError):
    """A fault was injected, but nothing shows that it struck."""


def poison(chance: random.Random) -> bytes:
    """Return a record that is never a valid signal."""
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
    raise AssertionError(f"the record is a valid signal: {record[:200]!r}")
