"""The partitions of ``signals`` that this worker reads, and what it sends on for them.

Owns the loop of the resolver's fast side: read in batches, route, send to ``candidates`` and ``story-activity``, wait
for the broker's acknowledgements, and only then let offsets move. Must never decide what story anything belongs to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from ingest.signal import InvalidSignalError, Signal, decode
from streams import metrics
from streams.dead_letters import encode_dead_letter
from streams.partitioning import partition_of
from streams.resolve.config import ResolveConfig
from streams.resolve.publishers import Publishers
from streams.resolve.route import Relevance, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from streams.topics import name
from streams.wire import Activity, Candidate, Mark, Progress, RawActivity, RawEntry, encode

__all__ = ["STAGE", "Sources"]

STAGE = "resolve"
MAX_RECORD_BYTES = 600_000
"""Signals of a story are sent in several records past this, so that none nears the broker's limit."""

log = structlog.get_logger(__name__)


class Sources:
    """The partitions this worker owns at the moment, each with its router."""

    def __init__(
        self,
        *,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        threads: ThreadIndex,
        publishers: Publishers,
        relevance: Relevance,
        config: ResolveConfig,
        prefix: str,
        partitions: tuple[int, int],
        now_ms: Callable[[], int],
    ) -> None:
        """``partitions``: how many ``signals`` and ``story-activity`` have."""
        self._consumer = consumer
        self._producer = producer
        self._threads = threads
        self._publishers = publishers
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
        self._unplaced: set[int] = set()
        self._read_at: dict[int, float] = {}
        self._marked_at = 0.0
        self._told_heard: tuple[str, ...] = ()
        self._read_marks: dict[int, Mark] = {}
        self._done_marks: dict[int, Mark] = {}
        self._committed_at = time.monotonic()
        self._committed: dict[int, int] = {}
        self._lock = asyncio.Lock()
        self._outbox: list[tuple[str, bytes, bytes | None, int | None]] = []
        self.counts = {"read": 0, "used": 0, "dead": 0}

    @property
    def owned(self) -> frozenset[int]:
        """The partitions this worker reads."""
        return frozenset(self._routers)

    async def assign(self, partitions: frozenset[int]) -> None:
        """Begin to read ``partitions`` from their committed offsets."""
        async with self._lock:
            for partition in sorted(partitions):
                router_config = RouterConfig(orphan_wait_ms=int(self._config.orphan_wait_seconds * 1000))
                self._routers[partition] = Router(self._relevance, self._threads.lookup, router_config)
                self._read_at[partition] = time.monotonic()
            self._unplaced |= partitions

    async def revoke(self, partitions: frozenset[int]) -> None:
        """Commit what is done of ``partitions`` and let go of them; the next owner reads again what still waits."""
        async with self._lock:
            await self._send()
            await self._commit()
            for partition in partitions:
                self._routers.pop(partition, None)
                self._read_marks.pop(partition, None)
                self._done_marks.pop(partition, None)
                self._committed.pop(partition, None)

    def decided(self, thread: str) -> None:
        """Let pass what waited for ``thread``, whose decision the thread index now holds."""
        for router in self._routers.values():
            router.decided(thread)

    async def step(self) -> None:
        """Read one batch, send what comes of it, and commit now and then."""
        batches = await self._consumer.getmany(
            timeout_ms=int(self._config.flush_seconds * 1000), max_records=self._config.batch_records
        )
        async with self._lock:
            for partition in tuple(self._unplaced & self._routers.keys()):
                place = TopicPartition(self._signals, partition)
                self._routers[partition].start_at(await self._consumer.position(place))
                self._unplaced.discard(partition)
            for place, records in batches.items():
                if place.partition in self._routers:
                    self._read(place.partition, records)
            await self._send()
            if time.monotonic() - self._committed_at >= self._config.commit_seconds:
                await self._commit()
            self._pace()

    async def close(self) -> None:
        """Send and commit what is done."""
        async with self._lock:
            await self._send()
            await self._commit()

    def _read(self, partition: int, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        router = self._routers[partition]
        monotonic = time.monotonic()
        self._read_at[partition] = monotonic
        self.counts["read"] += len(records)
        metrics.RECORDS_READ.labels(STAGE).inc(len(records))
        for record in records:
            signal = self._decode(record)
            if signal is None:
                router.skip(record.offset)
            else:
                router.read(record.offset, record.value or b"", signal, monotonic)

    def _decode(self, record: ConsumerRecord[bytes, bytes]) -> Signal | None:
        try:
            return decode(record.value or b"", record.timestamp if record.timestamp > 0 else None)
        except InvalidSignalError as error:
            self._bury(record, error)
            return None

    def _bury(self, record: ConsumerRecord[bytes, bytes], error: InvalidSignalError) -> None:
        self.counts["dead"] += 1
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
        now = time.monotonic()
        self._publishers.tick(now)
        heard = self._publishers.heard
        beat = heard != self._told_heard or now - self._marked_at >= self._config.heartbeat_seconds
        for partition, router in self._routers.items():
            self._send_source(partition, router, now, beat=beat)
        if beat:
            self._marked_at, self._told_heard = now, heard
        outbox, self._outbox = self._outbox, []
        sent = [await self._producer.send(topic, value, key, partition) for topic, value, key, partition in outbox]
        if sent:
            await asyncio.gather(*sent)
        if beat:
            # After the marks: a publisher begins when it reads here that nobody takes its silence for idleness.
            await self._tell_progress(heard)
        metrics.WAITING.labels(STAGE).set(sum(router.waiting for router in self._routers.values()))

    def _send_source(self, partition: int, router: Router, now: float, *, beat: bool) -> None:
        """Queue everything one source has to send: candidates and their mark, signals and theirs."""
        idle = self._idle(partition, router, now)
        batch = router.take(silent_since=now - self._config.orphan_wait_seconds if idle else None)
        for reason, count in batch.ignored.items():
            metrics.RECORDS_IGNORED.labels(STAGE, reason).inc(count)
            self.counts[f"ignored_{reason}"] = self.counts.get(f"ignored_{reason}", 0) + count
        self.counts["used"] += batch.used
        metrics.RECORDS_USED.labels(STAGE).inc(batch.used)

        told = self._publishers.told(partition, router.position)
        read_ms = max(router.read_ms(idle=idle), told.mark_ms)
        for beats, at_ms, signal in batch.candidates:
            self._post(self._candidates, encode(Candidate(self._mark(partition, 0), beats, at_ms, signal)), 0)
        read = self._mark(partition, read_ms, idle=idle)
        if beat or read != self._read_marks.get(partition):
            self._post(self._candidates, encode(Candidate(read)), 0)
            self._read_marks[partition] = read

        for story, entries in batch.stories.items():
            self._post_story(story, entries, router.low, self._mark(partition, 0))
        waited_since = now - self._publishers.patience_seconds(self._config.patience_seconds)
        held_ms = router.held_ms(waited_since)
        done_ms = read_ms if held_ms is None else min(held_ms, read_ms)
        settle = "" if router.undecided else told.settle
        done = self._mark(partition, done_ms, idle=idle and not router.undecided, settle=settle)
        if beat or done != self._done_marks.get(partition):
            bare = encode(Activity(done))
            for target in range(self._activity_count):
                self._post(self._activity, bare, target)
            self._done_marks[partition] = done

    async def _tell_progress(self, heard: tuple[str, ...]) -> None:
        now_ms = self._now_ms()
        sent = []
        for partition, router in self._routers.items():
            instance = str(partition)
            position = {partition: router.position}
            progress = Progress(STAGE, instance, router.stream_ms, now_ms, heard=heard, offsets=position)
            key = f"{STAGE}/{instance}".encode()
            sent.append(await self._producer.send(self._progress, encode(progress), key, 0))
        await asyncio.gather(*sent)

    def _mark(self, partition: int, mark_ms: int, *, idle: bool = False, settle: str = "") -> Mark:
        return Mark(partition, self._source_count, mark_ms, idle, settle)

    def _post_story(self, story: str, entries: list[RawEntry], low: int, mark: Mark) -> None:
        info = self._threads.story(story)
        if info is None:
            raise RuntimeError(f"story {story} has threads but no record in the topic 'stories'; the topic is damaged")
        key = story.encode()
        target = partition_of(key, self._activity_count)
        *first, last = _chunks(entries)
        for chunk in first:
            self._post(self._activity, encode(RawActivity(mark, 0, info, chunk)), target, key)
        self._post(self._activity, encode(RawActivity(mark, low, info, last)), target, key)

    def _post(self, topic: str, value: bytes, partition: int | None, key: bytes | None = None) -> None:
        self._outbox.append((topic, value, key, partition))

    def _idle(self, partition: int, router: Router, now: float) -> bool:
        """Say whether the partition is read to its end, has been silent for a while, and is not being replayed into."""
        if self._publishers.active() or now - self._read_at[partition] < self._config.idle_seconds:
            return False
        end: int | None = self._consumer.highwater(TopicPartition(self._signals, partition))
        return end is not None and router.position >= end

    def _pace(self) -> None:
        """Stop reading a partition in which too much waits, until it has drained to half of that."""
        for partition, router in self._routers.items():
            place = TopicPartition(self._signals, partition)
            end = self._consumer.highwater(place)
            if end is not None:
                metrics.LAG.labels(STAGE, str(partition)).set(max(0, end - router.position))
            if router.waiting >= self._config.waiting_records:
                self._consumer.pause(place)
            elif router.waiting <= self._config.waiting_records // 2 and place in self._consumer.paused():
                self._consumer.resume(place)

    async def _commit(self) -> None:
        """Commit, per partition, the offset below which everything is acknowledged downstream."""
        self._committed_at = time.monotonic()
        offsets: Mapping[TopicPartition, OffsetAndMetadata] = {
            TopicPartition(self._signals, partition): OffsetAndMetadata(router.low, "")
            for partition, router in self._routers.items()
            if router.low > self._committed.get(partition, 0)
        }
        if offsets:
            await self._consumer.commit(offsets)
            self._committed.update({place.partition: offset.offset for place, offset in offsets.items()})


def _chunks(entries: list[RawEntry]) -> list[list[RawEntry]]:
    """Cut a story's signals into records of a bounded size."""
    chunks: list[list[RawEntry]] = [[]]
    size = 0
    for entry in entries:
        length = len(bytes(entry.signal))
        if chunks[-1] and size + length > MAX_RECORD_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(entry)
        size += length
    return chunks
