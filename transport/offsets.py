"""Offsets: where a reader starts, how it commits, where a partition ends.

Owns what aiokafka leaves to its caller. After a rebalance a member starts at the committed offset, whatever was fetched
before. A commit that comes too late is no failure. When the records to be read next are gone, which aiokafka passes
over in silence, that is an error. Must never know what is read.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import structlog
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata

from transport.consumer import open_consumer
from transport.embedded import FETCH_WAIT_MS, correct_end_offsets
from transport.errors import UserError
from transport.kafka import Consumer, ConsumerRecord, TopicPartition

log = structlog.get_logger(__name__)


class RecordsGoneError(UserError):
    """Records that were to be read next are no longer in the topic: an operator decides how to go on."""


class MemoryLostError(UserError):
    """A group has read records, and what came of them is not remembered: only a rebuild gives right results again."""


async def check_unread(consumer: Consumer, partition: TopicPartition) -> None:
    """Raise MemoryLostError if the group of ``consumer`` has read any of ``partition``; nothing is remembered of it."""
    beginning = await _beginning(consumer, partition)
    committed = await consumer.committed(partition)
    if committed is not None and committed > beginning:
        raise MemoryLostError(
            f"{partition.topic}, partition {partition.partition}: {committed - beginning} records were read, but the "
            "topics that remember what came of them are empty. Rebuild from signals (docs/runbook.md)"
        )


async def seek_to_committed(consumer: Consumer, partition: TopicPartition) -> int:
    """Move ``consumer`` to the committed offset of ``partition``, or to its beginning; return that offset.

    The consumer would start there by itself. This way, what it has fetched since the assignment is fetched again.

    Raises:
        RecordsGoneError: the record at the committed offset is gone.
    """
    committed = await consumer.committed(partition)
    beginning = await _beginning(consumer, partition)
    offset = beginning if committed is None else committed
    if offset < beginning:
        raise _removed(partition, offset, beginning)
    consumer.seek(partition, offset)
    return offset


async def offset_to_resume(consumer: Consumer, partition: TopicPartition, offset: int | None, end: int) -> int:
    """Return where to resume ``partition``, if everything below ``offset`` has been read; None: nothing has been.

    ``end``: the end offset of the partition. The offset that the group of ``consumer`` has committed counts only if the
    record at ``offset`` is gone: then an operator has decided to resume there.

    Raises:
        RecordsGoneError: the record at ``offset`` is gone, or the topic ends before it.
    """
    beginning = await _beginning(consumer, partition)
    if offset is None:
        await check_unread(consumer, partition)
        return beginning
    if offset < beginning:
        committed = await consumer.committed(partition)
        if committed is None or committed < beginning:
            raise _removed(partition, offset, beginning)
        return committed
    if offset > end:
        raise _ends_before(partition, offset)
    return offset


async def check_next(consumer: Consumer, partition: TopicPartition, expected: int, found: int) -> None:
    """Make sure that the record at ``found`` may follow where the one at ``expected`` was to be read next.

    A log may have gaps (aborted transactions leave some), but none that the retention made.

    Raises:
        RecordsGoneError: records between the two are gone, or the topic was created again.
    """
    if found > expected and (beginning := await _beginning(consumer, partition)) > expected:
        raise _removed(partition, expected, beginning)
    if found < expected:
        raise _ends_before(partition, expected)


async def commit(consumer: Consumer, offsets: Mapping[TopicPartition, int]) -> bool:
    """Commit ``offsets``; return False if the partitions no longer belong to this consumer.

    Nothing is lost then: the worker that has a partition now reads it from its last commit.
    """
    try:
        await consumer.commit({partition: OffsetAndMetadata(offset, "") for partition, offset in offsets.items()})
    except (CommitFailedError, IllegalStateError) as error:
        log.info("offset commit skipped: the group is rebalancing", error=type(error).__name__)
        return False
    return True


async def end_offsets(kafka: Mapping[str, object], partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return, for each of ``partitions``, the offset that its next record will get.

    ``kafka``: connection options of aiokafka. A consumer of its own asks, since asking moves it.

    Raises:
        KafkaError: the broker cannot be reached.
    """
    if not partitions:
        return {}
    async with open_consumer(
        **kafka,
        group_id=None,
        enable_auto_commit=False,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        retry_backoff_ms=FETCH_WAIT_MS,  # it does not know the topic yet when it is first asked for its end
    ) as consumer:
        return await correct_end_offsets(consumer, await consumer.end_offsets(list(partitions)))


def locate(topic: str, partition: int, offset: int) -> str:
    """Return the place of a record and how to do without it, for a message to an operator."""
    place = f"the record is at offset {offset} of {topic}, partition {partition}"
    return f"{place}; to go on without it: hubbub skip {topic}:{partition}:{offset}"


@contextmanager
def located(record: ConsumerRecord[bytes, bytes]) -> Iterator[None]:
    """Add the place of ``record`` to whatever its handling raises."""
    try:
        yield
    except Exception as error:
        error.add_note(locate(record.topic, record.partition, record.offset))
        raise


async def _beginning(consumer: Consumer, partition: TopicPartition) -> int:
    return (await consumer.beginning_offsets([partition]))[partition]


def _ends_before(partition: TopicPartition, offset: int) -> RecordsGoneError:
    return RecordsGoneError(
        f"{partition.topic}, partition {partition.partition}: offset {offset} was to be read next, but the topic "
        "ends before it: it was deleted and created again. Rebuild from signals (docs/runbook.md)"
    )


def _removed(partition: TopicPartition, offset: int, beginning: int) -> RecordsGoneError:
    return RecordsGoneError(
        f"{partition.topic}, partition {partition.partition}: offset {offset} was to be read next, but the topic "
        f"begins at {beginning}: {beginning - offset} records were removed before they were read. Reset the "
        "group's offsets to go on without them (docs/runbook.md)"
    )
