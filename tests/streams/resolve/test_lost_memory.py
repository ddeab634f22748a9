"""Resolve refuses to start on another incarnation of ``stories`` than the one that its progress belongs to."""

from __future__ import annotations

import asyncio

import pytest

from hubbub.operate import topic_setup
from streams.records import encode
from streams.records.progress import ResolveProgress
from streams.resolve.config import ResolveConfig
from streams.resolve.matching.beats import load_beat
from streams.resolve.worker import Resolver
from tests.conftest import Broker
from tests.streams.examples.signals import START_MS
from transport.incarnations import Incarnations, TopicRecreatedError
from transport.producer import open_producer
from transport.topics import name


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
async def test_resolve_starts_on_no_other_stories_than_those_it_remembers(broker: Broker) -> None:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    signals, stories, progress = (name(topic, broker.topic_prefix) for topic in ("signals", "stories", "progress"))
    await topic_setup.create(kafka, broker.topic_prefix, 1, 1)

    async with open_producer(kafka) as producer:
        now = Incarnations(producer, [signals, stories])
        await now.open()
        report = ResolveProgress("0", 0, START_MS, topic_id=f"{now.ids[0]} {now.ids[0]}")
        await producer.send_and_wait(progress, encode(report), b"resolve/0", 0)
    beats = {"general": load_beat("general")}
    resolver = Resolver(
        kafka=kafka, prefix=broker.topic_prefix, config=ResolveConfig(), beats=beats, now_ms=lambda: START_MS
    )
    with pytest.raises(TopicRecreatedError, match=f"^{stories} was deleted and created again .* Rebuild from signals"):
        await resolver.run(asyncio.Event())
