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

__all__ = ["MAX_RECORD_BYTES", "open_producer"]

MAX_RECORD_BYTES = 2_097_152
"""Larger than any signal may be, since a dead letter carries one in base64."""
STOP_SECONDS = 3.0
"""How long what was sent may take to arrive once nobody waits for it any more."""


@asynccontextmanager
async def open_producer(kafka: Mapping[str, object], *, linger_ms: int = 2) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer. ``kafka``: aiokafka's connection options; ``linger_ms``: how long batches gather.

    Raises:
        aiokafka.errors.KafkaConnectionError: no broker answers.
    """
    producer = await _start(kafka, linger_ms, idempotent=True)
    try:
        yield producer
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()


async def _start(kafka: Mapping[str, object], linger_ms: int, *, idempotent: bool) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        **kafka,
        enable_idempotence=idempotent,
        acks="all",
        linger_ms=linger_ms,
        max_batch_size=262_144,
        max_request_size=MAX_RECORD_BYTES,
        compression_type="lz4",
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
