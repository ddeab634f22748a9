"""A topic as a log: read without a group, from the beginning or from a recent place, to its end and on.

Owns the consumer, where it starts, and how far it is from the end. Must never know what the records mean.
Commits nothing: whoever reads this way reads again after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from transport.consumer import begin_at, close

__all__ = ["Record", "TopicChangedError", "TopicLog", "TopicMissingError"]

MAX_BATCH_RECORDS: Final = 1_000
POLL_TIMEOUT_MS: Final = 250
ANSWER_TIMEOUT_SECONDS: Final = 5.0


class TopicMissingError(RuntimeError):
    """The topic does not exist. The message says what to do, in one line."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"the topic {topic!r} does not exist; make it with `hubbub topics create`")
        self.topic = topic


class TopicChangedError(RuntimeError):
    """The topic has other partitions than when it was opened; open it anew."""


class Record(NamedTuple):
    """One record of a log. ``value`` None is a tombstone."""

    key: bytes | None
    value: bytes | None


class TopicLog:
    """One topic, all its partitions, as an ``async with`` block.

    ``kafka``: how to connect, in aiokafka's keyword arguments. ``tail_records``: about how many of the newest records
    to begin with; None begins with the first.

    Raises (on entering):
        TopicMissingError: the topic does not exist. It is not created by asking.
        aiokafka.errors.KafkaError: the broker cannot be reached, or refuses.
    """

    def __init__(self, kafka: Mapping[str, object], topic: str, *, tail_records: int | None = None) -> None:
        self._kafka = kafka
        self._topic = topic
        self._tail_records = tail_records
        self._consumer: AIOKafkaConsumer | None = None
        self._first_ends: dict[TopicPartition, int] = {}
        self._corrected: set[TopicPartition] = set()
        self._caught_up = False

    async def __aenter__(self) -> Self:
        # No reset policy: a record that is gone is an error (aiokafka.errors.OffsetOutOfRangeError), not a silent jump.
        self._consumer = AIOKafkaConsumer(
            **{
                **self._kafka,
                "group_id": None,
                "enable_auto_commit": False,
                "auto_offset_reset": "none",
                "isolation_level": "read_committed",
            }
        )
        try:
            await self._consumer.start()
            await self.check()
            await self._assign(self._consumer)
        except BaseException:
            await close(self._consumer)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._consumer is not None:
            await close(self._consumer)

    @property
    def caught_up(self) -> bool:
        """Whether all records have been returned that the log held when it was opened."""
        return self._caught_up

    async def batch(self) -> Sequence[Record]:
        """Return the next records, those of a partition in order; after 250 ms without any, none.

        Raises:
            aiokafka.errors.OffsetOutOfRangeError: the log no longer holds what comes next; open it anew.
            aiokafka.errors.KafkaError: the broker refuses to be read.
        """
        consumer = self._open()
        batches = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=MAX_BATCH_RECORDS)
        if not self._caught_up:
            self._correct_ends(consumer)
            self._caught_up = all(
                [await consumer.position(partition) >= end for partition, end in self._first_ends.items()]
            )
        return [Record(record.key, record.value) for records in batches.values() for record in records]

    async def behind(self) -> int:
        """Return how many records lie between here and the end, as far as the broker has told."""
        consumer = self._open()
        return sum(
            [
                max(0, (consumer.highwater(partition) or end) - await consumer.position(partition))
                for partition, end in self._first_ends.items()
            ]
        )

    async def check(self) -> None:
        """Ask the broker whether the topic is there, with the partitions it had when it was opened.

        Raises:
            TopicMissingError: it is not there.
            TopicChangedError: it has more partitions now.
            TimeoutError: the broker does not answer.
            aiokafka.errors.KafkaError: the broker cannot be reached.
        """
        consumer = self._open()
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            if self._topic not in await consumer.topics():
                raise TopicMissingError(self._topic)
        if self._first_ends and len(consumer.partitions_for_topic(self._topic) or ()) > len(self._first_ends):
            raise TopicChangedError(f"the topic {self._topic!r} has got more partitions")

    async def _assign(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            # The first question about any partition makes the consumer learn of them all.
            await consumer.beginning_offsets([TopicPartition(self._topic, 0)])
            numbers = consumer.partitions_for_topic(self._topic) or {0}
            partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
            starts = await consumer.beginning_offsets(partitions)
            self._first_ends = await consumer.end_offsets(partitions)
        if self._tail_records is not None:
            each = self._tail_records // len(partitions)
            starts = {place: max(start, self._first_ends[place] - each) for place, start in starts.items()}
        begin_at(consumer, starts)

    def _correct_ends(self, consumer: AIOKafkaConsumer) -> None:
        """Take the end of each partition from its first fetch: asked for it, the embedded broker tells too small a one.

        Only from the first, or a log that grows fast would never be caught up with.
        """
        for partition in self._first_ends.keys() - self._corrected:
            if (end := consumer.highwater(partition)) is not None:
                self._first_ends[partition] = max(end, self._first_ends[partition])
                self._corrected.add(partition)

    def _open(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("a TopicLog is read inside its `async with` block")
        return self._consumer
