"""Cursors: the collectors' memory in the compacted topic ``cursors``.

Owns the record of that topic and how it is read back. Must never know what a cursor means to its collector.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ingest.batch import Cursor

__all__ = ["TOPIC", "CursorRecord", "load"]

TOPIC = "cursors"
READ_TIMEOUT_MS = 1_000


class CursorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the topic ``cursors``, whose key is the collector's name. ``saved_ms``: when it was saved."""

    v: int = 1
    collector: str
    saved_ms: int
    cursor: msgspec.Raw


async def load(collector: str, *, kafka: Mapping[str, object], topic: str) -> Cursor | None:
    """Return the cursor that ``collector`` saved last, None if it never saved one.

    ``kafka``: connection options of aiokafka. ``topic``: one partition, compacted; it is read from its beginning to
    where it ended when this was called, so the answer is never older than a save that was acknowledged before.

    Raises:
        KafkaError: the broker cannot be reached, or the topic cannot be read.
        msgspec.ValidationError: the record is not a cursor; it is our own, so this is no time to go on.
    """
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(**kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    value: bytes | None = None
    try:
        await consumer.start()
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        await consumer.seek_to_beginning(partition)
        while await consumer.position(partition) < end:
            batches = await consumer.getmany(partition, timeout_ms=READ_TIMEOUT_MS)
            for record in batches.get(partition, []):
                if record.key == collector.encode():
                    value = record.value
    except OSError as error:
        raise KafkaError(str(error)) from error
    finally:
        await consumer.stop()
    if not value:  # never saved, or buried by an operator with a tombstone
        return None
    return bytes(msgspec.json.decode(value, type=CursorRecord).cursor)
