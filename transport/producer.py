"""The producer that all stages write through: acknowledged by all replicas, in order, without duplicates.

Owns its options, and that a writer that failed sends nothing more.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from transport.embedded import start_producer
from transport.kafka import Producer
from transport.partitioning import partition_of
from transport.private import abandon

__all__ = ["MAX_RECORD_BYTES", "abandon", "abandoned_on_failure", "connect_producer", "open_producer"]

MAX_RECORD_BYTES = 2_097_152
"""Bounds a record. Larger than any signal may be, because a dead letter carries one in base64."""
STOP_SECONDS = 3.0
"""How long records that were sent may take to arrive when the producer is closed."""


async def connect_producer(kafka: Mapping[str, object], *, linger_ms: int = 2) -> Producer:
    """Return a started producer, which the caller stops or abandons.

    ``kafka``: connection options of aiokafka. ``linger_ms``: how long a batch gathers records.

    Raises:
        BrokerAwayError: no broker answers.
    """
    return await start_producer(
        lambda idempotent: Producer(
            **kafka,
            enable_idempotence=idempotent,
            acks="all",
            linger_ms=linger_ms,
            max_batch_size=262_144,
            max_request_size=MAX_RECORD_BYTES,
            compression_type="zstd",
            partitioner=_partition,
        )
    )


def _partition(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
    """Choose as aiokafka does, but hash a key that comes again once: its hash takes longer than a signal's check."""
    if key is None:
        return random.choice(available or partitions)
    return partitions[partition_of(key, len(partitions))]


@asynccontextmanager
async def open_producer(kafka: Mapping[str, object], *, linger_ms: int = 2) -> AsyncIterator[Producer]:
    """Yield a producer as :func:`connect_producer` returns it.

    Records that were sent are still delivered when the block ends, but not if it fails.

    Raises:
        BrokerAwayError: no broker answers.
    """
    producer = await connect_producer(kafka, linger_ms=linger_ms)
    try:
        async with abandoned_on_failure(producer):
            yield producer
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()


@asynccontextmanager
async def abandoned_on_failure(producer: Producer) -> AsyncIterator[None]:
    """Make sure that ``producer`` sends nothing more, whatever it holds, once the block has failed.

    A worker that has lost its right to write must not write by a producer that flushes its buffers when it is closed.
    """
    try:
        yield
    except BaseException:
        await abandon(producer)
        raise
