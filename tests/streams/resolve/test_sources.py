"""The sources of a worker: shutdown while the broker takes nothing, and when a partition is paused."""

from __future__ import annotations

import asyncio
import math
import time
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from ingest.signal import Signal, encode
from streams.records.progress import ResolveProgress
from streams.records.skipped import skipped_key
from streams.records.stories import Assignment, StoryInfo, ThreadRecord
from streams.resolve.config import ResolveConfig
from streams.resolve.connections import Connections
from streams.resolve.memory import Memory
from streams.resolve.route import Router
from streams.resolve.source import SourceContext
from streams.resolve.sources import Sources
from streams.runtime.clock import Clock
from tests.streams.examples.signals import START_MS, reply, root
from transport.kafka import TopicPartition
from transport.offsets import MemoryLostError

PARTITION = TopicPartition("signals", 0)


class FakeConsumer:
    """A consumer of one partition with ``values``."""

    def __init__(self, values: list[bytes]) -> None:
        self.committed_offset = self.position = 0
        self.paused_partitions: set[TopicPartition] = set()
        self.records = [
            SimpleNamespace(topic="signals", partition=0, offset=offset, value=value, timestamp=0, headers=())
            for offset, value in enumerate(values)
        ]

    async def committed(self, _: TopicPartition) -> int:
        return self.committed_offset

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.position = offset

    async def getmany(self, **_: int) -> dict[TopicPartition, list[Any]]:
        records, self.position = self.records[self.position :], len(self.records)
        return {PARTITION: records} if records else {}

    def highwater(self, _: TopicPartition) -> int:
        return len(self.records)

    def paused(self) -> set[TopicPartition]:
        return self.paused_partitions

    def pause(self, partition: TopicPartition) -> None:
        self.paused_partitions.add(partition)

    def resume(self, partition: TopicPartition) -> None:
        self.paused_partitions.discard(partition)

    async def commit(self, offsets: dict[TopicPartition, Any]) -> None:
        (self.committed_offset,) = (place.offset for place in offsets.values())


class FakeProducer:
    """A producer that acknowledges at once; while the broker is ``away``, it blocks on ``story-activity``."""

    def __init__(self) -> None:
        self.away = False
        self.blocked = asyncio.Event()
        self.sent: list[bytes] = []

    async def send(self, topic: str, value: bytes, *_: object) -> asyncio.Future[None]:
        if topic == "story-activity" and self.away:
            self.blocked.set()
            await asyncio.Event().wait()
        self.sent.append(value)
        acknowledged = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged


class NoTopic:
    """Stands for the reader of an empty topic."""

    async def wait_until_read(self) -> None: ...


def make_memory() -> Memory:
    """Return a memory that knows the thread x:a and its story."""
    no_topic: Any = NoTopic()
    memory = Memory(no_topic, no_topic, lambda: 0.0)
    memory.threads.note_story(StoryInfo("st_a", "a", "a", "beat", START_MS))
    memory.threads.note_decision(ThreadRecord("x:a", 0, START_MS - 1, (Assignment("st_a", "beat", "new"),)))
    return memory


def make_sources(consumer: Any, producer: Any, config: ResolveConfig) -> Sources:
    kafka = Connections({}, "", producer, 10.0)
    clock = Clock(lambda: START_MS + 1_000, lambda: 0.0)
    context = SourceContext(make_memory(), lambda _: ("beat",), config, clock, sources=1, partitions=1)
    return Sources(consumer, kafka, context)


async def test_records_whose_send_was_interrupted_are_not_committed() -> None:
    consumer = FakeConsumer([encode(reply("x:a", number, number)) for number in range(10)])
    producer = FakeProducer()
    sources = make_sources(consumer, producer, ResolveConfig())
    await sources.assign(frozenset({0}))
    producer.away = True
    step = asyncio.create_task(sources.step())
    await producer.blocked.wait()
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    producer.away = False
    await sources.revoke()
    assert consumer.committed_offset == 0
    assert not any(b"x:ar" in value for value in producer.sent)


async def test_what_is_sent_and_reported_is_committed_when_the_partitions_are_revoked() -> None:
    consumer = FakeConsumer([encode(reply("x:a", number, number)) for number in range(10)])
    producer = FakeProducer()
    sources = make_sources(consumer, producer, ResolveConfig())
    await sources.assign(frozenset({0}))
    await sources.step()
    await sources.revoke()
    assert consumer.committed_offset == 10
    assert sum(b"x:ar9" in value for value in producer.sent) == 1


async def test_a_full_partition_is_paused_and_resumed_once_it_has_drained() -> None:
    config = ResolveConfig(waiting_records=1_000, flush_seconds=1e-9)
    values = [encode(root("x:b", 0)), *(encode(reply("x:b", number, 10 + number)) for number in range(1_500))]
    consumer, producer = FakeConsumer(values), FakeProducer()
    sources = make_sources(consumer, producer, config)
    await sources.assign(frozenset({0}))
    await sources.step()
    assert consumer.paused_partitions == {PARTITION}
    sources._context.memory.threads.note_decision(ThreadRecord("x:b", 1, START_MS, ()))
    sources.decided("x:b")
    await sources.step()
    assert consumer.paused_partitions == set()


async def test_lag_is_not_known_while_the_broker_does_not_answer() -> None:
    consumer = FakeConsumer([encode(reply("x:a", number, number)) for number in range(10)])
    sources = make_sources(consumer, FakeProducer(), ResolveConfig())
    await sources.assign(frozenset({0}))
    await sources.step()
    consumer.records += consumer.records[:6]  # they have arrived, and are not read

    def lag() -> float | None:
        return REGISTRY.get_sample_value("hubbub_lag_records", {"stage": "resolve", "partition": "0"})

    assert math.isnan(lag() or 0)
    sources._kafka.lease.renew(time.monotonic())
    assert lag() == 6
    await sources.revoke()
    assert lag() is None


async def test_a_signal_that_stops_the_router_is_named_and_passed_over_once_it_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = Router.read

    def picky_read(router: Router, offset: int, raw: bytes, signal: Signal, monotonic: float) -> None:
        if offset == 4:
            raise RuntimeError("a defect of the router")
        read(router, offset, raw, signal, monotonic)

    monkeypatch.setattr(Router, "read", picky_read)
    consumer = FakeConsumer([encode(reply("x:a", number, number)) for number in range(10)])
    producer = FakeProducer()
    sources = make_sources(consumer, producer, ResolveConfig())
    await sources.assign(frozenset({0}))
    with pytest.raises(RuntimeError) as stopped:
        await sources.step()
    note = "the record is at offset 4 of signals, partition 0; to go on without it: hubbub skip signals:0:4"
    assert stopped.value.__notes__ == [note]

    consumer.position = 0
    again = make_sources(consumer, producer, ResolveConfig())
    again._context.memory.threads.apply(skipped_key("signals", 0, 4), b"")
    await again.assign(frozenset({0}))
    await again.step()
    await again.revoke()
    assert consumer.committed_offset == 10
    assert [sum(b"x:ar%d" % number in value for value in producer.sent) for number in (3, 4, 5)] == [1, 0, 1]


async def test_resolve_refuses_to_go_on_where_signals_were_read_and_nothing_is_remembered_of_them() -> None:
    consumer = FakeConsumer([encode(reply("x:a", number, number)) for number in range(10)])
    consumer.committed_offset = 7
    sources = make_sources(consumer, FakeProducer(), ResolveConfig())
    await sources.assign(frozenset({0}))
    with pytest.raises(MemoryLostError, match=r"7 records were read, but .* are empty\. Rebuild from signals"):
        await sources.step()
    sources._context.memory.reported.note(ResolveProgress("0", 0, 0, counts={"read": 7}, committed=7))
    await sources.step()
