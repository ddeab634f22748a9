"""The partitions of ``signals`` that this worker reads, and what it sends on for them.

Owns the loop of the resolver's fast side: read in batches, route, send to ``candidates`` and ``story-activity``, wait
for the broker's acknowledgements, and only then let offsets move. Must never decide what story anything belongs to.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import structlog

from ingest import signal as wire
from ingest.signal import LIKELY_MS, InvalidSignalError, Reason, Signal, decode
from streams.records import encode
from streams.records.candidates import Candidate
from streams.records.progress import ResolveProgress
from streams.records.source_watermark import SourceWatermark
from streams.resolve.batches import Parcels
from streams.resolve.config import ResolveConfig
from streams.resolve.dead_share import DeadShare
from streams.resolve.handed_over import Told
from streams.resolve.publishers import Publishers
from streams.resolve.reorder import Place
from streams.resolve.route import AT_ONCE, Ignored, Relevance, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from streams.runtime import metrics
from streams.runtime.watermark import IdleTimeout
from transport.dead_letter import encode_dead_letter
from transport.kafka import Consumer, ConsumerRecord, Producer, TopicPartition
from transport.offsets import check_next, commit, locate, seek_to_committed
from transport.topics import name

__all__ = ["STAGE", "Sources"]

STAGE = "resolve"
HOUR_MS = 3_600_000
WAITING = "waiting"
BEHIND = 10
"""Who reads a tenth of the largest batch at once does not gather more, but hurries on."""
MAX_BRACKETS = 400
"""A signal with more, maybe in fields of its own, is not passed on as the bytes it came in: inside another record it
would be nested deeper than the next stage can read."""

log = structlog.get_logger(__name__)

for _reason in Reason:  # from the first, or nobody would see a counter rise that begins at one
    metrics.DEAD_LETTERS.labels(STAGE, _reason)
for _ignored in Ignored:
    metrics.RECORDS_IGNORED.labels(STAGE, _ignored)


class Sources:
    """The partitions this worker owns at the moment, each with its router."""

    def __init__(
        self,
        *,
        consumer: Consumer,
        producer: Producer,
        threads: ThreadIndex,
        publishers: Publishers,
        told: Told,
        caught_up: Callable[[], Awaitable[None]],
        relevance: Relevance,
        config: ResolveConfig,
        prefix: str,
        partitions: tuple[int, int],
        now_ms: Callable[[], int],
    ) -> None:
        """``partitions``: how many ``signals`` and ``story-activity`` have.

        ``threads``, ``publishers`` and ``told`` are kept by the caller; after ``caught_up`` they hold all that had been
        written when it was called.
        """
        self._consumer = consumer
        self._producer = producer
        self._threads = threads
        self._publishers = publishers
        self._told_before = told
        self._caught_up = caught_up
        self._relevance = relevance
        self._config = config
        self._signals = name("signals", prefix)
        self._candidates = name("candidates", prefix)
        self._activity = name("story-activity", prefix)
        self._progress = name("progress", prefix)
        self._now_ms = now_ms
        self._dead_letters = name("dead-letters", prefix)
        self._source_count, self._activity_count = partitions
        self._routers: dict[int, Router] = {}
        self._unplaced: frozenset[int] = frozenset()
        self._read_at: dict[int, float] = {}
        self._marked_at = 0.0
        self._told_heard: tuple[str, ...] = ()
        self._read_marks: dict[int, SourceWatermark] = {}
        self._done_marks: dict[int, SourceWatermark] = {}
        self._committed_at = time.monotonic()
        self._acknowledged: dict[int, Place] = {}
        self._told: dict[int, Place] = {}
        self._committed: dict[int, Place] = {}
        self._sent_at = 0.0
        self._behind = False
        self._cut_off = False
        self._lock = asyncio.Lock()
        self._outbox: list[tuple[str, bytes, bytes | None, int | None]] = []
        self._dead_share = DeadShare(config.max_dead_share, config.dead_share_records)
        self._counts: dict[int, Counter[str]] = {}
        self._counted: dict[int, dict[str, int]] = {}

    async def assign(self, partitions: frozenset[int]) -> None:
        """Begin to read ``partitions``, with the next step: here the group waits, and nobody may be kept waiting."""
        async with self._lock:
            self._unplaced = partitions

    async def revoke(self, _: frozenset[int]) -> None:
        """Commit what is done and let go of all partitions; the next owner reads again what still waits."""
        async with self._lock:
            try:
                await self._finish()
            finally:
                for partition in self._routers:
                    metrics.LAG.remove(STAGE, str(partition))
                for held in (self._routers, self._read_marks, self._done_marks, self._counts, self._counted):
                    held.clear()
                for places in (self._acknowledged, self._told, self._committed):
                    places.clear()
                self._unplaced = frozenset()

    def decided(self, thread: str) -> None:
        """Let pass what waited for ``thread``, whose decision the thread index now holds."""
        for router in self._routers.values():
            router.decided(thread)

    async def step(self) -> None:
        """Read one batch, send what comes of it, and commit now and then."""
        if self._unplaced:
            await self._take_over()
        if not self._behind:
            await asyncio.sleep(self._sent_at + self._config.flush_seconds - time.monotonic())
        batches = await self._consumer.getmany(
            timeout_ms=int(self._config.flush_seconds * 1000), max_records=self._config.batch_records
        )
        self._behind = sum(map(len, batches.values())) > self._config.batch_records // BEHIND
        async with self._lock:
            if self._unplaced:
                return  # The group has formed anew meanwhile. What is ours of this batch is read again, from its place.
            for place, records in batches.items():
                if place.partition in self._routers:
                    await check_next(self._consumer, place, self._routers[place.partition].position, records[0].offset)
                    self._read(place.partition, records)
            self._sent_at = time.monotonic()
            await self._send()
            if time.monotonic() - self._committed_at >= self._config.commit_seconds:
                await self._commit()
            self._pace()

    async def close(self) -> None:
        """Send and commit what is done."""
        async with self._lock:
            await self._finish()

    async def _take_over(self) -> None:
        """Begin each new partition at its committed offset, once all is known that was decided before it."""
        await self._caught_up()
        async with self._lock:
            for partition in sorted(self._unplaced):
                offset = await seek_to_committed(self._consumer, TopicPartition(self._signals, partition))
                place = self._committed[partition] = self._told_before.place(partition, offset)
                router_config = RouterConfig(
                    orphan_wait_ms=int(self._config.orphan_wait_seconds * 1000),
                    forget_ms=int(self._config.forget_hours * HOUR_MS),
                )
                self._routers[partition] = Router(self._relevance, self._threads, router_config, place)
                self._read_at[partition] = time.monotonic()
                self._counts[partition] = _carried_on(self._told_before.account(partition, offset))
            self._unplaced = frozenset()

    async def _finish(self) -> None:
        """Send what there is, tell how far that was, and commit it.

        Nothing of that if sending was cut off before: what it had in hand is gone, and is read again.
        """
        if self._cut_off:
            return
        await self._send()
        await self._tell_progress()
        await self._commit()

    def _read(self, partition: int, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        router = self._routers[partition]
        self._allow(partition, router)
        monotonic = time.monotonic()
        self._read_at[partition] = monotonic
        metrics.RECORDS_READ.labels(STAGE).inc(len(records))
        dead = 0
        latest_ms = self._now_ms() + LIKELY_MS
        for record in records:
            signal = self._decode(record, latest_ms)
            if signal is None:
                dead += 1
                router.skip(record.offset)
                continue
            with_its_bytes = _passed_on(record.value or b"", signal)
            try:
                router.read(record.offset, with_its_bytes, signal, monotonic)
            except Exception as error:
                error.add_note(locate(record))
                raise
        self._counts[partition].update(read=len(records), dead=dead)
        self._dead_share.count(len(records), dead)

    def _allow(self, partition: int, router: Router) -> None:
        """Let pass what may pass: live everything; in a replay what is seen before anything undecided."""
        replayed = self._publishers.replayed(partition, router.place.offset)
        router.allow(self._threads.decided_ms + 1 if replayed else AT_ONCE)

    def _decode(self, record: ConsumerRecord[bytes, bytes], latest_ms: int) -> Signal | None:
        """Return the signal in ``record``; None if there is none: it is a dead letter then.

        A producer may write a record's timestamp as it likes, so ``latest_ms`` is what it can be at most: one signal
        from years ahead would move event time there, and end every story.
        """
        try:
            return decode(record.value or b"", min(record.timestamp, latest_ms) if record.timestamp > 0 else latest_ms)
        except InvalidSignalError as error:
            self._bury(record, error)
            return None

    def _bury(self, record: ConsumerRecord[bytes, bytes], error: InvalidSignalError) -> None:
        metrics.DEAD_LETTERS.labels(STAGE, error.reason).inc()
        letter = encode_dead_letter(
            stage=STAGE,
            reason=error.reason,
            detail=error.detail,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            at_ms=max(record.timestamp, 0),
            original=record.value or b"",
        )
        self._post(self._dead_letters, letter, None, STAGE.encode())

    async def _send(self) -> None:
        """Send what the routers have, then the marks, and wait until the broker has all of it.

        One record is handed over after the other: signals reach a partition before the mark that covers them.
        """
        self._cut_off = True
        now = time.monotonic()
        self._publishers.tick(now)
        heard = self._publishers.heard
        beat = heard != self._told_heard or now - self._marked_at >= self._config.heartbeat_seconds
        for partition, router in self._routers.items():
            self._send_source(partition, router, now, beat=beat)
        if beat:
            self._marked_at, self._told_heard = now, heard
        # Taken now: what is decided while we wait for the broker is handed out with the next batch.
        places = {partition: router.place for partition, router in self._routers.items()}
        self._counted = {p: {**self._counts[p], WAITING: router.waiting} for p, router in self._routers.items()}
        outbox, self._outbox = self._outbox, []
        sent = [await self._producer.send(topic, value, key, partition) for topic, value, key, partition in outbox]
        if sent:
            await asyncio.gather(*sent)
        self._cut_off = False
        self._acknowledged = places
        if beat:
            # After the marks: a publisher begins when it reads here that nobody takes its silence for idleness.
            await self._tell_progress()
        metrics.WAITING.labels(STAGE).set(sum(router.waiting for router in self._routers.values()))

    def _send_source(self, partition: int, router: Router, now: float, *, beat: bool) -> None:
        """Queue everything one source has to send: candidates and their mark, signals and theirs."""
        self._allow(partition, router)
        idle = self._idle(partition, router, now)
        batch = router.take(silent_since=now - self._config.orphan_wait_seconds if idle else None)
        for reason, count in batch.ignored.items():
            metrics.RECORDS_IGNORED.labels(STAGE, reason).inc(count)
            self._counts[partition][f"ignored: {reason}"] += count
        self._counts[partition]["used"] += batch.used
        metrics.RECORDS_USED.labels(STAGE).inc(batch.used)

        told = self._publishers.told(partition, router.position)
        read_ms = max(router.read_ms(idle=idle), told.mark_ms)
        for beats, at_ms, signal in batch.candidates:
            self._post(self._candidates, encode(Candidate(self._mark(partition, 0), beats, at_ms, signal)), 0)
        read = self._mark(partition, read_ms, idle=idle)
        if beat or read != self._read_marks.get(partition):
            self._post(self._candidates, encode(Candidate(read)), 0)
            self._read_marks[partition] = read

        low = router.place.offset
        parcels = Parcels(self._activity_count)
        for stories, redirected in ((batch.stories, False), (batch.redirected, True)):
            for story, entries in stories.items():
                info = self._threads.story(story)
                if info is not None:  # as it was a moment ago, when they were handed out
                    parcels.add_story(info, entries, low, self._mark(partition, 0), redirected=redirected)
        for merging in batch.merges:
            parcels.add_merge(merging, self._mark(partition, 0))
        held_ms = router.held_ms(now - self._patience_seconds(router))
        done_ms = read_ms if held_ms is None else min(held_ms, read_ms)
        settle = "" if router.undecided else told.settle
        done = self._mark(partition, done_ms, idle=idle and not router.undecided, settle=settle)
        if beat or done != self._done_marks.get(partition):
            parcels.add_mark(done)
            self._done_marks[partition] = done
        for target, record in parcels.records():
            self._post(self._activity, record, target)

    async def _tell_progress(self) -> None:
        """Say how far each source has come, and the time at the place that may be committed."""
        told, now_ms = self._acknowledged, self._now_ms()
        sent = []
        for partition, router in self._routers.items():
            place = told[partition]
            progress = ResolveProgress(
                str(partition),
                router.stream_ms,
                now_ms,
                heard=self._told_heard,
                offsets={partition: router.position},
                counts=self._counted[partition],
                low=place.offset,
                low_ms=place.stream_ms,
                committed=self._committed[partition].offset,
                committed_ms=self._committed[partition].stream_ms,
            )
            key = f"{STAGE}/{partition}".encode()
            sent.append(await self._producer.send(self._progress, encode(progress), key, 0))
        if sent:
            await asyncio.gather(*sent)
        self._told = told

    def _mark(self, partition: int, mark_ms: int, *, idle: bool = False, settle: str = "") -> SourceWatermark:
        return SourceWatermark(partition, self._source_count, mark_ms, idle, settle)

    def _post(self, topic: str, value: bytes, partition: int | None, key: bytes | None = None) -> None:
        self._outbox.append((topic, value, key, partition))

    def _patience_seconds(self, router: Router) -> float:
        """Return how long an undecided post may hold up its source; in a replay, longer than any backlog takes."""
        patience = IdleTimeout(live_seconds=self._config.patience_seconds)
        if self._publishers.active():
            return patience.replay_seconds
        return patience.seconds(self._now_ms() - router.stream_ms)

    def _idle(self, partition: int, router: Router, now: float) -> bool:
        """Say whether the partition is read to its end, has been silent for a while, and is not being replayed into."""
        if self._publishers.active() or now - self._read_at[partition] < self._config.idle_seconds:
            return False
        end: int | None = self._consumer.highwater(TopicPartition(self._signals, partition))
        return end is not None and router.position >= end and self._publishers.read_to_end(partition, router.position)

    def _pace(self) -> None:
        """Stop reading a partition in which too much waits, until it has drained to half of that.

        Not one in which everything waits for the partition's own time to move on: only reading does that.
        """
        for partition, router in self._routers.items():
            place = TopicPartition(self._signals, partition)
            end = self._consumer.highwater(place)
            if end is not None:
                metrics.LAG.labels(STAGE, str(partition)).set(max(0, end - router.position))
            enough = router.waiting <= self._config.waiting_records // 2 or not router.drains
            if enough and place in self._consumer.paused():
                self._consumer.resume(place)
            elif not enough and router.waiting >= self._config.waiting_records:
                self._consumer.pause(place)

    async def _commit(self) -> None:
        """Commit, per partition, the offset below which everything is acknowledged downstream."""
        self._committed_at = time.monotonic()
        due = {p: place for p, place in self._told.items() if place.offset > self._committed[p].offset}
        if due and await commit(self._consumer, {TopicPartition(self._signals, p): due[p].offset for p in due}):
            self._committed.update(due)


def _carried_on(account: Mapping[str, int]) -> Counter[str]:
    """Return the account of whoever had a source before: what waited there is read again, and counted again."""
    counts = Counter(account)
    counts["read again"] += counts.pop(WAITING, 0)
    return counts


def _passed_on(raw: bytes, signal: Signal) -> bytes:
    """Return the bytes that stand for a signal from here on: those it came in, unless they are nested too deep."""
    # What is short cannot be nested deep: each bracket is closed again.
    if len(raw) <= 2 * MAX_BRACKETS or raw.count(b"[") + raw.count(b"{") <= MAX_BRACKETS:
        return raw
    return wire.encode(signal)
