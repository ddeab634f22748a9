"""A producer delivers what it holds when its block ends, and drops it when the block fails."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

import pytest
from aiokafka.errors import UnknownError

from transport.embedded import start_producer
from transport.fencing import LeaseLostError
from transport.kafka import Producer, TopicPartition
from transport.offsets import end_offsets
from transport.producer import open_producer

LINGER_MS = 1_000


async def _write(kafka: dict[str, object], topic: str, failure: Exception | None = None) -> None:
    async with open_producer(kafka, linger_ms=LINGER_MS) as producer:
        sent = await producer.send(topic, b"", partition=0)
        if failure is not None:
            sent.cancel()  # no task waits for it
            raise failure


async def test_a_block_that_fails_sends_nothing_more(kafka: dict[str, object], topic: str) -> None:
    place = TopicPartition(topic, 0)
    with pytest.raises(LeaseLostError):
        await _write(kafka, topic, LeaseLostError())
    await _write(kafka, topic)
    assert await end_offsets(kafka, [place]) == {place: 1}


async def test_a_refused_producer_id_is_no_error_in_the_log_while_others_ask_too() -> None:
    """The embedded broker refuses it, and aiokafka logs that as an error."""
    log, others_ask = logging.getLogger("aiokafka.producer.sender"), asyncio.Event()
    slow = asyncio.create_task(start_producer(lambda asks: cast("Producer", Refused(others_ask if asks else None))))
    await asyncio.sleep(0)
    await start_producer(lambda _: cast("Producer", Refused(None)))
    assert log.disabled
    others_ask.set()
    await slow
    assert not log.disabled


class Refused:
    """Starts at once; or it is refused when ``until`` is set."""

    def __init__(self, until: asyncio.Event | None) -> None:
        self.until = until

    async def start(self) -> None:
        if self.until is not None:
            await self.until.wait()
            raise UnknownError
