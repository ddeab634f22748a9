"""One worker's connections to Kafka.

Owns how its consumers, readers and producer are made, and the names of its topics. Must never know what they carry.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from transport.consumer import group_consumer
from transport.fencing import Lease
from transport.kafka import Consumer, Producer
from transport.reader import TopicReader
from transport.topics import name


class Outgoing(NamedTuple):
    """A record to send to ``topic`` (named without prefix); without a ``partition``, the ``key`` picks one."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int | None = None


class Connections:
    """What a worker reads and writes with. ``lease``: its right to decide, which shows whether the broker answers."""

    def __init__(
        self,
        options: Mapping[str, object],
        prefix: str,
        producer: Producer,
        session_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``options``: connection options of aiokafka; ``session_seconds``: see :func:`group_consumer`."""
        self.producer = producer
        self.lease = Lease(session_seconds, monotonic)
        self._options = options
        self._prefix = prefix
        self._session_seconds = session_seconds

    def topic(self, topic: str) -> str:
        """Return the name of ``topic`` on the broker."""
        return name(topic, self._prefix)

    def consumer(self, group: str) -> Consumer:
        """Return a consumer, not started yet, of the group ``group``."""
        return group_consumer(self._options, f"{self._prefix}hubbub-{group}", self._session_seconds)

    def reader(self, topic: str) -> TopicReader:
        """Return a reader of all of ``topic``, for use in ``async with``."""
        return TopicReader(self.topic(topic), self._options)

    async def count_partitions(self, topic: str) -> int:
        """Return the number of partitions of ``topic``."""
        return len(await self.producer.partitions_for(self.topic(topic)))

    async def enqueue(self, records: Iterable[Outgoing]) -> asyncio.Future[list[object]]:
        """Hand ``records`` to the producer; return a future that is done once all are acknowledged.

        They are handed over one by one, so those of a partition arrive in this order: signals, then their watermark.
        """
        send = self.producer.send
        sent = [await send(self.topic(topic), value, key, partition) for topic, value, key, partition in records]
        return asyncio.gather(*sent)
