"""The single writer of stories: reads candidates, decides them in order, writes the decisions to ``stories``.

Owns the life of the decider: only the worker that holds the one partition of ``candidates`` decides, and it begins by
reading back everything that was decided before. Offsets move only after the decisions they led to are acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice

import structlog
from msgspec.structs import replace

from streams.records import encode
from streams.records.candidates import decode_candidate
from streams.records.stories import (
    DECIDED_KEY,
    MOVED_KEY,
    STORY_KEY,
    THREAD_KEY,
    Reached,
    StoryInfo,
    ThreadRecord,
    decode_thread,
)
from streams.resolve.config import ResolveConfig
from streams.resolve.decide import Decided, Decider
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.matcher import Matcher
from streams.resolve.publishers import Publishers
from streams.resolve.threads import ThreadIndex
from streams.runtime import metrics
from streams.runtime.watermark import IdleTimeout, Watermark
from transport.fencing import Lease, write_fencing_records
from transport.kafka import Consumer, ConsumerRecord, Producer, TopicPartition
from transport.offsets import check_next, commit, locate, seek_to_committed
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["Decisions"]

AT_ONCE_SECONDS = 0.1
"""How long decisions may keep the event loop from everything else, heartbeats to the broker among it."""

SWEPT_AT_ONCE = 20_000
"""Records looked at between two commits when those of forgotten stories are removed."""

ADOPTED_AT_ONCE = 100
"""Decisions read back between two looks at the event loop."""

log = structlog.get_logger(__name__)


class Decisions:
    """Decides candidates while this worker holds their partition."""

    def __init__(
        self,
        *,
        consumer: Consumer,
        producer: Producer,
        threads: ThreadIndex,
        publishers: Publishers,
        beats: Mapping[str, Beat],
        on_decided: Callable[[str], None],
        caught_up: Callable[[], Awaitable[None]],
        lease: Lease,
        config: ResolveConfig,
        kafka: Mapping[str, object],
        prefix: str,
        make_matcher: Callable[[Beat], Matcher],
        now_ms: Callable[[], int],
    ) -> None:
        """``on_decided`` is told of each thread, after the broker and ``threads`` have the decision.

        ``threads`` and ``publishers`` are kept by the caller; after ``caught_up`` they hold all that had been written
        when it was called.
        """
        self._consumer = consumer
        self._producer = producer
        self._threads = threads
        self._publishers = publishers
        self._beats = beats
        self._on_decided = on_decided
        self._caught_up = caught_up
        self._lease = lease
        self._config = config
        self._kafka = kafka
        self._stories = name("stories", prefix)
        self._place = TopicPartition(name("candidates", prefix), 0)
        self._make_matcher = make_matcher
        self._now_ms = now_ms
        self._appointment: object | None = None
        self._decider: Decider | None = None
        self._watermark = Watermark(IdleTimeout())
        self._committed_at = 0.0
        self._told_at = 0.0
        self._forgotten: dict[str, float] = {}
        self._leavings: Iterator[bytes | None] | None = None
        self._next = self._acknowledged = self._committed = 0
        self._lock = asyncio.Lock()

    async def assign(self, partitions: frozenset[int]) -> None:
        """Become the one that decides, with the next step: here the group waits, and nobody may be kept waiting."""
        async with self._lock:
            self._appointment = object() if partitions else None

    async def revoke(self, _: frozenset[int]) -> None:
        """Commit what is done and stop deciding."""
        async with self._lock:
            try:
                await self._commit()
            finally:
                self._appointment = self._decider = self._leavings = None

    async def step(self) -> None:
        """Read candidates and decide those that the watermark has passed."""
        if self._appointment is not None and self._decider is None:
            await self._take_over(self._appointment)
        decider = self._decider
        busy = decider is not None and decider.waiting > 0
        batches = await self._consumer.getmany(timeout_ms=10 if busy else int(self._config.flush_seconds * 1000))
        async with self._lock:
            if self._decider is None:
                return  # The group has formed anew meanwhile. Whoever decides now reads this batch again.
            if records := batches.get(self._place):
                await check_next(self._consumer, self._place, self._next, records[0].offset)
                self._read(records)
            watermark_ms = self._watermark.advance(self._now_ms(), time.monotonic())
            decided = list(_for_a_while(self._decider.decide(watermark_ms)))
            await self._publish(decided, self._decider.decided_ms(watermark_ms))
            if time.monotonic() - self._committed_at >= self._config.commit_seconds:
                self._acknowledged = self._decider.low
                await self._commit()
                await self._sweep()

    async def close(self) -> None:
        """Commit what is done."""
        async with self._lock:
            await self._commit()

    async def _take_over(self, appointment: object) -> None:
        """Read back every decision, in order, into fresh matchers, and go on where the last who decided left off."""
        began = time.monotonic()
        await self._lease.during(write_fencing_records(self._producer, self._stories, [0]))
        await self._caught_up()
        decider, threads = await self._read_back()
        async with self._lock:
            if self._appointment is not appointment:
                return  # The group has formed anew meanwhile, and another may have decided something.
            self._next = self._acknowledged = self._committed = await seek_to_committed(self._consumer, self._place)
            self._watermark = Watermark(IdleTimeout(live_seconds=self._config.patience_seconds))
            self._decider = decider
        log.info("deciding", threads=threads, seconds=round(time.monotonic() - began, 3))

    async def _read_back(self) -> tuple[Decider, int]:
        """Return a decider that has made every decision in ``stories``, and how many there are."""
        decisions: dict[bytes, ThreadRecord] = {}
        async with TopicReader(self._stories, self._kafka) as tail:
            for record in await tail.read_to_end():
                key = record.key or b""
                if key.startswith(THREAD_KEY):
                    decisions.pop(key, None)
                    if record.value is not None:
                        decisions[key] = decode_thread(record.value)
        matchers = {beat: self._make_matcher(definition) for beat, definition in self._beats.items()}
        decider = Decider(matchers, self._threads)
        for number, decision in enumerate(sorted(decisions.values(), key=lambda decision: decision.sequence), 1):
            decider.adopt(decision)
            if number % ADOPTED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return decider, len(decisions)

    def _read(self, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        if self._decider is None:
            return
        monotonic = time.monotonic()
        self._next = records[-1].offset + 1
        for record in records:
            candidate = decode_candidate(record.value or b"")
            if candidate.signal is None:
                self._watermark.update(candidate.mark, monotonic)
                self._decider.skip(record.offset)
                continue
            try:
                self._decider.offer(record.offset, candidate)
            except Exception as error:
                error.add_note(locate(record))
                raise

    async def _publish(self, decided: list[Decided], reached_ms: int) -> None:
        """Write decisions, each after the stories it founded, merged or forgot, and how far that was.

        Tell of them once the broker has them.
        """
        telling = self._is_worth_telling(reached_ms)
        if not decided and not telling:
            return
        self._lease.check()
        records: list[tuple[bytes, bytes]] = []
        after: list[tuple[bytes, bytes]] = []
        changed: dict[str, StoryInfo] = {}
        for decision in decided:
            for info in decision.founded:
                records.append((STORY_KEY + info.id.encode(), encode(info)))
                self._threads.apply(*records[-1])
            changes = [(MOVED_KEY + moved.thread.encode(), encode(moved)) for moved in decision.moved]
            changes += [(STORY_KEY + info.id.encode(), encode(info)) for info in self._changes(decision, changed)]
            after += changes
            records += changes
            records.append((THREAD_KEY + decision.record.thread.encode(), encode(decision.record)))
        if telling:
            after.append((DECIDED_KEY, encode(Reached(reached_ms))))
            records.append(after[-1])
        sent = [await self._producer.send(self._stories, value, key, 0) for key, value in records]
        await self._lease.during(asyncio.gather(*sent))
        for key, value in after:
            self._threads.apply(key, value)
        for decision in decided:
            self._threads.note(decision.record)
            for assignment in decision.record.assignments:
                metrics.CANDIDATES_DECIDED.labels("resolve", assignment.stage).inc()
            self._on_decided(decision.record.thread)

    def _is_worth_telling(self, reached_ms: int) -> bool:
        """Say whether to tell how far all is decided: at once while anybody may wait for it, else now and then."""
        now = time.monotonic()
        late = now - self._told_at >= self._config.heartbeat_seconds
        told_ms = self._threads.decided_ms
        if reached_ms <= told_ms or not (late or self._publishers.unfinished(told_ms)):
            return False
        self._told_at = now
        return True

    def _changes(self, decision: Decided, changed: dict[str, StoryInfo]) -> list[StoryInfo]:
        """Return the stories of which the decision says something new; ``changed``: those of this batch so far."""
        more: dict[str, StoryInfo] = {}

        def change(story: str, **what: str | int) -> None:
            info = more.get(story) or changed.get(story) or self._threads.story(story)
            if info is None:
                raise RuntimeError(f"story {story} was founded, but has no record in the topic 'stories'")
            more[story] = replace(info, **what)

        at_ms = decision.record.at_ms
        for story, title in decision.named:
            change(story, title=title)
        for merge in decision.record.merged:
            change(merge.gone, into=merge.into, merged_ms=at_ms)
        for story in decision.forgotten:
            if self._threads.story(story) is not None:
                change(story, forgotten_ms=at_ms)
        changed |= more
        return list(more.values())

    async def _sweep(self) -> None:
        """Remove what is left of stories forgotten a while ago, some at a time.

        Only then: a source that is read again has to come to the same result.
        """
        now = time.monotonic()
        self._forgotten = {story: self._forgotten.get(story, now) for story in self._threads.forgotten}
        if self._leavings is None:
            due = {
                story for story, since in self._forgotten.items() if now - since >= self._config.keep_forgotten_seconds
            }
            if not due:
                return
            self._leavings = self._threads.leavings(due, min(self._threads.forgotten[story] for story in due))
        looked_at = list(islice(self._leavings, SWEPT_AT_ONCE))
        if len(looked_at) < SWEPT_AT_ONCE:
            self._leavings = None
        keys = [key for key in looked_at if key is not None]
        if not keys:
            return
        self._lease.check()
        sent = [await self._producer.send(self._stories, None, key, 0) for key in keys]
        await self._lease.during(asyncio.gather(*sent))
        for key in keys:
            self._threads.apply(key, None)

    async def _commit(self) -> None:
        self._committed_at = time.monotonic()
        due = self._decider is not None and self._acknowledged > self._committed
        if due and await commit(self._consumer, {self._place: self._acknowledged}):
            self._committed = self._acknowledged


def _for_a_while(decisions: Iterable[Decided]) -> Iterator[Decided]:
    """Yield decisions until their time is up."""
    until = time.monotonic() + AT_ONCE_SECONDS
    for decided in decisions:
        yield decided
        if time.monotonic() >= until:
            return
