"""Consumers of Kafka that begin where they are told and close as they should.

Owns the way into and out of aiokafka's consumer. Must never know what is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

__all__ = ["HEARTBEATS", "begin_at", "close", "open_consumer"]

HEARTBEATS = 20
"""Heartbeats in a session. With the next one each member learns that its group forms anew; until all have, nobody who
joins gets anything to do."""
CLOSE_SECONDS = 3.0
"""How long a broker may take to answer a goodbye."""


@asynccontextmanager
async def open_consumer(**options: object) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer that has been started. ``options``: aiokafka's.

    Raises:
        aiokafka.errors.KafkaConnectionError: no broker answers.
    """
    consumer = AIOKafkaConsumer(**options)
    try:
        await consumer.start()
        yield consumer
    finally:
        await close(consumer)


def begin_at(consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int]) -> None:
    """Have ``consumer`` read these partitions, each from its offset.

    Left to look for a place itself, aiokafka 0.14 keeps asking the broker it takes for the leader, which it may be no
    longer; so there is no await between the assignment and the offsets.
    """
    consumer.assign(list(places))
    for place, offset in places.items():
        consumer.seek(place, offset)


async def close(consumer: AIOKafkaConsumer) -> None:
    """Close ``consumer``, also when its broker is away.

    aiokafka 0.14 then lets the cancellation of its own fetch escape from ``stop``, which would end our task as if
    somebody had cancelled it, and leaves its connections open.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if stopping.cancelled() or not stopping.done():
        stopping.cancel()
        await consumer._client.close()  # a second ``stop`` does nothing
    else:
        stopping.result()
