"""A consumer is closed without an error, whatever state its broker is in."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.conftest import Broker
from tests.eventually import eventually
from tests.ingest.kafka_proxy import KafkaProxy
from transport.consumer import open_consumer
from transport.kafka import TopicPartition


async def test_closing_while_the_broker_is_away_does_not_cancel_the_task_that_closes(
    broker: Broker, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with KafkaProxy(broker.bootstrap_servers) as proxy:
        kafka = {
            "bootstrap_servers": proxy.bootstrap_servers,
            "auto_offset_reset": "earliest",
            "retry_backoff_ms": 3_000,
        }
        with caplog.at_level(logging.ERROR, logger="aiokafka"):
            async with asyncio.timeout(10), open_consumer(**kafka) as consumer:
                place = TopicPartition(topic, 0)
                consumer.assign([place])
                assert await consumer.position(place) == 0
                proxy.open = False
                proxy.cut()
                # Now it waits before it tries again.
                await eventually(lambda: "Failed fetch messages" in caplog.text)
