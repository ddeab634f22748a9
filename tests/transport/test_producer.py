"""A producer delivers what it holds when its block ends, and drops it when the block fails."""

from __future__ import annotations

import pytest

from transport.fencing import LeaseLostError
from transport.kafka import TopicPartition
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
