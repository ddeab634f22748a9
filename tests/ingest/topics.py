"""The topics of one test: making them, and reading what collectors wrote there."""

from __future__ import annotations

import json

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from ingest import signal
from ingest.signal import Signal
from tests.visible_topics import create_topics

__all__ = ["Place"]

PARTITIONS = {"signals": 3, "cursors": 1, "dead-letters": 1}


class Place:
    """Topics that start with ``prefix``, and what is in them."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.kafka: dict[str, object] = {"bootstrap_servers": bootstrap_servers, "request_timeout_ms": 4_000}
        self.prefix = prefix

    async def create_topics(self) -> None:
        admin = AIOKafkaAdminClient(**self.kafka)
        await admin.start()
        try:
            await create_topics(admin, [NewTopic(self.prefix + name, count, 1) for name, count in PARTITIONS.items()])
        finally:
            await admin.close()

    async def read(self, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
        """Return every record of a topic, partition by partition."""
        consumer = AIOKafkaConsumer(**self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(self.prefix + topic, number) for number in range(PARTITIONS[topic])]
            consumer.assign(partitions)
            records: list[ConsumerRecord[bytes, bytes]] = []
            for partition, end in (await consumer.end_offsets(partitions)).items():
                while await consumer.position(partition) < end:
                    records += (await consumer.getmany(partition, timeout_ms=200)).get(partition, [])
            return records
        finally:
            await consumer.stop()

    async def signals(self) -> list[Signal]:
        """Return every signal, as any other reader of the topic would see it."""
        return [signal.decode(record.value or b"", record.timestamp) for record in await self.read("signals")]

    async def cursor(self, collector: str) -> object:
        """Return the cursor that a collector saved last, None if it saved none."""
        values = [record.value for record in await self.read("cursors") if record.key == collector.encode()]
        return json.loads(values[-1] or b"")["cursor"] if values else None
