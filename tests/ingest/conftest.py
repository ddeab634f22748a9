"""Fixtures of the collectors' tests that need a broker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Broker
from tests.ingest.kafka_proxy import KafkaProxy
from tests.ingest.topics import Place


@pytest.fixture
async def place(broker: Broker) -> Place:
    """Return empty topics on a broker."""
    found = Place(broker.bootstrap_servers, broker.topic_prefix)
    await found.create_topics()
    return found


@pytest.fixture
async def proxy(broker: Broker) -> AsyncIterator[KafkaProxy]:
    """Run a proxy in front of the broker of ``place``."""
    async with KafkaProxy(broker.bootstrap_servers) as running:
        yield running
