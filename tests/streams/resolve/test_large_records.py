"""Records of any size in ``signals``: resolve goes on, and a dead letter describes each."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pytest

from ingest.signal import encode, key
from streams.resolve.config import ResolveConfig
from streams.resolve.matching.beats import load_beat
from streams.resolve.worker import Resolver
from tests.conftest import Broker
from tests.eventually import eventually
from tests.streams.examples.signals import START_MS, root
from transport.admin import create_topics
from transport.dead_letter import MAX_CARRIED_BYTES, decode_dead_letter
from transport.kafka import Producer
from transport.reader import TopicReader
from transport.topics import TOPICS, name

SIZES = (1, 1_000_000, 3_000_000, 20_000_000)
LIMIT = 24_000_000


@pytest.mark.parametrize("codec", [None, "gzip", "zstd"])
async def test_resolve_goes_on_after_records_of_any_size(broker: Broker, codec: str | None) -> None:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    prefix = broker.topic_prefix
    topics = {name(topic.name, prefix): topic for topic in TOPICS}
    topics[name("signals", prefix)] = replace(topics[name("signals", prefix)], batch_bytes=LIMIT)
    await create_topics(kafka, topics, 1, 1)
    originals = [b"A" * size for size in SIZES]
    last = root("x:a", 0)
    producer = Producer(**kafka, max_request_size=LIMIT, compression_type=codec)
    await producer.start()
    for original in originals:
        await producer.send_and_wait(name("signals", prefix), original)
    await producer.send_and_wait(name("signals", prefix), encode(last), key(last))
    await producer.stop()

    stop = asyncio.Event()
    resolver = Resolver(
        kafka=kafka,
        prefix=prefix,
        config=ResolveConfig(),
        beats={"general": load_beat("general")},
        now_ms=lambda: START_MS + 60_000,
    )
    running = asyncio.create_task(resolver.run(stop))

    async def decided() -> bool:
        if running.done():
            running.result()
        async with TopicReader(name("stories", prefix), kafka) as reader:
            return any(record.key == b"t:x:a" for record in await reader.read_to_end())

    await eventually(decided, within_seconds=60)
    async with TopicReader(name("dead-letters", prefix), kafka) as reader:
        records = await reader.read_to_end()
    stop.set()
    await running
    letters = [decode_dead_letter(record.value or b"") for record in records]
    assert [letter.original_bytes for letter in letters] == list(SIZES)
    assert [letter.original_sha256 for letter in letters] == [hashlib.sha256(one).hexdigest() for one in originals]
    assert [letter.truncated for letter in letters] == [size > MAX_CARRIED_BYTES for size in SIZES]
