"""The roles as real processes on a real broker, for tests of the whole path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from hubbub.operate.replay import replay, wait_until_scored
from hubbub.process.local import role_children, running
from hubbub.process.supervisor import Child, Supervisor
from hubbub.recordings import read_recordings
from hubbub.settings import KafkaSettings
from ingest.signal import Signal, encode
from scoring import Ledger, score
from scoring.impact import OfflineAssessor
from streams.records.noise_score import NoiseScore
from streams.resolve.threads import ThreadIndex
from streams.score.assessor import OfflineStoryAssessor
from streams.score.reading import TextReader
from streams.serve.read import read_scores
from tests.conftest import Broker
from transport.reader import TopicReader
from transport.topics import name

SESSION_SECONDS = 6


class House:
    """Resolve and score, running."""

    def __init__(
        self, kafka: KafkaSettings, supervisor: Supervisor, children: Sequence[Child], lines: list[str]
    ) -> None:
        self.kafka = kafka
        self.supervisor = supervisor
        self.children = children
        self.lines = lines

    @property
    def options(self) -> dict[str, object]:
        return self.kafka.client_options()

    async def replay(self, *files: Path, speed: float | None = None) -> None:
        """Publish recordings and wait until all signals are scored."""
        refused: list[object] = []
        recordings = read_recordings(files, lambda *what: refused.append(what))
        done = await replay(recordings, kafka=self.options, prefix=self.kafka.topic_prefix, speed=speed)
        await wait_until_scored(done.token, kafka=self.options, prefix=self.kafka.topic_prefix, idle_timeout_seconds=60)

    async def metrics(self, role: str) -> dict[str, float]:
        """Return the metrics of ``role``, each summed over its labels."""
        (port,) = (child.health_port for child in self.children if child.name == role)
        totals: dict[str, float] = {}
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as response:
            for family in text_string_to_metric_families(await response.text()):
                for sample in family.samples:
                    totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    async def ready(self) -> set[str]:
        """Return the roles that are ready."""
        ready = set()
        async with aiohttp.ClientSession() as session:
            for child in self.children:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{child.health_port}/readyz") as response:
                        if response.status == 200:
                            ready.add(child.name)
        return ready

    async def scores(self) -> dict[str, NoiseScore]:
        return await read_scores(self.options, self.kafka.topic_prefix)

    async def threads(self) -> ThreadIndex:
        index = ThreadIndex()
        async with TopicReader(name("stories", self.kafka.topic_prefix), self.options) as tail:
            for record in await tail.read_to_end():
                index.apply(record.key or b"", record.value)
        return index

    async def first_keys(self, topic: str) -> set[bytes]:
        """Return the keys of the first record of each partition."""
        async with TopicReader(name(topic, self.kafka.topic_prefix), self.options) as tail:
            return {record.key or b"" for record in await tail.read_to_end() if record.offset == 0}

    async def records(self, topic: str) -> list[bytes | None]:
        async with TopicReader(name(topic, self.kafka.topic_prefix), self.options) as tail:
            return [record.value for record in await tail.read_to_end()]


@asynccontextmanager
async def house(
    broker: Broker,
    *,
    roles: Sequence[str] = ("resolve", "score"),
    prefix: str = "",
    settings: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[House]:
    """Run ``roles`` (a role may be named more than once) until the block ends; ``settings`` are more variables."""
    kafka = KafkaSettings(
        bootstrap_servers=broker.bootstrap_servers, topic_prefix=broker.topic_prefix + prefix, partitions=3
    )
    environment = {
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
        "HUBBUB_RESOLVE__SESSION_SECONDS": str(SESSION_SECONDS),
        "HUBBUB_SCORE__SESSION_SECONDS": str(SESSION_SECONDS),
        **settings,
    }
    children: list[Child] = []
    for place, role in enumerate(roles):
        (child,) = (c for c in role_children(environment, []) if c.name == role)
        child.name = role if place == roles.index(role) else f"{role}-{place}"
        children.append(child)
    lines: list[str] = []
    async with running(kafka, children, lambda child, line: lines.append(f"{child}: {line}")) as supervisor:
        yield House(kafka, supervisor, children, lines)


def write_recording(path: Path, signals: Sequence[Signal]) -> Path:
    path.write_bytes(b"\n".join(encode(signal) for signal in signals) + b"\n")
    return path


def scored_by_hand(signals: Sequence[Signal], threads: ThreadIndex, at_ms: int) -> dict[str, float]:
    """Return the noise of each story, from the plain set of its signals."""
    read, assess = TextReader.load(), OfflineStoryAssessor(OfflineAssessor())
    ledgers: dict[str, Ledger] = {}
    for item in signals:
        for story in threads.current_stories(item.thread):
            ledgers.setdefault(story, Ledger()).apply(item, read(item))
    for story, ledger in ledgers.items():
        ledger.assessment = assess(story, ledger, at_ms)
    return {story: score(ledger, at_ms, tiers=read.tiers).noise for story, ledger in ledgers.items()}


def comparable(scores: dict[str, NoiseScore]) -> dict[str, dict[str, object]]:
    """Return what must not depend on how a result came about: all but the previous noise."""
    plain = {story: msgspec.to_builtins(item) for story, item in scores.items()}
    for item in plain.values():
        del item["previous"]
    return plain
