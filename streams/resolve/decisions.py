"""The single writer of stories: reads candidates, decides them in order, writes the decisions to ``stories``.

Owns the life of the decider: only the worker that holds the one partition of ``candidates`` decides, and it begins by
reading back everything that was decided before. Offsets move only after the decisions they led to are acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from streams import metrics
from streams.resolve.beats import Beat
from streams.resolve.config import ResolveConfig
from streams.resolve.decide import Decided, Decider
from streams.resolve.matcher import Matcher
from streams.resolve.threads import STORY_KEY, THREAD_KEY, ThreadIndex
from streams.tail import Tail
from streams.topics import name
from streams.watermark import Patience, Watermark
from streams.wire import ThreadRecord, decode_candidate, encode

__all__ = ["Decisions"]

AT_ONCE = 500
"""Decisions between two looks at the event loop: some tens of milliseconds of work."""

log = structlog.get_logger(__name__)


class Decisions:
    """Decides candidates while this worker holds their partition."""

    def __init__(
        self,
        *,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        threads: ThreadIndex,
        beats: Mapping[str, Beat],
        on_decided: Callable[[str], None],
        config: ResolveConfig,
        kafka: Mapping[str, object],
        prefix: str,
        now_ms: Callable[[], int],
    ) -> None:
        """``on_decided`` is told of each thread, after the broker and ``threads`` have the decision."""
        self._consumer = consumer
        self._producer = producer
        self._threads = threads
        self._beats = beats
        self._on_decided = on_decided
        self._config = config
        self._kafka = kafka
        self._stories = name("stories", prefix)
        self._place = TopicPartition(name("candidates", prefix), 0)
        self._now_ms = now_ms
        self._decider: Decider | None = None
        self._watermark = Watermark(Patience())
        self._committed_at = 0.0
        self._committed = 0
        self._lock = asyncio.Lock()

    @property
    def deciding(self) -> bool:
        """True while this worker is the one that decides."""
        return self._decider is not None

    async def assign(self, partitions: frozenset[int]) -> None:
        """Become the one that decides: read back every decision, in order, into fresh matchers."""
        if not partitions:
            return
        async with self._lock:
            began = time.monotonic()
            decisions: dict[str, ThreadRecord] = {}
            async with Tail(self._stories, self._kafka) as tail:
                for record in await tail.to_end():
                    decision = self._threads.apply(record.key, record.value)
                    if decision is not None:
                        decisions[decision.thread] = decision
                    elif record.value is None and record.key.startswith(THREAD_KEY):
                        decisions.pop(record.key[len(THREAD_KEY) :].decode(), None)
            matchers = {beat: Matcher(definition) for beat, definition in self._beats.items()}
            sequence = 0
            for decision in sorted(decisions.values(), key=lambda decision: decision.sequence):
                for assignment in decision.assignments:
                    info = self._threads.story(assignment.story)
                    matcher = matchers.get(assignment.beat)
                    if info is not None and matcher is not None:
                        matcher.adopt(info, assignment, decision.at_ms)
                sequence = decision.sequence + 1
                self._on_decided(decision.thread)
            self._decider = Decider(matchers, lambda thread: self._threads.lookup(thread) is not None, sequence)
            self._watermark = Watermark(Patience(live_seconds=self._config.patience_seconds))
            self._committed = 0
            log.info("deciding", threads=len(decisions), seconds=round(time.monotonic() - began, 3))

    async def revoke(self, partitions: frozenset[int]) -> None:
        """Commit what is done and stop deciding."""
        if not partitions:
            return
        async with self._lock:
            await self._commit()
            self._decider = None

    async def step(self) -> None:
        """Read candidates and decide those that the watermark has passed."""
        decider = self._decider
        busy = decider is not None and decider.waiting > 0
        batches = await self._consumer.getmany(timeout_ms=10 if busy else int(self._config.flush_seconds * 1000))
        async with self._lock:
            if self._decider is None:
                return
            self._read(batches.get(self._place, []))
            watermark_ms = self._watermark.advance(self._now_ms(), time.monotonic())
            decided = list(itertools.islice(self._decider.decide(watermark_ms), AT_ONCE))
            await self._publish(decided)
            if time.monotonic() - self._committed_at >= self._config.commit_seconds:
                await self._commit()

    async def close(self) -> None:
        """Commit what is done."""
        async with self._lock:
            await self._commit()

    def _read(self, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        if self._decider is None:
            return
        monotonic = time.monotonic()
        for record in records:
            candidate = decode_candidate(record.value)
            if candidate.signal is None:
                self._watermark.update(candidate.mark, monotonic)
                self._decider.skip(record.offset)
            else:
                self._decider.offer(record.offset, candidate)

    async def _publish(self, decided: list[Decided]) -> None:
        """Write decisions, each after the stories it founded, and tell of them once the broker has them."""
        sent = []
        for decision in decided:
            for info in decision.founded:
                key = STORY_KEY + info.id.encode()
                sent.append(await self._producer.send(self._stories, encode(info), key, 0))
                self._threads.apply(key, encode(info))
            key = THREAD_KEY + decision.record.thread.encode()
            sent.append(await self._producer.send(self._stories, encode(decision.record), key, 0))
        if sent:
            await asyncio.gather(*sent)
        for decision in decided:
            self._threads.note(decision.record)
            for assignment in decision.record.assignments:
                metrics.CANDIDATES_DECIDED.labels("resolve", assignment.stage).inc()
            self._on_decided(decision.record.thread)

    async def _commit(self) -> None:
        self._committed_at = time.monotonic()
        if self._decider is not None and self._decider.low > self._committed:
            self._committed = self._decider.low
            await self._consumer.commit({self._place: OffsetAndMetadata(self._committed, "")})
