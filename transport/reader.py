"""Reading a topic as a memory: from its beginning to its end, and then whatever is added.

Owns a consumer without a group over partitions of one topic. Must never commit anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from transport.consumer import begin_at, close
from transport.end_offsets import log_ends

__all__ = ["Tail"]


class Tail:
    """A reader of one topic from its beginning, for use in ``async with``."""

    def __init__(self, topic: str, kafka: Mapping[str, object], partitions: Collection[int] = ()) -> None:
        """``kafka``: aiokafka's connection options. ``partitions``: which ones; all, if none are named."""
        self._topic = topic
        self._kafka = kafka
        self._partitions = partitions
        self._consumer = AIOKafkaConsumer(
            **kafka, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=10_000
        )
        self._places: list[TopicPartition] = []
        self._moved = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        partitions = self._consumer.partitions_for_topic(self._topic)
        if not partitions:
            await self._consumer._client.force_metadata_update()
            partitions = self._consumer.partitions_for_topic(self._topic)
        if not partitions:
            await close(self._consumer)
            raise LookupError(f"there is no topic {self._topic!r}; make the topics with: hubbub topics create")
        self._places = [TopicPartition(self._topic, partition) for partition in sorted(self._partitions or partitions)]
        try:
            begins = await self._consumer.beginning_offsets(self._places)
        except BaseException:
            await close(self._consumer)
            raise
        begin_at(self._consumer, begins)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await close(self._consumer)

    async def ends(self) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each partition."""
        return await log_ends(self._kafka, self._places)

    async def to_end(self) -> list[ConsumerRecord[bytes, bytes]]:
        """Return every record from here to what is now the end of the topic, each partition in its order."""
        return [record async for record in self.until_end()]

    async def until_end(self) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
        """Yield what ``to_end`` returns, without keeping it."""
        ends = await self.ends()
        while await self._is_before(ends):
            for record in await self.more(200):
                yield record

    async def caught_up(self) -> None:
        """Wait until whoever calls ``more`` has read all that was in the topic when this was called."""
        ends = await self.ends()
        while await self._is_before(ends):
            self._moved.clear()
            await self._moved.wait()

    async def more(self, timeout_ms: int) -> list[ConsumerRecord[bytes, bytes]]:
        """Wait up to ``timeout_ms`` for new records and return them, each partition in its order."""
        batches = await self._consumer.getmany(timeout_ms=timeout_ms)
        self._moved.set()
        return [record for batch in batches.values() for record in batch]

    async def _is_before(self, ends: Mapping[TopicPartition, int]) -> bool:
        return any([await self._consumer.position(place) < end for place, end in ends.items()])
