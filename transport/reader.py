"""The topic reader: a topic without a group, from its beginning or its newest records, to its end and on.

Owns a consumer, its start, its distance from the end, and the question whether the topic is still the one that was
opened. Must never commit anything, nor know what the records mean: a reader that is opened again reads again.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Self

from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from transport.consumer import close, start_at
from transport.errors import RestartError, UserError
from transport.kafka import BrokerTimeoutError, Consumer, ConsumerRecord, TopicPartition
from transport.offsets import end_offsets
from transport.private import NO_ID, Described, client_of, describe

MAX_BATCH_RECORDS = 10_000
"""Records that one poll returns at most."""
POLL_MS = 200


class TopicMissingError(UserError):
    """The topic does not exist."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"the topic {topic!r} does not exist; create it with: hubbub topics create")
        self.topic = topic


class TopicChangedError(RestartError):
    """The topic has other partitions, or other records, than when it was opened: open it again."""


class TopicReader:
    """A reader of one topic, for use in ``async with``.

    Raises (on entering):
        TopicMissingError: the topic does not exist. Asking does not create it.
        KafkaError: the broker cannot be reached, or refuses.
    """

    def __init__(
        self,
        topic: str,
        kafka: Mapping[str, object],
        partitions: Collection[int] = (),
        *,
        newest: int | None = None,
        committed_only: bool = False,
        timeout_seconds: float = 40.0,
    ) -> None:
        """``kafka``: connection options of aiokafka. ``partitions``: which ones; all, if none are named.

        ``newest``: about how many of the newest records to begin with; None begins with the first.
        ``committed_only``: leave out records of a producer's transaction that was aborted.
        ``timeout_seconds``: how long the broker may take to answer a question about the topic.
        """
        self._topic = topic
        self._kafka = kafka
        self._numbers = partitions
        self._newest = newest
        self._timeout_seconds = timeout_seconds
        isolation = "read_committed" if committed_only else "read_uncommitted"
        # No reset policy: a record that is gone is an error, not a silent jump.
        self._consumer = Consumer(
            **kafka, group_id=None, enable_auto_commit=False, auto_offset_reset="none", isolation_level=isolation
        )
        self._moved = asyncio.Event()
        self._opened = Described(NO_ID, 0)
        self.end_offsets: dict[TopicPartition, int] = {}
        """The offset after the last record of each partition, as of the opening."""
        self.caught_up = False
        """Whether every record below :attr:`end_offsets` has been returned."""

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            self._opened = await self._describe()
            async with self._answering():
                numbers = self._numbers or range(self._opened.partitions)
                partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
                starts = await self._consumer.beginning_offsets(partitions)
                self.end_offsets = await end_offsets(self._kafka, partitions)
            if self._newest is not None:
                each = self._newest // len(partitions)
                starts = {place: max(start, self.end_offsets[place] - each) for place, start in starts.items()}
            start_at(self._consumer, starts)
            self.caught_up = await self._has_read(self.end_offsets)
        except BaseException:
            await close(self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await close(self._consumer)

    async def poll(
        self, timeout_ms: int = POLL_MS, max_records: int = MAX_BATCH_RECORDS
    ) -> list[ConsumerRecord[bytes, bytes]]:
        """Wait up to ``timeout_ms`` for records and return them, those of a partition in order.

        Raises:
            TopicChangedError: the topic no longer holds what comes next.
            KafkaError: the broker refuses to be read.
        """
        try:
            batches = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise TopicChangedError(f"the topic {self._topic!r} no longer holds what comes next: {error}") from error
        if not self.caught_up:
            self.caught_up = await self._has_read(self.end_offsets)
        self._moved.set()
        return [record for batch in batches.values() for record in batch]

    async def until_end(self) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
        """Yield every record up to the end that the topic had when it was opened."""
        while not self.caught_up:
            for record in await self.poll():
                yield record

    async def read_to_end(self) -> list[ConsumerRecord[bytes, bytes]]:
        """Return what :meth:`until_end` yields."""
        return [record async for record in self.until_end()]

    async def wait_until_read(self) -> None:
        """Wait until another task has polled all that is in the topic now."""
        ends = await end_offsets(self._kafka, list(self.end_offsets))
        while not await self._has_read(ends):
            self._moved.clear()
            await self._moved.wait()

    async def lag(self) -> int:
        """Return how many records lie between here and the end, as of the last fetch."""
        return sum(
            [
                max(0, (self._consumer.highwater(partition) or end) - await self._consumer.position(partition))
                for partition, end in self.end_offsets.items()
            ]
        )

    async def check(self) -> None:
        """Ask the broker whether the topic is there, and still the one that was opened.

        Raises:
            TopicMissingError: the topic does not exist.
            TopicChangedError: it has more partitions now, or was deleted and created again.
            KafkaError: the broker does not answer.
        """
        now = await self._describe()
        if now.id != self._opened.id:
            raise TopicChangedError(f"the topic {self._topic!r} was deleted and created again")
        if now.partitions > self._opened.partitions:
            raise TopicChangedError(f"the topic {self._topic!r} has more partitions than when it was opened")

    async def _describe(self) -> Described:
        async with self._answering():
            described = await describe(client_of(self._consumer), [self._topic])
        if self._topic not in described:
            raise TopicMissingError(self._topic)
        return described[self._topic]

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except TimeoutError as error:
            raise BrokerTimeoutError(f"no answer about {self._topic!r} in {self._timeout_seconds:g} s") from error

    async def _has_read(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all([await self._consumer.position(partition) >= end for partition, end in ends.items()])
