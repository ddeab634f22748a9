"""What the tests of the Kafka floor need of a broker: an admin client, and a topic of one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.conftest import Broker
from tests.visible_topics import create_topics


@pytest.fixture
def kafka(broker: Broker) -> dict[str, object]:
    """Return the connection options of aiokafka."""
    return {"bootstrap_servers": broker.bootstrap_servers}


@pytest_asyncio.fixture
async def admin(broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    """Return an admin client."""
    client = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await client.start()
    yield client
    await client.close()


@pytest_asyncio.fixture
async def topic(broker: Broker, admin: AIOKafkaAdminClient) -> str:
    """Return a topic of two partitions that this test alone uses."""
    name = f"{broker.topic_prefix}t"
    await create_topics(admin, [NewTopic(name, 2, 1)])
    return name
