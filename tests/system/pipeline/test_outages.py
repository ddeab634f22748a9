"""``hubbub up`` while its broker is frozen, killed, or lost with all its records: it recovers, and says little."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.cluster import Cluster, KafkaUnavailableError
from hubbub.process.embedded_broker import EmbeddedBroker, free_port
from streams.serve.read import read_scores
from tests.conftest import Broker
from tests.eventually import eventually
from tests.system.pipeline.house import house, write_recording
from tests.system.pipeline.hubbub_up import Up, up
from tests.system.pipeline.recording import make

pytestmark = [pytest.mark.broker, pytest.mark.slow]

SPAN_SECONDS = 36_000
"""Event time in the recording."""
OUTAGE_SECONDS = 12
"""Longer than a session, a lease and four starts in a row; real time is what an outage is made of."""
AWAY_SECONDS = 9
"""Within it every role notices that its broker is away: ``serve`` asks every 3 s, and gives it 5 s to answer."""
MAX_LINES = 60
"""An outage may cost a few lines for each role and each kind of message, not thousands."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "r.ndjson", make(3))


async def scored_through(it: Up, recording: Path, end: Callable[[], object], begin: Callable[[], object]) -> None:
    """Publish ``recording`` all through an outage, and expect all of it to be scored, with few lines."""
    stories = await it.score(recording)
    before = len(it.lines)
    publishing = asyncio.create_task(it.score(recording, speed=SPAN_SECONDS / (2 * OUTAGE_SECONDS)))
    await asyncio.sleep(OUTAGE_SECONDS / 2)
    await asyncio.to_thread(end)
    await asyncio.sleep(OUTAGE_SECONDS)
    await asyncio.to_thread(begin)
    assert await publishing == stories
    assert it.process.returncode is None
    assert len(it.lines) - before < MAX_LINES, it.lines


async def test_a_frozen_broker_is_waited_for(recording: Path) -> None:
    async with EmbeddedBroker() as broker, up(broker.bootstrap_servers) as it:
        pid = broker.pid
        await scored_through(it, recording, lambda: os.kill(pid, signal.SIGSTOP), lambda: os.kill(pid, signal.SIGCONT))


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_kafka_that_is_away_is_waited_for(fault: str, recording: Path, tmp_path: Path) -> None:
    try:
        with Cluster(tmp_path / "kafka") as cluster:
            async with up(cluster.bootstrap_servers) as it:
                end, begin = (cluster.kill, cluster.restart) if fault == "kill" else (cluster.pause, cluster.resume)
                await scored_through(it, recording, end, begin)
    except KafkaUnavailableError as error:
        pytest.skip(str(error))


async def test_an_embedded_broker_that_dies_is_reported_and_started_again_empty(recording: Path) -> None:
    async with up(f"127.0.0.1:{free_port()}") as it:
        stories = await it.score(recording)
        os.kill(broker_below(it.process.pid), signal.SIGKILL)
        await it.wait_for("the embedded broker ended (exit code -9); all records it held are lost")
        await it.wait_for("ready; the page is at", times=2)
        assert await read_scores(it.options, "") == {}
        assert await it.score(recording) == stories
        assert it.process.returncode is None
        assert not any("Traceback" in line or json_exception(line) for line in it.lines), it.lines


async def test_no_role_is_ready_while_the_broker_is_away() -> None:
    """Seconds after the broker is gone no role is ready, and none says otherwise meanwhile."""
    async with (
        EmbeddedBroker() as broker,
        house(Broker("embedded", broker.bootstrap_servers, "ready-"), roles=("resolve", "score", "serve")) as it,
    ):
        await eventually(it.ready, 60, until=lambda ready: len(ready) == 3)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await eventually(it.ready, AWAY_SECONDS, until=lambda ready: not ready)
            totals = [await it.metrics(role) for role in ("resolve", "score", "serve")]
            for lag, found in zip(("lag_records", "lag_records", "serve_behind_records"), totals, strict=True):
                assert math.isnan(found.get(f"hubbub_{lag}", math.nan))  # absent: it has no partition
            for _ in range(10):
                await asyncio.sleep(0.2)
                assert await it.ready() == set()
        finally:
            os.kill(broker.pid, signal.SIGCONT)


def broker_below(pid: int) -> int:
    """Return the process id of the embedded broker that the process ``pid`` started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    (broker,) = (child for child in children if b"memory://tansu/" in Path(f"/proc/{child}/cmdline").read_bytes())
    return int(broker)


def json_exception(line: str) -> bool:
    return line.startswith("{") and "exception" in json.loads(line)
