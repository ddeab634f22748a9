"""Writing what scorers give: scores and events, then states, then progress.

Owns that order, and that each part is acknowledged before the next is sent: a crash repeats, and never loses anything.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping

from streams.records import encode
from streams.records.noise_event import encode_event
from streams.records.progress import ScoreProgress
from streams.runtime import metrics
from streams.score import changelog
from streams.score.assigned_partition import AssignedPartition
from streams.score.output_batch import OutputBatch
from transport.incarnations import Incarnations
from transport.kafka import Producer
from transport.partitioning import partition_of
from transport.topics import name

REPORT_SECONDS = 1.0
"""How often a partition reports its progress."""

Send = tuple[str, bytes | None, bytes, int | None]
"""Topic, value, key and partition (None: by the key)."""


class OutputWriter:
    """Writes the output of the partitions of one worker."""

    def __init__(
        self,
        producer: Producer,
        prefix: str,
        incarnations: Incarnations,
        *,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._producer = producer
        self._prefix = prefix
        self._incarnations = incarnations
        self._now_ms = now_ms
        self._monotonic = monotonic

    async def write(self, outputs: Mapping[AssignedPartition, OutputBatch]) -> None:
        """Write ``outputs``; return when the broker has acknowledged all of it."""
        await self._send(await self._emitted(outputs.values()))
        now_ms = self._now_ms()
        for output in outputs.values():
            for observed_ms in output.first_observed_ms:
                metrics.END_TO_END.observe(max(0, now_ms - observed_ms) / 1000)
        await self._send(self._states(outputs))
        await self._send(self._progress(outputs, now_ms))

    async def _send(self, records: Iterable[Send]) -> None:
        await asyncio.gather(
            *[await self._producer.send(topic, value, key, partition) for topic, value, key, partition in records]
        )

    async def _emitted(self, outputs: Collection[OutputBatch]) -> Iterable[Send]:
        activity = name("story-activity", self._prefix)
        partitions = len(await self._producer.partitions_for(activity))
        scores, events = name("noise-scores", self._prefix), name("noise-events", self._prefix)
        sent: list[Send] = []
        for output in outputs:
            sent += [(scores, record, story.encode(), None) for story, record in output.scores.items()]
            sent += [(events, encode_event(event), event.story.encode(), None) for event in output.events]
            for story, record in output.forwarded:
                key = story.encode()
                sent.append((activity, record, key, partition_of(key, partitions)))
            metrics.SCORES_EMITTED.inc(len(output.scores))
            for event in output.events:
                metrics.EVENTS_EMITTED.labels(event.type).inc()
        return sent

    def _states(self, outputs: Mapping[AssignedPartition, OutputBatch]) -> Iterable[Send]:
        topic = name(changelog.TOPIC, self._prefix)
        for assigned, output in outputs.items():
            if output.states or output.applied:
                for key, value in changelog.records(output.states, assigned.applied, self._incarnations.ids):
                    yield topic, value, key, assigned.partition

    def _progress(self, outputs: Mapping[AssignedPartition, OutputBatch], now_ms: int) -> Iterable[Send]:
        """Yield reports of partitions now and then, and at once after a replay that is completely scored."""
        topic, monotonic = name("progress", self._prefix), self._monotonic()
        for assigned, output in outputs.items():
            if output.settled or monotonic - assigned.reported_at >= REPORT_SECONDS:
                assigned.reported_at, assigned.settled = monotonic, output.settled or assigned.settled
                instance = str(assigned.partition)
                progress = ScoreProgress(instance, output.watermark_ms, now_ms, settled=assigned.settled)
                yield topic, encode(progress), f"score/{instance}".encode(), 0
