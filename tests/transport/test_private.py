"""The contract with aiokafka's private parts: each use works on the version that is installed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version

import pytest
from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.conftest import Broker
from tests.eventually import eventually
from tests.visible_topics import create_topics
from transport import private
from transport.fencing import LeaseLostError
from transport.kafka import BrokerAwayError
from transport.private import NO_ID, Described
from transport.reader import TopicReader


def test_another_version_of_aiokafka_is_refused_with_the_command_that_installs_the_right_one() -> None:
    private.check_version(version("aiokafka"))
    with pytest.raises(ImportError, match=r"aiokafka 0\.15\.0 is installed; run: pip install"):
        private.check_version("0.15.0")


async def test_membership_is_confirmed_by_joining_and_by_every_heartbeat(
    broker: Broker, kafka: dict[str, object], topic: str
) -> None:
    confirmed: list[float] = []
    times = iter(float(number) for number in range(10_000))
    consumer = AIOKafkaConsumer(
        **kafka, group_id=f"{broker.topic_prefix}g", session_timeout_ms=6_000, heartbeat_interval_ms=50
    )
    await consumer.start()
    try:
        private.observe_membership(consumer, confirmed.append, times.__next__)
        consumer.subscribe([topic])
        await eventually(lambda: len(confirmed) >= 3, within_seconds=20)  # one of joining, two of heartbeats
    finally:
        await consumer.stop()
    assert confirmed == sorted(confirmed)


async def test_a_check_that_fails_keeps_records_of_the_guarded_topic_alone_from_the_broker(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient
) -> None:
    def refuse() -> None:
        raise LeaseLostError("the lease is over")

    await create_topics(admin, [NewTopic(f"{topic}-free", 1, 1)])
    producer = AIOKafkaProducer(**kafka)
    await producer.start()
    private.check_before_producing(producer, refuse, {topic})
    await producer.send_and_wait(f"{topic}-free", b"sent", partition=0)
    refused = await producer.send(topic, b"kept", partition=0)
    with pytest.raises(LeaseLostError, match="the lease is over"):
        await asyncio.wait_for(refused, 10)
    await private.abandon(producer)
    async with TopicReader(topic, kafka) as reader:
        assert await reader.read_to_end() == []


async def test_an_abandoned_producer_sends_nothing_more(kafka: dict[str, object], topic: str) -> None:
    producer = AIOKafkaProducer(**kafka, linger_ms=60_000)
    await producer.start()
    await producer.send(topic, b"held back", partition=0)
    await private.abandon(producer)
    await producer.stop()
    async with TopicReader(topic, kafka) as reader:
        assert await reader.read_to_end() == []


async def test_a_consumer_shows_its_client_and_can_be_disconnected(kafka: dict[str, object]) -> None:
    consumer = AIOKafkaConsumer(**kafka)
    await consumer.start()
    assert isinstance(private.client_of(consumer), AIOKafkaClient)
    before = asyncio.all_tasks()
    await private.client_of(consumer).close()
    assert before - asyncio.all_tasks()  # its client keeps nothing up to date any more
    await consumer.stop()


async def test_a_topic_that_is_created_again_has_another_id_and_asking_creates_none(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient
) -> None:
    missing = f"{topic}-missing"
    async with AIOKafkaProducer(**kafka) as producer:

        async def described() -> dict[str, Described]:
            return await private.describe(producer.client, [topic, missing])

        first = (await described())[topic]
        assert first.partitions == 2
        assert first.id != NO_ID
        assert await described() == {topic: first}
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return not await described()

        await eventually(gone)
        await create_topics(admin, [NewTopic(topic, 1, 1)])
        again = await eventually(described)
    assert again[topic].partitions == 1
    assert again[topic].id not in {first.id, NO_ID}
    assert missing not in await admin.list_topics()


async def test_a_broker_that_died_does_not_keep_the_others_from_answering(
    kafka: dict[str, object], topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AIOKafkaProducer(**kafka) as producer:
        client = producer.client
        (alive,) = client.cluster.brokers()
        brokers = {alive, *(DeadBroker(number) for number in (7, 8, 9))}
        monkeypatch.setattr(client.cluster, "brokers", lambda: brokers)
        for _ in range(20):
            assert topic in await private.describe(client, [topic])
        monkeypatch.setattr(client.cluster, "brokers", lambda: brokers - {alive})
        with pytest.raises(BrokerAwayError):
            await private.describe(client, [topic])


@dataclass(frozen=True)
class DeadBroker:
    """A broker that is still listed, and that no connection reaches."""

    nodeId: int  # noqa: N815 (as aiokafka names it)
