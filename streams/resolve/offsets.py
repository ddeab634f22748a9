"""Where a member of a group begins to read, and how it says how far it has come.

Owns what aiokafka leaves to its caller when a group forms anew: to begin at the committed offset whatever was fetched
before, and to bear that a commit comes too late. Must never know what is read.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata

__all__ = ["begin", "commit"]

log = structlog.get_logger(__name__)


async def begin(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
    """Put ``consumer`` at the committed offset of ``partition``, or at its beginning, and return that offset.

    It would go there by itself; but what it has fetched since the partition became its own is fetched again this way.
    """
    committed: int | None = await consumer.committed(partition)
    if committed is not None:
        consumer.seek(partition, committed)
        return committed
    await consumer.seek_to_beginning(partition)
    beginning: int = await consumer.position(partition)
    return beginning


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
