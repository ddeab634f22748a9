"""Stopping while the broker takes nothing: what was in hand is not committed, whatever the broker does then."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from ingest.signal import encode
from streams.records import encode as wire_encode
from streams.records.stories import STORY_KEY, THREAD_KEY, Assignment, StoryInfo, ThreadRecord
from streams.resolve.config import ResolveConfig
from streams.resolve.handed_over import Told
from streams.resolve.publishers import Publishers
from streams.resolve.sources import Sources
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, reply

SIGNALS = 10


class Reader:
    """Stands for the consumer: there are ten signals in one partition."""

    def __init__(self) -> None:
        self.committed_offset = 0
        self.position = 0
        values = [encode(reply("x:a", number, number)) for number in range(SIGNALS)]
        self.records = [
            SimpleNamespace(topic="signals", partition=0, offset=offset, value=value, timestamp=0)
            for offset, value in enumerate(values)
        ]

    async def committed(self, _: TopicPartition) -> int:
        return self.committed_offset

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.position = offset

    async def getmany(self, **_: int) -> dict[TopicPartition, list[Any]]:
        records, self.position = self.records[self.position :], SIGNALS
        return {TopicPartition("signals", 0): records} if records else {}

    def highwater(self, _: TopicPartition) -> int:
        return SIGNALS

    def paused(self) -> set[TopicPartition]:
        return set()

    async def commit(self, offsets: dict[TopicPartition, Any]) -> None:
        (self.committed_offset,) = (place.offset for place in offsets.values())


class Writer:
    """Stands for the producer; while the broker is ``away``, what would wait for room in its buffer waits."""

    def __init__(self) -> None:
        self.away = asyncio.Event()
        self.sent: list[bytes] = []

    async def send(self, topic: str, value: bytes, *_: object) -> asyncio.Future[None]:
        if topic == "story-activity" and self.away.is_set():
            await asyncio.Event().wait()
        self.sent.append(value)
        acknowledged = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged


async def nothing() -> None:
    """There is nothing to catch up with."""


def of_one_story() -> ThreadIndex:
    threads = ThreadIndex()
    threads.apply(STORY_KEY + b"st_a", wire_encode(StoryInfo("st_a", "a", "a", "beat", START_MS)))
    known = ThreadRecord("x:a", 0, START_MS - 1, (Assignment("st_a", "beat", "new"),))
    threads.apply(THREAD_KEY + b"x:a", wire_encode(known))
    return threads


async def test_what_was_cut_off_while_it_was_sent_is_not_committed() -> None:
    reader, writer = Reader(), Writer()
    sources = Sources(
        consumer=reader,
        producer=writer,
        threads=of_one_story(),
        publishers=Publishers(),
        told=Told(),
        caught_up=nothing,
        relevance=lambda _: ("beat",),
        config=ResolveConfig(),
        prefix="",
        partitions=(1, 1),
        now_ms=lambda: START_MS + 1_000,
    )
    await sources.assign(frozenset({0}))
    writer.away.set()
    step = asyncio.create_task(sources.step())
    while reader.position < SIGNALS:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    writer.away.clear()
    await sources.close()
    assert reader.committed_offset == 0
    assert not any(b"x:ar" in value for value in writer.sent)
    assert sources._cut_off
