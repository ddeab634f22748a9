"""One source, a partition of ``signals`` that this worker reads: what it sends on, and how far it has come.

Owns the decoding of its records, the records it sends to ``candidates``, ``story-activity``, ``dead-letters`` and
``progress``, and the counts of what became of each signal. Must never read a clock or talk to Kafka.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest import signal as wire
from ingest.signal import LIKELY_MS, InvalidSignalError, Reason, Signal, decode
from scoring.settings import HOUR_MS
from streams.records import encode
from streams.records.candidates import Candidate, RawCandidate
from streams.records.progress import ResolveProgress
from streams.records.skipped import skipped_offsets
from streams.records.source_watermark import SourceWatermark
from streams.resolve.batches import ActivityBatch
from streams.resolve.config import ResolveConfig
from streams.resolve.connections import Outgoing
from streams.resolve.memory import STAGE, Memory
from streams.resolve.route import UNBOUNDED_MS, Ignored, Relevance, Router, RouterConfig
from streams.runtime import metrics
from streams.runtime.clock import Clock
from streams.runtime.watermark import IdleTimeout
from transport.dead_letter import encode_dead_letter
from transport.decompression import TOO_LARGE_HEADER
from transport.kafka import ConsumerRecord
from transport.offsets import locate

WAITING = "waiting"
MAX_LEAD_MS = 60_000
"""How far a source may lead the clock. Clocks that are set by NTP differ by much less. A false time in one record then
costs other stories a minute of their windows, and no more."""
MAX_BRACKETS = 400
"""Brackets in a signal whose bytes are passed on unchanged. Inside another record, a signal with more of them (in
unknown fields) would be nested deeper than the next stage can read."""

# Every series starts at 0. A counter that appears with its first value of 1 would hide that increase.
for _reason in Reason:
    metrics.DEAD_LETTERS.labels(STAGE, _reason)
for _ignored in Ignored:
    metrics.RECORDS_IGNORED.labels(STAGE, _ignored)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What all sources of a worker share. ``sources`` and ``partitions``: of ``signals`` and of ``story-activity``."""

    memory: Memory
    relevance: Relevance
    config: ResolveConfig
    clock: Clock
    sources: int
    partitions: int


class Source:
    """One assigned partition, from its committed offset on.

    Four resume points, each at most the one before: ``sent``, below which everything is handed to the producer;
    ``acknowledged``, below which the broker has everything; ``reported``, the last one written to ``progress``; and
    ``committed``.
    """

    def __init__(self, number: int, offset: int, context: SourceContext) -> None:
        """``offset``: the committed offset of partition ``number``."""
        config, reported = context.config, context.memory.reported
        self.number = number
        self._context = context
        resume_point = reported.resume_point(number, offset)
        self.sent = self.acknowledged = self.reported = self.committed = resume_point
        router_config = RouterConfig(
            orphan_wait_ms=int(config.orphan_wait_seconds * 1000), forget_ms=int(config.forget_hours * HOUR_MS)
        )
        self.router = Router(context.relevance, context.memory.threads, router_config, resume_point)
        self._read_at = context.clock.monotonic()
        self._counts = Counter(reported.counts(number, offset))
        # Records that waited at the previous reader are read again, and counted again.
        self._counts["read again"] += self._counts.pop(WAITING, 0)
        self._sent_counts: Mapping[str, int] = {}
        self._read_mark: SourceWatermark | None = None
        self._done_mark: SourceWatermark | None = None

    def read(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> list[Outgoing]:
        """Take in ``records``; return a dead letter for each that is not a signal.

        Producers choose the timestamps of their records, so a timestamp is limited to the likely present. A record from
        less far ahead is used, but it moves event time at most :data:`MAX_LEAD_MS` ahead: our own clock may be wrong.
        """
        self._release()
        router, monotonic = self.router, self._context.clock.monotonic()
        self._read_at = monotonic
        now_ms = self._context.clock.now_ms()
        latest_ms, router.latest_ms = now_ms + LIKELY_MS, now_ms + MAX_LEAD_MS
        skipped = skipped_offsets(self._context.memory.threads.skipped, "signals", self.number)
        dead: list[Outgoing] = []
        for record in records:
            if record.offset in skipped:
                self._counts["skipped"] += 1
                router.skip(record.offset)
                continue
            raw, timestamp = record.value or b"", record.timestamp
            try:
                signal = decode(raw, timestamp if 0 < timestamp < latest_ms else latest_ms)
            except InvalidSignalError as error:
                dead.append(_dead_letter(record, error))
                router.skip(record.offset)
                continue
            try:
                router.read(record.offset, _forwardable(raw, signal), signal, monotonic)
            except Exception as error:
                error.add_note(locate(record.topic, record.partition, record.offset))
                raise
        metrics.RECORDS_READ.labels(STAGE).inc(len(records))
        self._counts.update(read=len(records), dead=len(dead))
        return dead

    def output(self, now: float, *, idle: bool, heartbeat: bool) -> Iterator[Outgoing]:
        """Yield what to send at ``now`` (monotonic): candidates, then signals, each before its watermark.

        Without ``heartbeat``, a watermark is sent only if it changed.
        """
        router, memory, config = self.router, self._context.memory, self._context.config
        self._release()
        batch = router.take_batch(idle_since=now - config.orphan_wait_seconds if idle else None)
        for reason, count in batch.ignored.items():
            metrics.RECORDS_IGNORED.labels(STAGE, reason).inc(count)
            self._counts[f"ignored: {reason}"] += count
        self._counts["used"] += batch.used
        metrics.RECORDS_USED.labels(STAGE).inc(batch.used)

        complete_ms, ended_replay = memory.publishers.published(self.number, router.position)
        read_ms = max(router.read_ms(idle=idle), complete_ms)
        no_time = self._mark(0)
        for beats, entry in batch.candidates:
            candidate = RawCandidate(no_time, beats, entry.at_ms, entry.signal)
            yield Outgoing("candidates", encode(candidate), None, 0)
        read = self._mark(read_ms, idle=idle)
        if heartbeat or read != self._read_mark:
            yield Outgoing("candidates", encode(Candidate(read)), None, 0)
            self._read_mark = read

        low = router.resume_point.offset
        activity = ActivityBatch(self._context.partitions)
        for stories, redirected in ((batch.stories, False), (batch.redirected, True)):
            for story, entries in stories.items():
                info = memory.threads.stories.get(story)
                if info is not None:  # always: the router accepted it a moment ago
                    activity.add_story(info, entries, low, no_time, redirected=redirected)
        for merging in batch.merges:
            activity.add_merge(merging, no_time)
        released_ms = router.released_ms(now - self._undecided_timeout())
        done_ms = read_ms if released_ms is None else min(released_ms, read_ms)
        replay = "" if router.undecided else ended_replay
        done = self._mark(done_ms, idle=idle and not router.undecided, replay=replay)
        if heartbeat or done != self._done_mark:
            activity.add_mark(done)
            self._done_mark = done
        for partition, record in activity.records():
            yield Outgoing("story-activity", record, None, partition)

    def note_sent(self) -> None:
        """Remember how far the source is now; a decision that comes later belongs to the next output."""
        self.sent = self.router.resume_point
        self._sent_counts = {**self._counts, WAITING: self.router.waiting}

    def progress(self, publishers: tuple[str, ...]) -> Outgoing:
        """Return the report on how far the source is, which ``publishers`` it knows, and what became of its signals."""
        progress = ResolveProgress(
            str(self.number),
            self.router.stream_ms,
            self._context.clock.now_ms(),
            heard=publishers,
            offsets={self.number: self.router.position},
            counts=dict(self._sent_counts),
            low=self.acknowledged.offset,
            low_ms=self.acknowledged.stream_ms,
            committed=self.committed.offset,
            committed_ms=self.committed.stream_ms,
            topic_id=self._context.memory.reported.topic_id,
        )
        return Outgoing("progress", encode(progress), f"{STAGE}/{self.number}".encode(), 0)

    def is_silent(self, now: float) -> bool:
        """Return whether nothing was read for a while and no recording is being published."""
        silent = now - self._read_at >= self._context.config.idle_seconds
        return silent and not self._context.memory.publishers.active

    def is_read_to(self, log_end: int | None) -> bool:
        """Return whether the partition is read to its end, which the consumer takes to be ``log_end``."""
        position = self.router.position
        is_at_end = log_end is not None and position >= log_end
        return is_at_end and self._context.memory.publishers.read_to_end(self.number, position)

    def _release(self) -> None:
        """Live, let everything pass; in a replay, only what was seen before anything undecided."""
        memory = self._context.memory
        is_replayed = memory.publishers.is_replayed(self.number, self.router.resume_point.offset)
        self.router.release_until(memory.threads.decided_ms + 1 if is_replayed else UNBOUNDED_MS)

    def _mark(self, mark_ms: int, *, idle: bool = False, replay: str = "") -> SourceWatermark:
        return SourceWatermark(self.number, self._context.sources, mark_ms, idle, replay)

    def _undecided_timeout(self) -> float:
        """Return how long an undecided post may hold up its source; in a replay, longer than any backlog takes."""
        timeout = IdleTimeout(live_seconds=self._context.config.patience_seconds)
        if self._context.memory.publishers.active:
            return timeout.replay_seconds
        return timeout.seconds(self._context.clock.now_ms() - self.router.stream_ms)


def _dead_letter(record: ConsumerRecord[bytes, bytes], error: InvalidSignalError) -> Outgoing:
    too_large = [reason.decode() for header, reason in record.headers if header == TOO_LARGE_HEADER]
    reason = Reason.TOO_LARGE if too_large else error.reason
    metrics.DEAD_LETTERS.labels(STAGE, reason).inc()
    letter = encode_dead_letter(
        stage=STAGE,
        reason=reason,
        detail=too_large[0] if too_large else error.detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at_ms=max(record.timestamp, 0),
        original=record.value or b"",
    )
    return Outgoing("dead-letters", letter, STAGE.encode())


def _forwardable(raw: bytes, signal: Signal) -> bytes:
    """Return the bytes that stand for a signal from here on: ``raw``, unless they are nested too deep."""
    # Short bytes cannot be nested deep, since each bracket is closed again.
    if len(raw) <= 2 * MAX_BRACKETS or raw.count(b"[") + raw.count(b"{") <= MAX_BRACKETS:
        return raw
    return wire.encode(signal)
