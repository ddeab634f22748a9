"""The decision writer: reads candidates, has them decided in order, and writes the decisions to ``stories``.

Owns when there is a decider. Only the worker that holds the single partition of ``candidates`` decides. It starts by
reading back every earlier decision. Offsets move only after the decisions they led to are acknowledged.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog
from msgspec.structs import replace

from streams.records import encode
from streams.records.candidates import decode_candidate
from streams.records.skipped import skipped_offsets
from streams.records.stories import (
    DECIDED_KEY,
    MOVED_KEY,
    STORY_KEY,
    THREAD_KEY,
    WITHDRAWN_KEY,
    Moved,
    Reached,
    StoryInfo,
    ThreadRecord,
    Withdrawn,
    decode_thread,
)
from streams.resolve.config import ResolveConfig
from streams.resolve.connections import Connections, Outgoing
from streams.resolve.decide import Decider, ThreadDecision
from streams.resolve.expired_records import ExpiredRecords
from streams.resolve.matching.matcher import Matcher
from streams.resolve.memory import STAGE, Memory
from streams.runtime import metrics
from streams.runtime.clock import Clock
from streams.runtime.watermark import IdleTimeout, Watermark
from transport.fencing import write_fencing_records
from transport.kafka import Consumer, ConsumerRecord, TopicPartition
from transport.offsets import check_next, commit, locate, located, seek_to_committed

DECIDING_SECONDS = 0.1
"""Bounds how long decisions block the event loop, and with it the heartbeats to the broker."""
ADOPTED_AT_ONCE = 100
"""Decisions read back before the event loop runs again; they take a few milliseconds."""

log = structlog.get_logger(__name__)


class DecisionWriter:
    """Decides candidates while this worker holds their partition."""

    def __init__(
        self,
        consumer: Consumer,
        kafka: Connections,
        memory: Memory,
        *,
        config: ResolveConfig,
        clock: Clock,
        make_matchers: Callable[[], dict[str, Matcher]],
    ) -> None:
        """``make_matchers`` returns the empty matcher of each beat."""
        self._consumer = consumer
        self._kafka = kafka
        self._memory = memory
        self._lease = kafka.lease
        self._config = config
        self._clock = clock
        self._make_matchers = make_matchers
        self._partition = TopicPartition(kafka.topic("candidates"), 0)
        self._assignment: object | None = None
        self._decider: Decider | None = None
        self._watermark = Watermark(IdleTimeout())
        self._expired = ExpiredRecords(memory.threads, config.keep_forgotten_seconds)
        self._committed_at = self._reported_at = 0.0
        self._next = self._decided = self._committed = 0
        self._lock = asyncio.Lock()

    async def assign(self, partitions: frozenset[int]) -> None:
        """Take over with the next step. The group waits for this call, so it does no more than that."""
        async with self._lock:
            self._assignment = object() if partitions else None

    async def revoke(self) -> None:
        """Commit what is done and stop deciding."""
        async with self._lock:
            try:
                await self._commit()
            finally:
                self._assignment = self._decider = None
                self._expired.restart()

    async def step(self) -> None:
        """Read candidates, and decide those that the watermark has passed."""
        if self._assignment is not None and self._decider is None:
            await self._take_over(self._assignment)
        decider = self._decider
        busy = decider is not None and decider.waiting > 0
        batches = await self._consumer.getmany(timeout_ms=10 if busy else int(self._config.flush_seconds * 1000))
        async with self._lock:
            if self._decider is None:
                return  # The group rebalanced meanwhile. The next decider reads this batch again.
            if records := batches.get(self._partition):
                await check_next(self._consumer, self._partition, self._next, records[0].offset)
                self._read(self._decider, records)
            watermark_ms = self._watermark.advance(self._clock.now_ms(), self._clock.monotonic())
            decisions = list(self._decide(self._decider, watermark_ms))
            await self._publish(decisions, self._decider.decided_ms(watermark_ms))
            if self._clock.monotonic() - self._committed_at >= self._config.commit_seconds:
                self._decided = self._decider.low
                await self._commit()
                await self._remove_expired()

    async def _take_over(self, assignment: object) -> None:
        """Read back every decision, in order, into empty matchers, and resume where the previous decider stopped."""
        began = self._clock.monotonic()
        await self._lease.during(write_fencing_records(self._kafka.producer, self._kafka.topic("stories"), [0]))
        await self._memory.caught_up()
        decider, threads = await self._read_back()
        async with self._lock:
            if self._assignment is not assignment:
                return  # The group rebalanced meanwhile, and another worker may have decided something.
            self._next = self._decided = self._committed = await seek_to_committed(self._consumer, self._partition)
            self._watermark = Watermark(IdleTimeout(live_seconds=self._config.patience_seconds))
            self._decider = decider
        log.info("deciding", threads=threads, seconds=round(self._clock.monotonic() - began, 3))

    async def _read_back(self) -> tuple[Decider, int]:
        """Return a decider that has adopted every decision in ``stories``, and their number."""
        decisions: dict[bytes, ThreadRecord] = {}
        async with self._kafka.reader("stories") as reader:
            for record in await reader.read_to_end():
                key = record.key or b""
                if key.startswith(THREAD_KEY):
                    decisions.pop(key, None)
                    if record.value is not None:
                        with located(record):
                            decisions[key] = decode_thread(record.value)
        decider = Decider(self._make_matchers(), self._memory.threads)
        for number, decision in enumerate(sorted(decisions.values(), key=lambda decision: decision.sequence), 1):
            decider.adopt(decision)
            if number % ADOPTED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return decider, len(decisions)

    def _read(self, decider: Decider, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        monotonic = self._clock.monotonic()
        self._next = records[-1].offset + 1
        skipped = skipped_offsets(self._memory.threads.skipped, "candidates", 0)
        for record in records:
            is_skipped = record.offset in skipped
            with suppress(Exception) if is_skipped else located(record):
                candidate = decode_candidate(record.value or b"")
                if candidate.signal is None:
                    self._watermark.update(candidate.mark, monotonic)
                else:  # without a beat, its thread belongs to no story
                    decider.offer(record.offset, replace(candidate, beats=()) if is_skipped else candidate)
            decider.skip(record.offset)

    def _decide(self, decider: Decider, watermark_ms: int) -> Iterator[ThreadDecision]:
        """Yield decisions until their time is up."""
        until = self._clock.monotonic() + DECIDING_SECONDS
        try:
            for decision in decider.decide(watermark_ms):
                yield decision
                if self._clock.monotonic() >= until:
                    return
        except Exception as error:
            error.add_note(locate(*self._partition, decider.deciding))
            raise

    async def _publish(self, decisions: list[ThreadDecision], reached_ms: int) -> None:
        """Write each decision after the story records it changes, and then the time up to which all is decided.

        Others learn of a decision once the broker has it.
        """
        reports_time = self._should_report(reached_ms)
        if not decisions and not reports_time:
            return
        self._lease.check()
        threads = self._memory.threads
        records: list[Outgoing] = []
        moved: list[Moved] = []
        changes: list[StoryInfo] = []
        changed: dict[str, StoryInfo] = {}
        for decision in decisions:
            for info in decision.created:
                records.append(_story_record(info))
                threads.note_story(info)
            records += [_record(MOVED_KEY, one.thread, encode(one)) for one in decision.moved]
            moved += decision.moved
            new = self._changes(decision, changed)
            records += map(_story_record, new)
            changes += new
            kind = WITHDRAWN_KEY if isinstance(decision.record, Withdrawn) else THREAD_KEY
            records.append(_record(kind, decision.record.thread, encode(decision.record)))
        if reports_time:
            records.append(Outgoing("stories", encode(Reached(reached_ms)), DECIDED_KEY, 0))
        await self._lease.during(await self._kafka.enqueue(records))
        for one in moved:
            threads.moved[one.thread] = one
        for info in changes:
            threads.note_story(info)
        if reports_time:
            threads.decided_ms = max(threads.decided_ms, reached_ms)
        for decision in decisions:
            for assignment in decision.record.assignments:
                metrics.CANDIDATES_DECIDED.labels(STAGE, assignment.stage).inc()
            self._memory.note_decision(decision.record)

    def _should_report(self, reached_ms: int) -> bool:
        """Return whether to write the decided time: at once while a replay waits for it, else with the heartbeat."""
        now = self._clock.monotonic()
        late = now - self._reported_at >= self._config.heartbeat_seconds
        decided_ms = self._memory.threads.decided_ms
        if reached_ms <= decided_ms or not (late or self._memory.publishers.need_decisions_after(decided_ms)):
            return False
        self._reported_at = now
        return True

    def _changes(self, decision: ThreadDecision, changed: dict[str, StoryInfo]) -> list[StoryInfo]:
        """Return the existing stories that the decision changes; ``changed``: those of this batch so far."""
        more: dict[str, StoryInfo] = {}

        def change(story: str, **fields: str | int) -> None:
            info = more.get(story) or changed.get(story) or self._memory.threads.stories.get(story)
            if info is None:
                raise RuntimeError(f"story {story} was created, but has no record in the topic 'stories'")
            more[story] = replace(info, **fields)

        at_ms = decision.record.at_ms
        for story, title in decision.titles:
            change(story, title=title)
        for merge in decision.record.merged:
            change(merge.gone, into=merge.into, merged_ms=at_ms)
        for story in decision.expired:
            if story in self._memory.threads.stories:
                change(story, forgotten_ms=at_ms)
        changed |= more
        return list(more.values())

    async def _remove_expired(self) -> None:
        """Remove some of the records that are left of stories expired a while ago."""
        keys = self._expired.next_keys(self._clock.monotonic())
        if not keys:
            return
        self._lease.check()
        await self._lease.during(await self._kafka.enqueue([Outgoing("stories", None, key, 0) for key in keys]))
        for key in keys:
            self._memory.threads.apply(key, None)

    async def _commit(self) -> None:
        self._committed_at = self._clock.monotonic()
        due = self._decider is not None and self._decided > self._committed
        if due and await commit(self._consumer, {self._partition: self._decided}):
            self._committed = self._decided


def _record(kind: bytes, name: str, value: bytes) -> Outgoing:
    return Outgoing("stories", value, kind + name.encode(), 0)


def _story_record(info: StoryInfo) -> Outgoing:
    return _record(STORY_KEY, info.id, encode(info))
