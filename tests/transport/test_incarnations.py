"""Remembered offsets are valid only in the incarnation of a topic that they were remembered in."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.eventually import eventually
from tests.visible_topics import create_topics
from transport import incarnations
from transport.incarnations import Incarnations, TopicRecreatedError
from transport.producer import open_producer
from transport.reader import TopicMissingError


async def test_a_topic_that_is_created_again_is_noticed_while_watching_and_at_the_next_start(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incarnations, "CHECK_SECONDS", 0.05)
    other = f"{topic}-other"
    await create_topics(admin, [NewTopic(other, 1, 1)])
    async with open_producer(kafka) as producer:
        before = Incarnations(producer, [other, topic])
        await before.open()
        assert "" not in before.ids
        before.check(before.ids)
        watching = asyncio.create_task(before.watch())
        await admin.delete_topics([topic])

        async def created() -> bool:
            await create_topics(admin, [NewTopic(topic, 2, 1)])
            return topic in await admin.list_topics()

        await eventually(created)
        with pytest.raises(TopicRecreatedError, match=f"^{topic} was deleted and created again") as watched:
            await asyncio.wait_for(watching, 10)
        assert "\n" not in str(watched.value)

        after = Incarnations(producer, [other, topic])
        await after.open()
        with pytest.raises(TopicRecreatedError, match=f"its id was {before.ids[1]}, now it is {after.ids[1]}"):
            after.check(before.ids)
        after.check(["", ""])
        after.check([])  # written by an earlier version


async def test_a_topic_that_does_not_exist_is_an_error(
    kafka: dict[str, object], topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incarnations, "RETRY_SECONDS", 0.0)
    async with open_producer(kafka) as producer:
        with pytest.raises(TopicMissingError):
            await Incarnations(producer, [topic, f"{topic}-missing"]).open()
