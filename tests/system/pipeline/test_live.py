"""Live, as real processes on a real broker: a score that moves is out within a second of what moved it."""

from __future__ import annotations

import asyncio
import time
from statistics import median

import msgspec
import pytest

from hubbub.process.embedded_broker import EmbeddedBroker
from ingest.signal import Counts, Signal, encode, key
from streams.records.noise_score import decode_score
from tests.conftest import Broker
from tests.system.pipeline.house import house
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
LOOKS = 9


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_a_score_that_moves_is_told_within_a_second(embedded_broker: EmbeddedBroker) -> None:
    post = Signal(
        id="reddit:t3_live",
        kind="post",
        platform="reddit",
        thread="reddit:t3_live",
        title="Ferry company cancels every crossing",
        created_ms=now_ms(),
        observed_ms=now_ms(),
    )
    took: list[float] = []
    async with (
        house(Broker("embedded", embedded_broker.bootstrap_servers, "live-")) as it,
        open_producer(it.options) as producer,
        TopicReader(name("noise-scores", it.kafka.topic_prefix), it.options) as tail,
    ):
        noise = -1.0
        for look in range(LOOKS):
            seen = msgspec.structs.replace(post, counts=Counts(likes=4**look), observed_ms=now_ms())
            began = time.monotonic()
            await producer.send_and_wait(name("signals", it.kafka.topic_prefix), encode(seen), key(seen))
            async with asyncio.timeout(30):
                told = noise
                while told <= noise:
                    for record in await tail.poll(50):
                        told = decode_score(record.key, record.value or b"").noise
            took.append(time.monotonic() - began)
            noise = told
    # The first waits for the stages to hear of each other; one that the machine had no time for says nothing of us.
    assert median(took[1:]) < 1.0, took
