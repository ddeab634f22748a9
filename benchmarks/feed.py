"""Publishes the load to Kafka: all at once, or each signal at its time.

Owns the topics of a run. The broker stamps the records of output topics, so all participants have the same clock.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.participants import Run
from hubbub.operate import topic_setup
from ingest.signal import Signal, encode, key
from transport.kafka import RecordMetadata
from transport.producer import open_producer

__all__ = ["make_topics", "now_ms", "publish", "send"]

STAMPED = {"message.timestamp.type": "LogAppendTime"}
UNACKNOWLEDGED = 10_000


def now_ms() -> int:
    """Return the time in UTC epoch ms."""
    return time.time_ns() // 1_000_000


async def make_topics(run: Run) -> None:
    """Create the topics that a participant reads and writes, if they do not exist."""
    wanted = [
        NewTopic(topic, run.partitions, 1, topic_configs=STAMPED)
        for topic in (f"{run.prefix}noise-scores", run.environment["BENCH_OUTPUT"], run.environment["BENCH_ACTIVITY"])
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=run.servers)
    await admin.start()
    try:
        await admin.create_topics(wanted)
    finally:
        await admin.close()
    await topic_setup.create({"bootstrap_servers": run.servers}, run.prefix, run.partitions, 1)


async def publish(signals: Sequence[Signal], run: Run, *, paced: bool = False) -> None:
    """Write ``signals`` to the topic of the run. ``paced``: none before the time it was observed."""
    async with open_producer({"bootstrap_servers": run.servers}) as producer:
        await send(producer, signals, run, paced=paced)


async def send(producer: AIOKafkaProducer, signals: Sequence[Signal], run: Run, *, paced: bool = False) -> None:
    """Write ``signals`` with a ``producer`` that exists already; see :func:`publish`."""
    pending: deque[asyncio.Future[RecordMetadata]] = deque()
    for signal in signals:
        if paced and (early_ms := signal.observed_ms - now_ms()) > 0:
            await asyncio.sleep(early_ms / 1000)
        pending.append(await producer.send(run.signals, encode(signal), key(signal)))
        if len(pending) > UNACKNOWLEDGED:
            await pending[UNACKNOWLEDGED // 2]
            while pending and pending[0].done():
                await pending.popleft()
    await asyncio.gather(*pending)
