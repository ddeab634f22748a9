"""Apache Kafka from deploy/kafka: brokers that crash, freeze and come back keep what was acknowledged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.cluster import Cluster, KafkaUnavailableError

pytestmark = [pytest.mark.broker, pytest.mark.slow]


async def test_three_brokers_keep_acknowledged_records_through_crash_and_freeze(tmp_path: Path) -> None:
    try:
        cluster = await asyncio.to_thread(Cluster(tmp_path, brokers=3).__enter__)
    except KafkaUnavailableError as error:
        pytest.skip(str(error))
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
        await admin.start()
        await admin.create_topics([NewTopic("t", 1, 3)])
        await admin.close()
        async with AIOKafkaProducer(
            bootstrap_servers=cluster.bootstrap_servers, request_timeout_ms=5000, enable_idempotence=True
        ) as producer:
            await producer.send_and_wait("t", b"0")
            cluster.kill(0)
            await producer.send_and_wait("t", b"1")
            await asyncio.to_thread(cluster.restart, 0)
            cluster.pause(1)
            await producer.send_and_wait("t", b"2")
            cluster.resume(1)
            await producer.send_and_wait("t", b"3")
        async with AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap_servers) as consumer:
            consumer.assign([TopicPartition("t", 0)])
            await consumer.seek_to_beginning()
            read = [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(4)]
    finally:
        await asyncio.to_thread(cluster.stop)
    assert read == [b"0", b"1", b"2", b"3"]
