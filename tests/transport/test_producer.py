"""What a producer still holds is delivered when its block ends, and not when the block fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from transport.fencing import LeaseLostError
from transport.offsets import end_offsets
from transport.producer import open_producer

if TYPE_CHECKING:
    from tests.conftest import Broker

HELD_MS = 1_000
"""Batches gather for so long."""


async def _write(kafka: Mapping[str, object], topic: str, failure: Exception | None = None) -> None:
    async with open_producer(kafka, linger_ms=HELD_MS) as producer:
        sent = await producer.send(topic, b"", partition=0)
        if failure is not None:
            sent.cancel()  # nobody waits for it
            raise failure


async def test_a_block_that_fails_sends_nothing_more(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    place = TopicPartition(broker.topic_prefix + "t", 0)
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    await admin.create_topics([NewTopic(place.topic, 1, 1)])
    await admin.close()
    with pytest.raises(LeaseLostError):
        await _write(kafka, place.topic, LeaseLostError())
    await _write(kafka, place.topic)
    assert await end_offsets(kafka, [place]) == {place: 1}
