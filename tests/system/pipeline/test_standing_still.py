"""A role that cannot continue ends with its reason. One that stood still does not continue as if it had not."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from hubbub.operate import topic_setup
from hubbub.operate.replay import wait_until_scored
from hubbub.process.exit_reason import FAILED, TRY_AGAIN
from streams.records import encode
from streams.records.progress import ScoreProgress
from streams.score.changelog import TOPIC
from tests.conftest import Broker
from transport.errors import UserError
from transport.fencing import SESSION_SHARE, Lease, LeaseLostError
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

pytestmark = pytest.mark.slow

AS_IT_IS = "import runpy, sys; sys.argv = ['hubbub', 'score']; runpy.run_module('hubbub', run_name='__main__')"
TAKES_NOTHING = f"""
import asyncio, functools
from streams.score import faust_input, processor

async def _agent(self, stream):
    await asyncio.Event().wait()

faust_input.FaustInput._agent = _agent
processor.Watchdog = functools.partial(processor.Watchdog, limit_seconds=8.0)
{AS_IT_IS}
"""


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


@pytest.mark.parametrize(
    ("program", "topic", "key", "why", "code"),
    [
        pytest.param(AS_IT_IS, TOPIC, b"offset", b"CorruptOffsetError", FAILED, id="the changelog cannot be read"),
        pytest.param(
            TAKES_NOTHING, "story-activity", b"a story", b"1 records wait for score", TRY_AGAIN, id="Faust hangs"
        ),
    ],
)
async def test_a_role_that_cannot_continue_ends_with_its_reason(
    broker: Broker, tmp_path: Path, *, program: str, topic: str, key: bytes, why: bytes, code: int
) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topic_setup.create(kafka, broker.topic_prefix, 1, 1)
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(name(topic, broker.topic_prefix), b"from here", key, 0)
    environment = {
        **os.environ,
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": broker.topic_prefix,
        "HUBBUB_METRICS_PORT": "0",
    }
    role = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            _, said = await role.communicate()
    finally:
        if role.returncode is None:
            role.kill()
            await role.wait()
    assert role.returncode == code
    assert why in said
    assert is_empty(tmp_path), "nothing is kept on this machine"


async def test_a_producer_whose_process_stood_still_sends_nothing_late(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topic_setup.create(kafka, broker.topic_prefix, 1, 1)
    guarded, free = name("stories", broker.topic_prefix), name("progress", broker.topic_prefix)
    session_seconds = 0.8
    async with open_producer(kafka, linger_ms=100) as producer:
        await producer.send_and_wait(guarded, b"before", b"key", 0)
        lease = Lease(session_seconds)
        lease.guard(producer, {guarded})
        lease.renew(time.monotonic())
        await producer.send_and_wait(guarded, b"in time", b"key", 0)
        held = await producer.send(guarded, b"late", b"key", 0)
        time.sleep(SESSION_SHARE * session_seconds)  # noqa: ASYNC251 (as with SIGSTOP, the event loop stands still too)
        with pytest.raises(LeaseLostError):
            await held
        await producer.send_and_wait(free, b"after", b"key", 0)
    async with TopicReader(guarded, kafka) as tail:
        assert [record.value for record in await tail.read_to_end()] == [b"before", b"in time"]


async def test_waiting_for_a_replay_ends_when_a_partition_makes_no_progress_though_all_report(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topic_setup.create(kafka, broker.topic_prefix, 2, 1)

    async def repeat() -> None:
        topic = name("progress", broker.topic_prefix)
        async with open_producer(kafka) as producer:
            while True:
                for part, settled in enumerate(("replay", "")):
                    report = encode(ScoreProgress(str(part), 1_000, time.time_ns() // 1_000_000, settled=settled))
                    await producer.send_and_wait(topic, report, f"score/{part}".encode(), 0)
                await asyncio.sleep(0.1)

    repeating = asyncio.create_task(repeat())
    try:
        async with asyncio.timeout(30):
            with pytest.raises(UserError, match="scores have not moved for 2 s"):
                await wait_until_scored("replay", kafka=kafka, prefix=broker.topic_prefix, idle_timeout_seconds=2.0)
    finally:
        repeating.cancel()
        await asyncio.gather(repeating, return_exceptions=True)
