"""Records that are gone before they were read: an error that says so, and no silent jump."""

from __future__ import annotations

import uuid

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from deploy.kafka.cluster import Cluster
from transport.offsets import RecordsGoneError, check_next, offset_to_resume, seek_to_committed
from transport.producer import open_producer


async def test_what_was_to_be_read_next_is_missed_when_it_is_gone(jvm_kafka: Cluster) -> None:
    place, kafka = TopicPartition(f"gone-{uuid.uuid4().hex[:8]}", 0), {"bootstrap_servers": jvm_kafka.bootstrap_servers}
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(place.topic, 1, 1)])
        async with open_producer(kafka) as producer:
            for number in range(10):
                await producer.send_and_wait(place.topic, b"%d" % number)
        async with AIOKafkaConsumer(**kafka, group_id=place.topic, enable_auto_commit=False) as consumer:
            consumer.assign([place])
            assert await seek_to_committed(consumer, place) == 0
            await consumer.commit({place: OffsetAndMetadata(3, "")})
            assert await seek_to_committed(consumer, place) == 3
            await check_next(consumer, place, 3, 5)  # what lies between may be a transaction's
            assert [await offset_to_resume(consumer, place, offset, 10) for offset in (None, 2, 10)] == [0, 2, 10]
            with pytest.raises(RecordsGoneError, match="created again"):
                await check_next(consumer, place, 5, 3)
            with pytest.raises(RecordsGoneError, match="created again"):
                await offset_to_resume(consumer, place, 11, 10)
            await admin.delete_records({place: RecordsToDelete(before_offset=4)})
            with pytest.raises(RecordsGoneError, match="begins at 4: 1 records were removed"):
                await seek_to_committed(consumer, place)
            with pytest.raises(RecordsGoneError, match="1 records were removed"):
                await check_next(consumer, place, 3, 4)
            await check_next(consumer, place, 4, 6)
            with pytest.raises(RecordsGoneError, match="begins at 4: 2 records were removed"):
                await offset_to_resume(consumer, place, 2, 10)
            await consumer.commit({place: OffsetAndMetadata(6, "")})  # an operator says to go on from there
            assert [await offset_to_resume(consumer, place, offset, 10) for offset in (None, 2, 5)] == [4, 6, 5]
    finally:
        await admin.close()
