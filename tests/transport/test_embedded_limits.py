"""The differences between the embedded broker and Kafka that transport/embedded.py lists, line by line.

A test that fails here after an upgrade of the broker may be good news: its line, and the cure for it, can go.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, OffsetAndMetadata, OffsetAndTimestamp, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, UnknownError

from hubbub.process.embedded_broker import EmbeddedBroker
from tests.conftest import Broker
from tests.visible_topics import create_topics

pytestmark = pytest.mark.parametrize("broker", ["embedded"], indirect=True)

WRITER = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

async def write():
    async with AIOKafkaProducer(bootstrap_servers=sys.argv[1]) as producer:
        for _ in range(int(sys.argv[2])):
            await producer.send_and_wait("t", bytes(1000), partition=0)

asyncio.run(write())
"""


@pytest_asyncio.fixture
async def hundred(broker: Broker) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
    """Return a consumer assigned to a partition that holds one batch of 100 records."""
    place = TopicPartition(broker.topic_prefix + "hundred", 0)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, linger_ms=50) as producer:
        acks = [await producer.send(place.topic, b"v", partition=0, timestamp_ms=1_700_000_000_000) for _ in range(100)]
        await asyncio.gather(*acks)
    async with AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        yield consumer, place


async def _read(consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    """Return how many records can be read of ``place`` from its beginning."""
    consumer.seek(place, 0)
    count = 0
    while batch := await consumer.getmany(place, timeout_ms=700):
        count += len(batch[place])
    return count


async def test_nothing_is_compacted_or_deleted_by_age(broker: Broker, admin: AIOKafkaAdminClient) -> None:
    policies = {"compact": {"min.cleanable.dirty.ratio": "0.01", "segment.ms": "100"}, "delete": {"retention.ms": "1"}}
    names = {policy: broker.topic_prefix + policy for policy in policies}
    await create_topics(
        admin,
        [
            NewTopic(names[kind], 1, 1, topic_configs={"cleanup.policy": kind, **more})
            for kind, more in policies.items()
        ],
    )
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for name in names.values():
            for _ in range(20):
                await producer.send_and_wait(name, b"v", b"the same key")
    await asyncio.sleep(2)
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers) as consumer:
        for name in names.values():
            consumer.assign([TopicPartition(name, 0)])
            assert await _read(consumer, TopicPartition(name, 0)) == 20


async def test_there_are_no_idempotent_producers(broker: Broker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, enable_idempotence=True)
    with pytest.raises(UnknownError):
        await producer.start()
    await producer.stop()


async def test_end_offsets_are_too_low_and_a_fetch_has_the_true_ones(
    hundred: tuple[AIOKafkaConsumer, TopicPartition],
) -> None:
    consumer, place = hundred
    assert await consumer.end_offsets([place]) == {place: 1}
    assert await _read(consumer, place) == 100
    assert consumer.highwater(place) == 100


def _offset(found: OffsetAndTimestamp | None) -> int | None:
    return None if found is None else found.offset


async def test_offsets_for_times_go_by_arrival_and_by_batch(hundred: tuple[AIOKafkaConsumer, TopicPartition]) -> None:
    consumer, place = hundred
    now_ms = time.time_ns() // 1_000_000
    found = await consumer.offsets_for_times({place: now_ms - 60_000})  # years after the records' own time
    assert _offset(found[place]) == 0
    later = await consumer.offsets_for_times({place: now_ms + 60_000})
    assert _offset(later[place]) == 0  # Kafka: None


async def test_an_offset_past_the_end_is_not_out_of_range(hundred: tuple[AIOKafkaConsumer, TopicPartition]) -> None:
    consumer, place = hundred
    consumer.seek(place, 5_000)
    assert await consumer.getmany(place, timeout_ms=1_500) == {}
    assert await consumer.position(place) == 5_000


async def test_committed_offsets_are_returned_without_their_metadata(
    broker: Broker, admin: AIOKafkaAdminClient, hundred: tuple[AIOKafkaConsumer, TopicPartition]
) -> None:
    _, place = hundred
    group = broker.topic_prefix + "g"
    async with AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(42, "beside it")})
        assert await consumer.committed(place) == 42
    with pytest.raises(KafkaConnectionError):  # Kafka returns the metadata this way
        await admin.list_consumer_group_offsets(group)


async def test_settings_are_those_given_at_creation_and_cannot_be_changed(
    broker: Broker, admin: AIOKafkaAdminClient
) -> None:
    topic = broker.topic_prefix + "t"
    await create_topics(admin, [NewTopic(topic, 1, 3, topic_configs={"retention.ms": "5000"})])
    everything = ConfigResource(ConfigResourceType.TOPIC, topic)
    (response,) = await admin.describe_configs([everything])
    assert [entry[:2] for entry in response.resources[0][4]] == [("retention.ms", "5000")]

    one = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "7000"})
    with pytest.raises(KafkaConnectionError):
        await admin.describe_configs([one])
    with pytest.raises(IncompatibleBrokerVersion):
        await admin.alter_configs([one])
    with pytest.raises(IncompatibleBrokerVersion):
        await admin.create_partitions({topic: NewPartitions(2)})
    with pytest.raises(KafkaConnectionError):
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(0)})

    (described,) = await admin.describe_topics([topic])
    (partition,) = described["partitions"]
    assert len(partition["replicas"]) == 3
    assert len(set(partition["replicas"])) == 1  # one broker, named three times


async def test_asking_for_a_topic_creates_it(broker: Broker, admin: AIOKafkaAdminClient) -> None:
    topic = broker.topic_prefix + "misspelt"
    assert topic not in await admin.list_topics()
    (described,) = await admin.describe_topics([topic])
    assert len(described["partitions"]) == 4
    assert topic in await admin.list_topics()


async def test_records_of_any_size_and_without_a_key_are_accepted(broker: Broker, admin: AIOKafkaAdminClient) -> None:
    topic = broker.topic_prefix + "t"
    await create_topics(admin, [NewTopic(topic, 1, 1, topic_configs={"cleanup.policy": "compact"})])
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, max_request_size=20_000_000) as producer:
        ack = await producer.send_and_wait(topic, bytes(10_000_000), None)
    assert ack.offset == 0


async def test_tombstones_empty_values_and_all_compressions_work_as_in_kafka(broker: Broker) -> None:
    topic = broker.topic_prefix + "t"
    for compression in (None, "gzip", "lz4", "snappy", "zstd"):
        async with AIOKafkaProducer(
            bootstrap_servers=broker.bootstrap_servers, compression_type=compression
        ) as producer:
            for value in (None, b"", b"v" * 1000):
                await producer.send_and_wait(topic, value, b"k", partition=0)
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers) as consumer:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        values = [(await asyncio.wait_for(consumer.getone(), 10)).value for _ in range(15)]
    assert values == [None, b"", b"v" * 1000] * 5


@pytest.mark.slow
async def test_a_reader_at_the_end_misses_nothing_while_four_processes_write(broker: Broker, tmp_path: Path) -> None:
    """With more than one worker thread in the broker, most runs of this lose a record."""
    del broker  # this test needs a broker of its own
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    writers, each = 4, 3_000
    async with EmbeddedBroker() as alone:
        async with AIOKafkaProducer(bootstrap_servers=alone.bootstrap_servers) as producer:
            await producer.send_and_wait("t", b"first", partition=0)
        command = [sys.executable, str(script), alone.bootstrap_servers, str(each)]
        running = [await asyncio.create_subprocess_exec(*command) for _ in range(writers)]
        async with AIOKafkaConsumer(bootstrap_servers=alone.bootstrap_servers) as consumer:
            place = TopicPartition("t", 0)
            consumer.assign([place])
            consumer.seek(place, 0)
            seen = 0
            while await consumer.position(place) < writers * each + 1:
                batch = await consumer.getmany(place, timeout_ms=1_000)
                seen += len(batch.get(place, []))
        assert [await process.wait() for process in running] == [0] * writers
    assert seen == writers * each + 1
