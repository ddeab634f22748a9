"""Live, as real processes on a real broker: a score is emitted within a second of the signal that moves it."""

from __future__ import annotations

import asyncio
import time

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

pytestmark = [pytest.mark.broker, pytest.mark.slow]
OBSERVATIONS = 13


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_a_score_is_emitted_within_a_second_of_the_signal_that_moves_it(embedded_broker: EmbeddedBroker) -> None:
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
        for number in range(OBSERVATIONS):
            seen = msgspec.structs.replace(post, counts=Counts(likes=3**number), observed_ms=now_ms())
            began = time.monotonic()
            await producer.send_and_wait(name("signals", it.kafka.topic_prefix), encode(seen), key(seen))
            async with asyncio.timeout(120):
                emitted = noise
                while emitted <= noise:
                    for record in await tail.poll(50):
                        emitted = decode_score(record.key, record.value or b"").noise
            took.append(time.monotonic() - began)
            noise = emitted
    # Real time is the subject. The first waits until the stages know each other. A busy machine delays some of the
    # others, while a time-out on the way would delay each of them.
    assert min(took[1:]) < 1.0, took
