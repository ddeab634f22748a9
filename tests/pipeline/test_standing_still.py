"""The role ``score`` when it cannot go on: it ends and says why; it does not stand still."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from hubbub import topics
from streams.producer import open_producer
from streams.score.changelog import TOPIC
from streams.topics import name
from tests.conftest import Broker

AS_IT_IS = "import runpy, sys; sys.argv = ['hubbub', 'score']; runpy.run_module('hubbub', run_name='__main__')"
TAKES_NOTHING = f"""
import asyncio, functools
from streams.score import app

async def _agent(self, stream):
    await asyncio.Event().wait()

app.Scorer._agent = _agent
app.Watchdog = functools.partial(app.Watchdog, limit_seconds=8.0)
{AS_IT_IS}
"""


@pytest.mark.parametrize(
    ("program", "topic", "key", "why"),
    [
        pytest.param(AS_IT_IS, TOPIC, b"offset", b"CorruptOffsetError", id="the changelog cannot be read"),
        pytest.param(TAKES_NOTHING, "story-activity", b"a story", b"1 records wait for score", id="Faust hangs"),
    ],
)
async def test_it_ends_and_says_why(broker: Broker, program: str, topic: str, key: bytes, why: bytes) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topics.create(kafka, broker.topic_prefix, 1, 1)
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(name(topic, broker.topic_prefix), b"from here", key, 0)
    environment = {
        **os.environ,
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": broker.topic_prefix,
        "HUBBUB_METRICS_PORT": "0",
    }
    role = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            _, said = await role.communicate()
    finally:
        if role.returncode is None:
            role.kill()
            await role.wait()
    assert role.returncode == 1
    assert why in said
