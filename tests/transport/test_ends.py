"""The end of a log is where the next record goes, also after a batch of many and where nothing was ever written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from transport.offsets import end_offsets

if TYPE_CHECKING:
    from tests.conftest import Broker


async def test_ends_are_right_after_batches_of_many_and_in_empty_partitions(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    topic = broker.topic_prefix + "t"
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 3, 1)])
    await admin.close()
    empty, one, many = (TopicPartition(topic, partition) for partition in range(3))
    async with AIOKafkaProducer(**kafka, linger_ms=50) as producer:
        await producer.send_and_wait(topic, b"", partition=one.partition)
        for _ in range(2):
            acks = [await producer.send(topic, b"", partition=many.partition) for _ in range(100)]
            await asyncio.gather(*acks)

    async with asyncio.timeout(10):
        assert await end_offsets(kafka, [empty, one, many]) == {empty: 0, one: 1, many: 200}
        assert await end_offsets(kafka, []) == {}
