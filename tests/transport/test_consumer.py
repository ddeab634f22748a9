"""A consumer is closed in peace, whatever state its broker is in."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.ingest.kafka_proxy import KafkaProxy
from transport.consumer import open_consumer

if TYPE_CHECKING:
    from tests.conftest import Broker


async def test_closing_is_not_taken_for_being_cancelled(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    place = TopicPartition(broker.topic_prefix + "t", 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(place.topic, 1, 1)])
    await admin.close()
    async with KafkaProxy(broker.bootstrap_servers) as proxy:
        kafka = {
            "bootstrap_servers": proxy.bootstrap_servers,
            "auto_offset_reset": "earliest",
            "retry_backoff_ms": 3_000,
        }
        with caplog.at_level(logging.ERROR, logger="aiokafka"):
            async with asyncio.timeout(10), open_consumer(**kafka) as consumer:
                consumer.assign([place])
                assert await consumer.position(place) == 0
                proxy.open = False
                proxy.cut()
                while "Failed fetch messages" not in caplog.text:  # now it waits before it tries again
                    await asyncio.sleep(0.01)
