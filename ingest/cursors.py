"""Cursors: the collectors' memory in the compacted topic ``cursors``.

Owns the record of that topic and how it is read back. Must never know what a cursor means to its collector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from ingest.batch import Cursor

__all__ = ["TOPIC", "CursorRecord", "load"]

TOPIC = "cursors"
READ_TIMEOUT_MS = 1_000
STOP_SECONDS = 3.0


class CursorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the topic ``cursors``, whose key is the collector's name. ``saved_ms``: when it was saved."""

    v: int = 1
    collector: str
    saved_ms: int
    cursor: msgspec.Raw


async def load(collector: str, *, kafka: Mapping[str, object], topic: str, timeout_seconds: float) -> Cursor | None:
    """Return the cursor that ``collector`` saved last, None if it never saved one.

    ``kafka``: connection options of aiokafka. ``topic``: one partition, compacted; it is read from its beginning to
    where it ended when this was called, so the answer is never older than a save that was acknowledged before.

    Raises:
        KafkaError: the topic cannot be read, or not in time.
        msgspec.ValidationError: the record is not a cursor; it is our own, so this is no time to go on.
    """
    consumer = AIOKafkaConsumer(**kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        async with asyncio.timeout(timeout_seconds):
            await consumer.start()
            value = await _last_value(consumer, TopicPartition(topic, 0), collector.encode())
    except TimeoutError as error:
        raise KafkaTimeoutError(f"topic {topic} could not be read within {timeout_seconds:g} s") from error
    except OSError as error:
        raise KafkaError(str(error)) from error
    finally:
        await _stop(consumer)
    if value is None:  # never saved, or buried by an operator with a tombstone
        return None
    return bytes(msgspec.json.decode(value, type=CursorRecord).cursor)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer`` in a task of its own: with its broker away, aiokafka 0.14 lets a cancellation escape.

    That would end our task as if somebody had cancelled it, and with it the collector, unseen.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=STOP_SECONDS)
    if stopping.cancelled() or not stopping.done():
        stopping.cancel()
        await consumer._client.close()
    else:
        stopping.result()


async def _last_value(consumer: AIOKafkaConsumer, partition: TopicPartition, key: bytes) -> bytes | None:
    begin = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    # No await between these two: aiokafka, looking for a place itself, keeps asking a broker that leads no longer.
    consumer.assign([partition])
    consumer.seek(partition, begin)
    value: bytes | None = None
    while await consumer.position(partition) < end:
        batches = await consumer.getmany(partition, timeout_ms=READ_TIMEOUT_MS)
        for record in batches.get(partition, []):
            if record.key == key:
                value = record.value
    return value
