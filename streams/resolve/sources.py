"""The sources of one worker: the partitions of ``signals`` assigned to it.

Owns the loop: read in batches, route, send to ``candidates`` and ``story-activity``, wait for the broker's
acknowledgement, and only then move offsets. Must never decide which story anything belongs to.
"""

import asyncio
import math
from functools import partial

from streams.resolve.connections import Connections, Outgoing
from streams.resolve.dead_share import DeadShare
from streams.resolve.memory import STAGE
from streams.resolve.source import Source, SourceContext
from streams.runtime import metrics
from transport.kafka import Consumer, TopicPartition
from transport.offsets import check_next, check_unread, commit, seek_to_committed

BEHIND = 10
"""A worker that reads more than a tenth of the largest batch at once is behind: it does not wait for more."""


class Sources:
    """The partitions that this worker owns at the moment."""

    def __init__(self, consumer: Consumer, kafka: Connections, context: SourceContext) -> None:
        self._consumer = consumer
        self._kafka = kafka
        self._context = context
        self._config = context.config
        self._monotonic = context.clock.monotonic
        self._signals = kafka.topic("signals")
        self._sources: dict[int, Source] = {}
        self._assigned: frozenset[int] = frozenset()
        """Partitions assigned but not yet taken over."""
        self._reported_publishers: tuple[str, ...] = ()
        self._heartbeat_at = self._sent_at = 0.0
        self._committed_at = self._monotonic()
        self._behind = False
        self._interrupted = False
        self._lock = asyncio.Lock()
        self._dead_letters: list[Outgoing] = []
        self._dead_share = DeadShare(self._config.max_dead_share, self._config.dead_share_records)

    async def assign(self, partitions: frozenset[int]) -> None:
        """Take over ``partitions`` with the next step. The group waits for this call, so it does no more than that."""
        async with self._lock:
            self._assigned = partitions

    async def revoke(self) -> None:
        """Send and commit what is done, and release all partitions; the next owner reads again what still waits."""
        async with self._lock:
            try:
                await self._finish()
            finally:
                for number in self._sources:
                    metrics.LAG.remove(STAGE, str(number))
                self._sources.clear()
                self._assigned = frozenset()

    def decided(self, thread: str) -> None:
        """Release what waited for the decision on ``thread``, which the thread index now holds."""
        for source in self._sources.values():
            source.router.decided(thread)

    async def step(self) -> None:
        """Read one batch, send what it yields, and commit now and then."""
        if self._assigned:
            await self._take_over()
        if not self._behind:
            await asyncio.sleep(self._sent_at + self._config.flush_seconds - self._monotonic())
        batches = await self._consumer.getmany(
            timeout_ms=int(self._config.flush_seconds * 1000), max_records=self._config.batch_records
        )
        self._behind = sum(map(len, batches.values())) > self._config.batch_records // BEHIND
        async with self._lock:
            if self._assigned:
                return  # The group rebalanced meanwhile. What this worker still owns of the batch is read again.
            for partition, records in batches.items():
                if (source := self._sources.get(partition.partition)) is not None:
                    await check_next(self._consumer, partition, source.router.position, records[0].offset)
                    dead = source.read(records)
                    self._dead_letters += dead
                    self._dead_share.count(len(records), len(dead))
            self._sent_at = self._monotonic()
            await self._send()
            if self._monotonic() - self._committed_at >= self._config.commit_seconds:
                await self._commit()
            self._pause_full()

    async def _take_over(self) -> None:
        """Begin each assigned partition at its committed offset, once every earlier decision is known."""
        await self._context.memory.caught_up()
        async with self._lock:
            for number in sorted(self._assigned):
                partition = self._partition(number)
                if not self._context.memory.reported.counts(number, 0):
                    await check_unread(self._consumer, partition)
                offset = await seek_to_committed(self._consumer, partition)
                source = self._sources[number] = Source(number, offset, self._context)
                metrics.LAG.labels(STAGE, str(number)).set_function(partial(self._lag, source))
            self._assigned = frozenset()

    async def _finish(self) -> None:
        """Send everything, report how far that was, and commit it.

        If an earlier send was interrupted, do nothing: its records are lost, so they must be read again.
        """
        if self._interrupted:
            return
        await self._send()
        await self._report()
        await self._commit()

    async def _send(self) -> None:
        """Send the output of all sources, and wait until the broker has acknowledged it."""
        self._interrupted = True
        now = self._monotonic()
        publishers = self._context.memory.publishers
        publishers.expire(now)
        active = publishers.active
        heartbeat = active != self._reported_publishers or now - self._heartbeat_at >= self._config.heartbeat_seconds
        outgoing, self._dead_letters = self._dead_letters, []
        sources = list(self._sources.values())
        for source in sources:
            idle = source.is_silent(now) and source.is_read_to(self._log_end(source))
            outgoing += source.output(now, idle=idle, heartbeat=heartbeat)
        if heartbeat:
            self._heartbeat_at, self._reported_publishers = now, active
        for source in sources:
            source.note_sent()
        await (await self._kafka.enqueue(outgoing))
        self._interrupted = False
        for source in sources:
            source.acknowledged = source.sent
        if heartbeat:
            # After the watermarks: a publisher begins once it reads here that its silence is not taken for idleness.
            await self._report()
        metrics.WAITING.labels(STAGE).set(sum(source.router.waiting for source in sources))

    async def _report(self) -> None:
        """Write to ``progress`` how far each source has come."""
        sources = list(self._sources.values())
        await (await self._kafka.enqueue([source.progress(self._reported_publishers) for source in sources]))
        for source in sources:
            source.reported = source.acknowledged

    async def _commit(self) -> None:
        """Commit, for each source, the offset below which everything is acknowledged and reported."""
        self._committed_at = self._monotonic()
        due = {s: s.reported for s in self._sources.values() if s.reported.offset > s.committed.offset}
        offsets = {self._partition(source.number): point.offset for source, point in due.items()}
        if due and await commit(self._consumer, offsets):
            for source, point in due.items():
                source.committed = point

    def _pause_full(self) -> None:
        """Pause a partition in which too much waits, until half of that has drained.

        A partition in which everything waits for its own time to move on is not paused: only reading moves that time.
        """
        for source in self._sources.values():
            partition, router = self._partition(source.number), source.router
            has_room = router.waiting <= self._config.waiting_records // 2 or not router.can_drain
            if has_room and partition in self._consumer.paused():
                self._consumer.resume(partition)
            elif not has_room and router.waiting >= self._config.waiting_records:
                self._consumer.pause(partition)

    def _lag(self, source: Source) -> float:
        """Return how many records of ``source`` are not read yet; NaN while the broker does not say where it ends."""
        end = self._log_end(source)
        return math.nan if end is None or self._kafka.lease.problem() else max(0, end - source.router.position)

    def _partition(self, number: int) -> TopicPartition:
        return TopicPartition(self._signals, number)

    def _log_end(self, source: Source) -> int | None:
        return self._consumer.highwater(self._partition(source.number))
