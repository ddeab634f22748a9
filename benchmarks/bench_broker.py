"""The capacity of the brokers: records and megabytes per second, and the latency of a single record.

Run: python -m benchmarks.bench_broker [embedded|kafka]…
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.cluster import Cluster, KafkaUnavailableError
from hubbub.process.embedded_broker import EmbeddedBroker
from transport.consumer import start_at

PARTITIONS = 8
RECORDS = 200_000
RECORD_BYTES = 300
SINGLE_RECORDS = 200


async def measure(kind: str, servers: str, pid: int) -> None:
    """Print the figures of the broker ``kind`` at ``servers``."""
    places = [TopicPartition("bench", partition) for partition in range(PARTITIONS)]
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic("bench", PARTITIONS, 1), NewTopic("single", 1, 1)])
    await admin.close()
    value = random.Random(1).randbytes(RECORD_BYTES)

    started = time.perf_counter()
    async with AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5, max_batch_size=65_536) as producer:
        acks = [await producer.send("bench", value, partition=number % PARTITIONS) for number in range(RECORDS)]
        await asyncio.gather(*acks)
    _tell(kind, "produce", time.perf_counter() - started)

    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        start_at(consumer, dict.fromkeys(places, 0))
        started, left = time.perf_counter(), RECORDS
        while left:
            left -= sum(map(len, (await consumer.getmany(timeout_ms=1_000)).values()))
        _tell(kind, "consume", time.perf_counter() - started)

    acked, seen = [], []
    async with (
        AIOKafkaProducer(bootstrap_servers=servers) as producer,
        AIOKafkaConsumer(bootstrap_servers=servers) as consumer,
    ):
        place = TopicPartition("single", 0)
        start_at(consumer, {place: 0})
        for _ in range(SINGLE_RECORDS):
            started = time.perf_counter()
            await producer.send_and_wait(place.topic, value, partition=0)
            acked.append(time.perf_counter() - started)
            await consumer.getone()
            seen.append(time.perf_counter() - started)
    for what, seconds in (("acknowledged", acked), ("read", seen)):
        cuts = statistics.quantiles(seconds, n=20)
        print(f"{kind:8}  one record {what:12}  p50 {cuts[9] * 1e3:6.1f} ms   p95 {cuts[18] * 1e3:6.1f} ms")
    print(f"{kind:8}  resident memory afterwards  {_resident_mib(pid)} MiB")


def _resident_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) // 1024


def _tell(kind: str, what: str, seconds: float) -> None:
    rate = RECORDS / seconds
    print(f"{kind:8}  {what}  {rate:10,.0f} records/s  {rate * RECORD_BYTES / 1e6:6.1f} MB/s")


async def main() -> None:
    """Measure the brokers named on the command line, or both."""
    kinds = sys.argv[1:] or ["embedded", "kafka"]
    if "embedded" in kinds:
        async with EmbeddedBroker() as embedded:
            await measure("embedded", embedded.bootstrap_servers, embedded.pid)
    if "kafka" in kinds:
        try:
            with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
                await measure("kafka", cluster.bootstrap_servers, cluster.pid())
        except KafkaUnavailableError as error:
            print(f"kafka     left out: {error}")


if __name__ == "__main__":
    asyncio.run(main())
