"""The deployment under test: the roles, several of each, as real processes on a real broker.

Owns the processes, their clocks, their logs, and the check that the brokers are in sync. Must never know the faults.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import free_port
from hubbub.process.local import role_children
from hubbub.process.supervisor import Child, RestartPolicy, Supervisor
from hubbub.settings import KafkaSettings
from tests.system.chaos.clock_offset import ClockOffset

__all__ = ["SESSION_SECONDS", "Deployment", "until_in_sync"]

ROOT = Path(__file__).parents[3]
SESSION_SECONDS = 6
READY_SECONDS = 120.0
COLLECTORS = ("hackernews", "reddit")
RESTART_ALWAYS = RestartPolicy(tries=1_000, longest_pause_seconds=1.0)
"""Faults kill roles all the time, so the supervisor must start them again all the time."""


class Deployment:
    """Roles that run inside an ``async with`` block. ``kafka``: the broker and the prefix of the topics."""

    def __init__(
        self, kafka: KafkaSettings, roles: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """``roles``: one for each process. ``folder``: for their logs. ``environment``: more settings."""
        self.kafka = kafka
        self.failures: Counter[str] = Counter()
        self._folder = folder
        self._log = folder / f"{kafka.topic_prefix}roles.log"
        self._environment = {
            "PYTHONPATH": str(ROOT),
            "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "HUBBUB_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
            "HUBBUB_KAFKA__PARTITIONS": str(kafka.partitions),
            "HUBBUB_KAFKA__REPLICATION": str(kafka.replication),
            "HUBBUB_RESOLVE__SESSION_SECONDS": str(SESSION_SECONDS),
            "HUBBUB_SCORE__SESSION_SECONDS": str(SESSION_SECONDS),
            "HUBBUB_LOG_FORMAT": "json",
            **(environment or {}),
        }
        self.clock_offsets: dict[str, ClockOffset] = {}
        self.ports: dict[str, int] = {}
        counts: Counter[str] = Counter()
        children = []
        for role in roles:
            counts[role] += 1
            children.append(self._child(role, f"{role}-{counts[role]}"))
        self._names = [child.name for child in children]
        self.supervisor = Supervisor(children, self._on_line, policy=RESTART_ALWAYS)

    async def __aenter__(self) -> Self:
        await topic_setup.create(
            self.kafka.client_options(), self.kafka.topic_prefix, self.kafka.partitions, self.kafka.replication
        )
        await self.supervisor.__aenter__()
        try:
            await self.supervisor.ready(READY_SECONDS)
        except BaseException:
            await self.supervisor.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.supervisor.__aexit__()

    def instances(self, role: str) -> list[str]:
        """Return the names of the processes of ``role``."""
        return [name for name in self._names if name.rpartition("-")[0] == role]

    async def pid(self, name: str) -> int:
        """Return the process id of ``name``. Wait until it runs."""
        while True:
            try:
                return self.supervisor.pid(name)
            except LookupError:
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def extra_worker(self, role: str) -> AsyncIterator[None]:
        """Run another worker of ``role`` until the block ends. It is ready when the block begins."""
        child = self._child(role, f"{role}-extra")
        async with Supervisor([child], self._on_line, policy=RESTART_ALWAYS) as supervisor:
            await supervisor.ready(READY_SECONDS)
            yield

    def _child(self, role: str, name: str) -> Child:
        collectors = COLLECTORS if role == "collect" else ()
        (child,) = (child for child in role_children(self._environment, collectors) if child.name == role)
        offset = self._folder / f"{self.kafka.topic_prefix}{name}.clock"
        self.clock_offsets[name] = ClockOffset(offset)
        _, _, _, *command = child.command
        child.name = name
        child.command = [child.command[0], "-m", "tests.system.chaos.clock_offset", str(offset), *command]
        if role == "serve":
            self.ports[name] = free_port()
            child.environment = {**child.environment, "HUBBUB_SERVE__PORT": str(self.ports[name])}
        return child

    def _on_line(self, child: str, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{child}: {line}\n")
        if line.startswith("{"):
            entry = orjson.loads(line)
            if entry.get("event") == "failed":
                self.failures[f"{child.rpartition('-')[0]}: {entry.get('error')}"] += 1


async def until_in_sync(kafka: KafkaSettings, timeout_seconds: float = 60.0) -> None:
    """Wait until every replica of every partition is in sync.

    Raises:
        TimeoutError: a replica is not in sync in time.
    """
    async with asyncio.timeout(timeout_seconds):
        while await out_of_sync(kafka):
            await asyncio.sleep(0.3)


async def out_of_sync(kafka: KafkaSettings) -> int:
    """Return how many partitions have a replica that is not in sync; 1 if no broker answers."""
    admin = AIOKafkaAdminClient(**kafka.client_options(), request_timeout_ms=3_000)
    try:
        async with asyncio.timeout(8):
            await admin.start()
            described = await admin.describe_topics()
    except (KafkaError, TimeoutError):
        return 1
    finally:
        await admin.close()
    return sum(
        len(partition["isr"]) < len(partition["replicas"]) for topic in described for partition in topic["partitions"]
    )
