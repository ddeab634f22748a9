"""The producer all stages write through: acknowledged by all replicas, in order, without duplicates.

Owns its options, and the way out on a broker that gives out no producer ids (the embedded one): there a plain producer
serves, since everything downstream takes a record written twice as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownError

__all__ = ["MAX_RECORD_BYTES", "abandoned_on_failure", "open_producer"]

MAX_RECORD_BYTES = 2_097_152
"""Larger than any signal may be, since a dead letter carries one in base64."""
STOP_SECONDS = 3.0
"""How long what was sent may take to arrive once nobody waits for it any more."""


@asynccontextmanager
async def open_producer(kafka: Mapping[str, object], *, linger_ms: int = 2) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer. ``kafka``: aiokafka's connection options; ``linger_ms``: how long batches gather.

    What was sent is still delivered when the block ends, but not if it fails.

    Raises:
        aiokafka.errors.KafkaConnectionError: no broker answers.
    """
    producer = await _start(kafka, linger_ms, idempotent=True)
    try:
        async with abandoned_on_failure(producer):
            yield producer
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()


@asynccontextmanager
async def abandoned_on_failure(producer: AIOKafkaProducer) -> AsyncIterator[None]:
    """See to it that ``producer`` sends nothing any more, whatever it holds, once the block has failed.

    Whoever may write no longer must not do so by a producer that empties its buffers on the way out.
    """
    try:
        yield
    except BaseException:
        producer._closed = True
        producer._sender.sender_task.cancel()
        await producer.client.close()
        raise


async def _start(kafka: Mapping[str, object], linger_ms: int, *, idempotent: bool) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        **kafka,
        enable_idempotence=idempotent,
        acks="all",
        linger_ms=linger_ms,
        max_batch_size=262_144,
        max_request_size=MAX_RECORD_BYTES,
        compression_type="zstd",
    )
    # A broker that gives out no producer ids is no error to us, so aiokafka need not log it as one.
    sender_log = logging.getLogger("aiokafka.producer.sender")
    sender_log.disabled = idempotent
    try:
        await producer.start()
    except BaseException as error:
        with contextlib.suppress(Exception):
            await producer.stop()
        if idempotent and isinstance(error, UnknownError):
            return await _start(kafka, linger_ms, idempotent=False)
        raise
    finally:
        sender_log.disabled = False
    return producer
