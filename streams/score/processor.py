"""The partitions assigned to one worker: taking them over, and applying their records batch by batch.

Owns the order of steps. A worker that is assigned partitions writes fencing records to their changelogs. Then it reads
back the states and the offset to resume at, and takes each record from there in order. A batch is acknowledged when the
broker has everything that came of it. Must never know how records are fetched, nor what a failure means for the role.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from streams.records.skipped import skipped_offsets
from streams.runtime import metrics
from streams.runtime.watchdog import Watchdog
from streams.score import changelog
from streams.score.assessor import StoryAssessor
from streams.score.assigned_partition import AssignedPartition, InputRecord
from streams.score.config import ScoreConfig
from streams.score.output_writer import OutputWriter
from streams.score.reading import Reader
from streams.score.scorer import PartitionScorer
from transport.consumer import open_consumer
from transport.errors import RetryLaterError
from transport.fencing import Lease, write_fencing_records
from transport.incarnations import Incarnations
from transport.kafka import Producer, TopicPartition
from transport.offsets import end_offsets, located, offset_to_resume
from transport.reader import TopicReader
from transport.topics import name

STAGE = "score"
SILENT_SECONDS = 60.0
"""Abort reading a changelog that yields no records for this long. One request to a broker never takes as long."""

log = structlog.get_logger(__name__)


class SilentChangelogError(RetryLaterError):
    """The broker yields no records of a changelog."""


@dataclass(frozen=True, eq=False, slots=True)
class _Assignment:
    """Partitions were assigned to this worker in the ``generation`` of its group."""

    generation: int


class Processor:
    """Takes over partitions and processes their records. An input calls it; see :class:`streams.score.worker.Input`."""

    def __init__(
        self,
        *,
        kafka: Mapping[str, object],
        prefix: str,
        config: ScoreConfig,
        reader: Reader,
        assess: StoryAssessor,
        producer: Producer,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        """``kafka``: connection options of aiokafka. ``reader``: finds figures and sentiment in a signal's text."""
        self._kafka = kafka
        self._config = config
        self._reader = reader
        self._assess = assess
        self._producer = producer
        self._now_ms = now_ms
        self._monotonic = monotonic
        self.lease = Lease(config.session_seconds, monotonic)
        self.lease.guard(producer)
        self.watchdog = Watchdog(self._pending_work, monotonic=monotonic)
        self.topic = name("story-activity", prefix)
        self.group = f"{prefix}hubbub-score"
        self._changelog = name(changelog.TOPIC, prefix)
        self.incarnations = Incarnations(producer, [self.topic, name("signals", prefix), self._changelog])
        """Of the topics whose offsets the changelog remembers (states remember those of ``signals``), and its own."""
        self._writer = OutputWriter(producer, prefix, self.incarnations, now_ms=now_ms, monotonic=monotonic)
        self._partitions: dict[int, AssignedPartition] = {}
        self._assignment: _Assignment | None = None
        self._assigned = asyncio.Event()
        self._processing = asyncio.Lock()
        self._ready = False
        self._end_offset: Callable[[int], int | None] = lambda _: None
        self._reached_ms: int | None = None
        metrics.WATERMARK_AGE.labels(STAGE).set_function(self._watermark_age_seconds)

    def problems(self) -> list[str]:
        """Return what keeps this worker from working now; nothing if it is ready."""
        if not self._ready:
            return ["score has not taken over its partitions yet"]
        if self._assignment is None:
            return ["score waits for its group to rebalance"]
        return [problem] if (problem := self.lease.problem()) else []

    def next_offsets(self) -> dict[int, int]:
        """Return where to resume each assigned partition."""
        return {number: assigned.next for number, assigned in self._partitions.items()}

    def assign(self, generation: int) -> None:
        """Note that the group has assigned partitions to this worker; :meth:`take_over` comes next."""
        self._assignment = _Assignment(generation)
        self._assigned.set()

    async def revoke(self) -> None:
        """Finish the batch in hand, and take no other until partitions are assigned again.

        Records that were taken and not applied are read again by the next owner of their partition.
        """
        self._assignment = None
        self._assigned.clear()
        async with self._processing:
            self._reached_ms = self._slowest_ms()
            for number in self._partitions:
                metrics.LAG.remove(STAGE, str(number))
            self._partitions.clear()

    async def take_over(self, partitions: Sequence[int]) -> None:
        """Restore ``partitions``, before any record of them is read; then wait while the group rebalances again.

        Raises:
            SilentChangelogError: the broker yields no records of a changelog.
            streams.score.changelog.CorruptOffsetError: a changelog is damaged.
            transport.offsets.RecordsGoneError: the records to resume at are no longer there.
            transport.incarnations.TopicRecreatedError: a topic was deleted and created again.
        """
        assignment = self._assignment
        try:
            async with asyncio.timeout(None) as idle_timeout:
                restored = await self._restore(partitions, idle_timeout) if partitions else {}
        except TimeoutError as error:
            raise SilentChangelogError(f"the changelog yielded no records for {SILENT_SECONDS:g} s") from error
        if assignment is not None and self._assignment is assignment:
            self._partitions = restored
            self._ready = True
            for number, assigned in restored.items():
                metrics.LAG.labels(STAGE, str(number)).set_function(partial(self._lag, assigned))
            if not restored:
                self._reached_ms = None
        await self._assigned.wait()  # an input must not resume with partitions that are revoked

    async def process(self, records: Sequence[InputRecord], end_offset: Callable[[int], int | None]) -> None:
        """Apply ``records``, write what comes of them and acknowledge those that are applied completely.

        ``end_offset``: of a partition, as far as the input knows.

        Raises:
            transport.fencing.LeaseLostError: the group has been silent for too long.
            streams.score.assigned_partition.MissingInputError: a record was left out.
        """
        self._end_offset = end_offset
        async with self._processing:
            monotonic = self._monotonic()
            batch: dict[AssignedPartition, None] = {}
            for record in records:
                assigned = self._partitions.get(record.partition)
                if assigned is not None and self._assignment and record.generation == self._assignment.generation:
                    assigned.take(record, monotonic)
                    batch[assigned] = None
                # Other records were fetched before a rebalance; the owner of their partition reads them again.
            answered = self._assess.answered()
            for assigned in self._partitions.values():
                assigned.scorer.reassess(answered)
            now_ms = self._now_ms()
            outputs = {assigned: assigned.scorer.advance(now_ms, monotonic) for assigned in batch}
            if outputs:
                await self.lease.during(self._writer.write(outputs))
            for assigned, output in outputs.items():
                for acknowledge in assigned.confirm(output):
                    acknowledge()
            metrics.STORIES_LIVE.labels(STAGE).set(sum(one.scorer.live for one in self._partitions.values()))
            self.watchdog.report_progress()

    async def _restore(self, partitions: Sequence[int], idle_timeout: asyncio.Timeout) -> dict[int, AssignedPartition]:
        """Return ``partitions`` as their changelogs describe them; nothing if they are revoked meanwhile."""
        clock, assignment = asyncio.get_running_loop().time, self._assignment
        idle_timeout.reschedule(clock() + SILENT_SECONDS)
        await self.lease.during(write_fencing_records(self._producer, self._changelog, partitions))
        restored = {partition: changelog.RestoredPartition() for partition in partitions}
        async with TopicReader(self._changelog, self._kafka, partitions) as log_reader:
            async for record in log_reader.until_end():
                with located(record):
                    restored[record.partition].apply(record.key, record.value)
                idle_timeout.reschedule(clock() + SILENT_SECONDS)
                self.watchdog.report_progress()
                if self._assignment is not assignment:
                    return {}
        ends = await end_offsets(self._kafka, [TopicPartition(self.topic, partition) for partition in partitions])
        assigned = {}
        async with open_consumer(**self._kafka, group_id=self.group, enable_auto_commit=False) as consumer:
            for place, end in ends.items():
                known = restored[place.partition]
                self.incarnations.check(known.topic_ids)
                offset = await offset_to_resume(consumer, place, known.offset, end)
                try:
                    scorer = PartitionScorer(known.states, self._config, self._reader, self._assess)
                except Exception as error:
                    error.add_note(f"it is the state of a story in {self._changelog}, partition {place.partition}")
                    raise
                skipped = skipped_offsets(known.skipped, "story-activity", place.partition)
                assigned[place.partition] = AssignedPartition(place.partition, offset, scorer, skipped)
                log.info("partition taken over", partition=place.partition, stories=scorer.live, offset=offset)
        return assigned

    async def _pending_work(self) -> str:
        if problems := self.problems():
            return problems[0]
        if self._processing.locked():
            return "score is processing a batch"
        offsets = self.next_offsets()
        ends = await end_offsets(self._kafka, [TopicPartition(self.topic, partition) for partition in offsets])
        waiting = sum(max(0, end - offsets[place.partition]) for place, end in ends.items())
        return f"{waiting} records wait for score" if waiting else ""

    def _lag(self, assigned: AssignedPartition) -> float:
        """Return how many records of a partition wait; NaN while the broker does not say where it ends."""
        end = self._end_offset(assigned.partition)
        return math.nan if end is None or self.lease.problem() else max(0, end - assigned.next)

    def _slowest_ms(self) -> int | None:
        """Return the event time that the slowest partition has reached, or had reached before all were revoked."""
        return min(filter(None, (one.watermark_ms for one in self._partitions.values())), default=self._reached_ms)

    def _watermark_age_seconds(self) -> float:
        """Return how far event time is behind the clock (below 0: ahead), also while no records come in.

        NaN if this worker has no partition, or none that has any record.
        """
        reached_ms = self._slowest_ms()
        return math.nan if reached_ms is None else (self._now_ms() - reached_ms) / 1000
