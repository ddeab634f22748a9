"""The role ``score`` when it cannot take over its first partitions: it ends and says why; it does not stand still."""

from __future__ import annotations

import asyncio
import os
import sys

from hubbub import topics
from streams.producer import open_producer
from streams.score.changelog import TOPIC
from streams.topics import name
from tests.conftest import Broker


async def test_a_changelog_that_cannot_be_read_ends_the_role_at_its_start(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topics.create(kafka, broker.topic_prefix, 1, 1)
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(name(TOPIC, broker.topic_prefix), b"from here", b"offset", 0)
    environment = {
        **os.environ,
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": broker.topic_prefix,
        "HUBBUB_METRICS_PORT": "0",
    }
    role = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hubbub", "score", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            _, said = await role.communicate()
    finally:
        if role.returncode is None:
            role.kill()
            await role.wait()
    assert role.returncode == 1
    assert b"CorruptOffsetError" in said
