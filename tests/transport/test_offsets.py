"""Offsets: where a reader starts, what is an error when records are gone, and where a partition ends."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from deploy.kafka.cluster import Cluster
from tests.visible_topics import create_topics
from transport.consumer import open_consumer
from transport.kafka import Consumer, TopicPartition
from transport.offsets import (
    MemoryLostError,
    RecordsGoneError,
    check_next,
    commit,
    end_offsets,
    offset_to_resume,
    seek_to_committed,
)
from transport.producer import open_producer


async def test_end_offsets_are_right_after_large_batches_and_in_empty_partitions(
    kafka: dict[str, object], topic: str
) -> None:
    empty, many = (TopicPartition(topic, partition) for partition in range(2))
    assert await end_offsets(kafka, [empty, many]) == {empty: 0, many: 0}
    async with open_producer(kafka, linger_ms=50) as producer:
        for _ in range(2):
            acks = [await producer.send(topic, b"", partition=many.partition) for _ in range(100)]
            await asyncio.gather(*acks)
    assert await end_offsets(kafka, [empty, many]) == {empty: 0, many: 200}
    assert await end_offsets(kafka, []) == {}


class Log:
    """A partition of ten records on Apache Kafka, which can lose its first ones, and a consumer of a group."""

    def __init__(self, admin: AIOKafkaAdminClient, consumer: Consumer, place: TopicPartition) -> None:
        self.admin = admin
        self.consumer = consumer
        self.place = place

    async def lose(self, before: int) -> None:
        await self.admin.delete_records({self.place: RecordsToDelete(before_offset=before)})

    async def resume(self, offset: int | None) -> int:
        return await offset_to_resume(self.consumer, self.place, offset, 10)

    async def follow(self, expected: int, found: int) -> None:
        await check_next(self.consumer, self.place, expected, found)


@pytest_asyncio.fixture
async def log(jvm_kafka: Cluster) -> AsyncIterator[Log]:
    kafka = {"bootstrap_servers": jvm_kafka.bootstrap_servers}
    place = TopicPartition(f"gone-{uuid.uuid4().hex[:8]}", 0)
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    await create_topics(admin, [NewTopic(place.topic, 1, 1)])
    async with open_producer(kafka) as producer:
        for number in range(10):
            await producer.send_and_wait(place.topic, b"%d" % number)
    async with open_consumer(**kafka, group_id=place.topic, enable_auto_commit=False) as consumer:
        consumer.assign([place])
        yield Log(admin, consumer, place)
    await admin.close()


async def test_a_member_starts_at_the_beginning_and_later_at_its_commit(log: Log) -> None:
    assert await seek_to_committed(log.consumer, log.place) == 0
    assert await commit(log.consumer, {log.place: 3})
    assert await seek_to_committed(log.consumer, log.place) == 3
    assert await log.consumer.position(log.place) == 3


async def test_a_commit_whose_record_is_gone_is_an_error(log: Log) -> None:
    await commit(log.consumer, {log.place: 3})
    await log.lose(before=4)
    with pytest.raises(RecordsGoneError, match="begins at 4: 1 records were removed"):
        await seek_to_committed(log.consumer, log.place)


async def test_a_gap_is_allowed_unless_the_retention_made_it(log: Log) -> None:
    await log.follow(3, 5)  # a transaction may have left it
    await log.lose(before=4)
    with pytest.raises(RecordsGoneError, match="1 records were removed"):
        await log.follow(3, 4)
    await log.follow(4, 6)


async def test_a_log_that_ends_before_the_next_record_was_created_again(log: Log) -> None:
    with pytest.raises(RecordsGoneError, match="created again"):
        await log.follow(5, 3)
    with pytest.raises(RecordsGoneError, match="created again"):
        await log.resume(11)


async def test_a_reader_resumes_at_its_own_offset_or_where_an_operator_says(log: Log) -> None:
    assert [await log.resume(offset) for offset in (None, 2, 10)] == [0, 2, 10]
    await commit(log.consumer, {log.place: 3})
    await log.lose(before=4)
    with pytest.raises(RecordsGoneError, match="begins at 4: 2 records were removed"):
        await log.resume(2)
    await commit(log.consumer, {log.place: 6})  # the operator's reset
    assert [await log.resume(offset) for offset in (2, 5)] == [6, 5]


async def test_a_group_that_has_read_what_nothing_is_remembered_of_is_refused(log: Log) -> None:
    await commit(log.consumer, {log.place: 0})  # the reset of a rebuild
    assert await log.resume(None) == 0
    await commit(log.consumer, {log.place: 3})
    with pytest.raises(MemoryLostError, match="partition 0: 3 records were read, but the topics that remember"):
        await log.resume(None)
