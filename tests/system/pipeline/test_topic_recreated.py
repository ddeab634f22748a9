"""A topic that is deleted and created again stops the roles, and the runbook's steps build everything again."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from functools import partial

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from hubbub.operate import topic_setup
from ingest.signal import Author, Counts, Signal, encode, key
from tests.conftest import Broker
from tests.eventually import eventually
from tests.system.pipeline.house import House, house
from transport.consumer import open_consumer
from transport.offsets import commit
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

pytestmark = [pytest.mark.broker, pytest.mark.slow]

BUILT = (
    "candidates",
    "stories",
    "story-activity",
    "hubbub-score-ledgers-changelog",
    "noise-scores",
    "noise-events",
    "progress",
)
"""The topics that docs/how-to/rebuild-from-signals.md deletes from ``signals``."""
REPLIES = 200


def _signals(replies: Sequence[int]) -> list[Signal]:
    """Return a post and these replies to it, as a collector observes them now."""
    now_ms = time.time_ns() // 1_000_000
    root = Signal(
        id="reddit:root",
        kind="post",
        platform="reddit",
        thread="reddit:root",
        author=Author("author"),
        title="Quillon bank freezes withdrawals after ledger outage",
        counts=Counts(likes=10),
        created_ms=now_ms - 60_000,
        observed_ms=now_ms,
    )
    said = [
        Signal(
            id=f"reddit:reply{number}",
            kind="reply",
            platform="reddit",
            thread=root.id,
            author=Author(f"reader{number}"),
            text="see the report",
            created_ms=now_ms - 30_000,
            observed_ms=now_ms,
        )
        for number in replies
    ]
    return [root, *said]


async def _publish(it: House, signals: Sequence[Signal]) -> None:
    topic = name("signals", it.kafka.topic_prefix)
    async with open_producer(it.options) as producer:
        for signal in signals:
            await producer.send(topic, encode(signal), key(signal))


async def _create_again(it: House, topics: Sequence[str]) -> None:
    """Delete topics and create them again, as an operator does with kafka-topics.sh and hubbub topics create."""
    names = [name(topic, it.kafka.topic_prefix) for topic in topics]
    admin = AIOKafkaAdminClient(**it.options)
    await admin.start()
    try:
        await admin.delete_topics(names)

        async def created() -> bool:
            await topic_setup.create(it.options, it.kafka.topic_prefix, it.kafka.partitions, 1)
            return set(names) <= set(await admin.list_topics())

        await eventually(created, within_seconds=30)
    finally:
        await admin.close()


async def _build_again(it: House) -> None:
    """Follow the runbook: rebuild from signals."""
    await _create_again(it, BUILT)
    group = f"{it.kafka.topic_prefix}hubbub-resolve"
    async with (
        open_consumer(**it.options, group_id=group, enable_auto_commit=False) as consumer,
        TopicReader(name("signals", it.kafka.topic_prefix), it.options) as reader,
    ):
        beginnings = await consumer.beginning_offsets(reader.end_offsets)
        consumer.assign(list(beginnings))
        await eventually(partial(commit, consumer, beginnings), within_seconds=30)  # once the members are gone


async def _until_counted(it: House, items: int) -> None:
    """Wait until the one story has this many posts and replies. A large ledger estimates the number, within 5 %."""

    async def counted() -> bool:
        counts = [score.platforms["reddit"].items for score in (await it.scores()).values()]
        return len(counts) == 1 and abs(counts[0] - items) <= 0.05 * items

    await eventually(counted, within_seconds=60)


async def _stops(broker: Broker, role: str, topic: str) -> None:
    """Start ``role``: it ends at once, and says in one line which topic was created again."""
    environment = {
        **os.environ,
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": broker.topic_prefix,
        "HUBBUB_METRICS_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hubbub", role, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert f"{topic} was deleted and created again" in said.decode()
    assert "Rebuild from signals" in said.decode()


async def test_signals_created_again_while_the_roles_are_stopped(broker: Broker) -> None:
    async with house(broker) as it:
        await _publish(it, _signals(range(5)))
        await _until_counted(it, 6)
    await _create_again(it, ["signals"])
    await _publish(it, _signals(range(100, 100 + REPLIES)))  # to a thread that is known
    await _stops(broker, "resolve", "signals")
    await _stops(broker, "score", "signals")

    if broker.kind == "embedded":
        return  # a restart empties it, and it has no tool that resets a group
    await _build_again(it)
    async with house(broker) as again:
        await _until_counted(again, 1 + REPLIES)


async def test_story_activity_created_again_while_score_runs(broker: Broker) -> None:
    async with house(broker) as it:
        await _publish(it, _signals(range(5)))
        await _until_counted(it, 6)
        await _create_again(it, ["story-activity"])
        await eventually(lambda: _said(it, "score", "story-activity"), within_seconds=60)
    await _stops(broker, "score", "story-activity")

    if broker.kind == "embedded":
        return  # a restart empties it, and it has no tool that resets a group
    await _build_again(it)
    async with house(broker) as again:
        await _until_counted(again, 6)


def _said(it: House, role: str, topic: str) -> bool:
    return any(line.startswith(f"{role}:") and f"{topic} was deleted and created again" in line for line in it.lines)
