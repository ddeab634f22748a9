"""The topic reader: what it returns, where it starts, and that it notices a topic that is missing or changed."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete

from tests.conftest import Broker
from tests.eventually import eventually
from tests.visible_topics import create_topics
from transport.kafka import KafkaError, TopicPartition
from transport.producer import open_producer
from transport.reader import TopicChangedError, TopicMissingError, TopicReader


async def _write(kafka: dict[str, object], topic: str, values: range, partition: int = 0) -> None:
    async with open_producer(kafka) as producer:
        await asyncio.gather(*[await producer.send(topic, b"%d" % value, partition=partition) for value in values])


async def test_it_reads_to_the_end_as_of_the_opening_and_then_what_is_added(
    kafka: dict[str, object], topic: str
) -> None:
    await _write(kafka, topic, range(100))  # one batch, whose end the embedded broker reports too low
    await _write(kafka, topic, range(100, 103), partition=1)
    async with TopicReader(topic, kafka) as reader:
        assert reader.end_offsets == {TopicPartition(topic, 0): 100, TopicPartition(topic, 1): 3}
        assert not reader.caught_up
        values = [int(record.value or b"") for record in await reader.read_to_end()]
        assert sorted(values) == list(range(103))
        assert [value for value in values if value < 100] == list(range(100))
        assert reader.caught_up
        assert await reader.lag() == 0
        await _write(kafka, topic, range(200, 201))
        added = await eventually(reader.poll)
        assert [record.value for record in added] == [b"200"]


async def test_an_empty_topic_is_read_to_its_end_when_it_is_opened(kafka: dict[str, object], topic: str) -> None:
    async with TopicReader(topic, kafka) as reader:
        assert reader.caught_up
        assert await reader.read_to_end() == []


async def test_partitions_that_are_named_are_read_alone(kafka: dict[str, object], topic: str) -> None:
    await _write(kafka, topic, range(2))
    await _write(kafka, topic, range(2, 4), partition=1)
    async with TopicReader(topic, kafka, [1]) as reader:
        assert [record.value for record in await reader.read_to_end()] == [b"2", b"3"]


async def test_it_begins_with_about_the_newest_records_of_each_partition(kafka: dict[str, object], topic: str) -> None:
    for value in range(6):  # each in a batch of its own
        await _write(kafka, topic, range(value, value + 1))
    await _write(kafka, topic, range(10, 11), partition=1)
    async with TopicReader(topic, kafka, newest=4) as reader:
        values = sorted(int(record.value or b"") for record in await reader.read_to_end())
    assert values == [4, 5, 10]


async def test_another_task_can_wait_until_everything_is_polled(kafka: dict[str, object], topic: str) -> None:
    async with TopicReader(topic, kafka) as reader:
        await _write(kafka, topic, range(50))
        waiting = asyncio.create_task(reader.wait_until_read())
        read = 0
        while not waiting.done():
            assert read < 50 or waiting.done() or await reader.poll(20) == []
            read += len(await reader.poll(20))
        await waiting
        assert read == 50


async def test_a_missing_topic_is_an_error_and_is_not_created(
    broker: Broker, kafka: dict[str, object], admin: AIOKafkaAdminClient
) -> None:
    missing = f"{broker.topic_prefix}missing"
    with pytest.raises(TopicMissingError, match="does not exist; create it with: hubbub topics create"):
        async with TopicReader(missing, kafka):
            pass
    assert missing not in await admin.list_topics()


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)  # on the embedded broker an open reader creates it again
async def test_a_topic_that_is_deleted_is_noticed(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient
) -> None:
    async with TopicReader(topic, kafka) as reader:
        await reader.check()
        await admin.delete_topics([topic])
        with pytest.raises(TopicMissingError):
            await eventually(reader.check)


async def test_a_topic_that_is_created_again_is_noticed(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient
) -> None:
    async with TopicReader(topic, kafka) as reader:
        await admin.delete_topics([topic])

        async def created() -> bool:
            await create_topics(admin, [NewTopic(topic, 2, 1)])
            return topic in await admin.list_topics()

        async def changed() -> bool:
            with contextlib.suppress(TopicMissingError):  # the brokers learn of a new topic one by one
                await reader.check()
            return False

        await eventually(created)
        with pytest.raises(TopicChangedError, match="deleted and created again"):
            await eventually(changed)


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)  # the embedded broker adds no partitions
async def test_partitions_that_are_added_are_noticed(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient
) -> None:
    async with TopicReader(topic, kafka) as reader:
        await admin.create_partitions({topic: NewPartitions(3)})
        with pytest.raises(TopicChangedError, match="more partitions"):
            await eventually(reader.check)


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)  # the embedded broker deletes no records
async def test_records_that_disappear_before_they_are_read_are_an_error(
    kafka: dict[str, object], topic: str, admin: AIOKafkaAdminClient
) -> None:
    async with open_producer(kafka) as producer:
        for _ in range(8):  # more than one fetch brings
            await producer.send_and_wait(topic, os.urandom(400_000), partition=0)
    async with TopicReader(topic, kafka) as reader:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=7)})
        with pytest.raises(TopicChangedError, match="no longer holds what comes next"):
            await eventually(reader.read_to_end)


async def test_a_broker_that_is_away_is_an_error_of_kafka() -> None:
    with pytest.raises(KafkaError):
        async with TopicReader("t", {"bootstrap_servers": "127.0.0.1:9"}):
            pass
