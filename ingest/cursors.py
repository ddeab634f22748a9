"""Cursors: the collectors' memory in the compacted topic ``cursors``.

Owns the record of that topic and how it is read back. Must never know what a cursor means to its collector.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from ingest.batch import Cursor
from transport.kafka import BrokerTimeoutError, KafkaError
from transport.reader import TopicChangedError, TopicMissingError, TopicReader

TOPIC = "cursors"


class CursorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the topic ``cursors``, whose key is the collector's name. ``saved_ms``: when it was saved."""

    v: int = 1
    collector: str
    saved_ms: int
    cursor: msgspec.Raw


async def load(collector: str, *, kafka: Mapping[str, object], topic: str, timeout_seconds: float) -> Cursor | None:
    """Return the cursor that ``collector`` saved last, None if it never saved one.

    ``kafka``: connection options of aiokafka. ``topic``: one partition, compacted. It is read up to the end offset at
    the time of the call, so the answer includes every save that was acknowledged before.

    Raises:
        KafkaError: the topic cannot be read, or not in time.
        msgspec.ValidationError: the record is not a cursor; it is our own, so the collector must not go on.
    """
    value: bytes | None = None
    try:
        async with asyncio.timeout(timeout_seconds), TopicReader(topic, kafka, [0]) as reader:
            async for record in reader.until_end():
                if record.key == collector.encode():
                    value = record.value
    except TimeoutError as error:
        raise BrokerTimeoutError(f"topic {topic} could not be read within {timeout_seconds:g} s") from error
    except (OSError, TopicChangedError, TopicMissingError) as error:
        raise KafkaError(str(error)) from error
    if value is None:  # never saved, or deleted by an operator with a tombstone
        return None
    return bytes(msgspec.json.decode(value, type=CursorRecord).cursor)
