"""Where a member of a group begins to read, and how it says how far it has come.

Owns what aiokafka leaves to its caller: when a group forms anew, to begin at the committed offset whatever was fetched
before, and to bear that a commit comes too late; and to notice when the records that were to be read next are gone,
over which it would pass in silence. Must never know what is read.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata

__all__ = ["RecordsGoneError", "begin", "commit", "place_of", "read_on_from", "reads_on"]

log = structlog.get_logger(__name__)


class RecordsGoneError(RuntimeError):
    """Records that were to be read next are no longer there: an operator has to say what is to become of it."""


async def begin(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
    """Put ``consumer`` at the committed offset of ``partition``, or at its beginning, and return that offset.

    It would go there by itself; but what it has fetched since the partition became its own is fetched again this way.

    Raises:
        RecordsGoneError: the record at the committed offset is gone.
    """
    committed: int | None = await consumer.committed(partition)
    if committed is not None:
        await _check_begins_by(consumer, partition, committed)
        consumer.seek(partition, committed)
        return committed
    beginning: int = (await consumer.beginning_offsets([partition]))[partition]
    consumer.seek(partition, beginning)
    return beginning


async def read_on_from(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int | None, end: int) -> int:
    """Return where to read on in ``partition``, of which everything below ``offset`` is known; None: nothing is.

    ``end``: of the partition. The offset that the group of ``consumer`` has committed counts only if the record at
    ``offset`` is gone: then an operator has said to go on from there.

    Raises:
        RecordsGoneError: the record at ``offset`` is gone, or the topic ends before it.
    """
    beginning: int = (await consumer.beginning_offsets([partition]))[partition]
    if offset is None:
        return beginning
    if offset < beginning:
        committed: int | None = await consumer.committed(partition)
        if committed is None or committed < beginning:
            raise _gone(partition, offset, beginning)
        return committed
    if offset > end:
        raise _made_anew(partition, offset)
    return offset


async def reads_on(consumer: AIOKafkaConsumer, partition: TopicPartition, expected: int, found: int) -> None:
    """Make sure that the record at ``found`` may follow, where the one at ``expected`` was to be read next.

    Offsets may be left out in a log (those of transactions are); but not because of the retention.

    Raises:
        RecordsGoneError: records between the two are gone, or the topic was made anew.
    """
    if found > expected:
        await _check_begins_by(consumer, partition, expected)
    if found < expected:
        raise _made_anew(partition, expected)


async def _check_begins_by(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
    beginning = (await consumer.beginning_offsets([partition]))[partition]
    if beginning > offset:
        raise _gone(partition, offset, beginning)


def _made_anew(partition: TopicPartition, offset: int) -> RecordsGoneError:
    return RecordsGoneError(
        f"{partition.topic}, partition {partition.partition}: offset {offset} was to be read next, but the topic "
        "ends before it: it was made anew. Reset the group's offsets if that is meant (docs/runbook.md)"
    )


def _gone(partition: TopicPartition, offset: int, beginning: int) -> RecordsGoneError:
    return RecordsGoneError(
        f"{partition.topic}, partition {partition.partition}: offset {offset} was to be read next, but the topic "
        f"begins at {beginning}: {beginning - offset} records were removed before they were read. Reset the "
        "group's offsets to go on without them (docs/runbook.md)"
    )


async def commit(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> bool:
    """Commit ``offsets``; return False if the partitions are no longer this consumer's.

    Nothing is lost then: whoever has a partition now reads on from its last commit.
    """
    try:
        await consumer.commit({partition: OffsetAndMetadata(offset, "") for partition, offset in offsets.items()})
    except (CommitFailedError, IllegalStateError) as error:
        log.info("offsets not committed; the group forms anew", error=type(error).__name__)
        return False
    return True


def place_of(record: ConsumerRecord[bytes, bytes]) -> str:
    """Say where ``record`` is, for whoever has to look for it."""
    return f"the record is at offset {record.offset} of {record.topic}, partition {record.partition}"
