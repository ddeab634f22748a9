"""Consumers: how they are created, where they start, how they are closed.

Owns the way into and out of aiokafka's consumer. Must never know what is read.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from transport.kafka import Consumer, TopicPartition
from transport.private import client_of

HEARTBEATS = 20
"""Heartbeats per session. A member learns of a rebalance with its next heartbeat, and no member gets partitions before
all have learnt of it."""
CLOSE_SECONDS = 3.0
"""How long closing may wait for the broker."""


def group_consumer(kafka: Mapping[str, object], group: str, session_seconds: float) -> Consumer:
    """Return a consumer of ``group`` that has not been started. It commits nothing by itself.

    ``kafka``: connection options of aiokafka. ``session_seconds``: the silence after which the group drops a member.
    """
    session_ms = int(session_seconds * 1000)
    return Consumer(
        **kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // HEARTBEATS,
        rebalance_timeout_ms=session_ms,
    )


@asynccontextmanager
async def open_consumer(**options: object) -> AsyncIterator[Consumer]:
    """Yield a consumer that has been started. ``options``: those of aiokafka.

    Raises:
        BrokerAwayError: no broker answers.
    """
    consumer = Consumer(**options)
    try:
        await consumer.start()
        yield consumer
    finally:
        await close(consumer)


def start_at(consumer: Consumer, offsets: Mapping[TopicPartition, int]) -> None:
    """Make ``consumer`` read these partitions, each from its offset.

    There must be no await between the assignment and the offsets. In one, aiokafka 0.14 would look for a position
    itself, and keep asking a broker that may no longer be the leader.
    """
    consumer.assign(list(offsets))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)


async def close(consumer: Consumer) -> None:
    """Close ``consumer``, also when its broker is away.

    In that case ``stop`` of aiokafka 0.14 leaves connections open and leaks the cancellation of its own fetch. That
    would end our task as if it had been cancelled.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if stopping.cancelled() or not stopping.done():
        stopping.cancel()
        await client_of(consumer).close()  # `stop` does nothing a second time
    else:
        stopping.result()
