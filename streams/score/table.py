"""The Faust table that holds every story's state, written so that an offset never gets ahead of its changelog.

Faust buffers changelog records and commits offsets without waiting for them to be confirmed: a crash in between loses
what the offsets already cover. This table sends them through a producer of its own and hands the caller the futures, so
that the events behind a write are acknowledged only after the broker has it. Recovery is Faust's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import faust
from aiokafka import AIOKafkaProducer
from faust.stores.memory import Store

__all__ = ["ConfirmedTable"]


class ConfirmedTable(faust.Table):  # type: ignore[misc]
    """A table of raw bytes by raw key, in memory, whose writes are explicit about their partition."""

    def partition_items(self, partition: int) -> dict[bytes, bytes]:
        """Return what the table holds of ``partition``, as recovered from the changelog and written since."""
        store: Store[bytes, bytes] = self.data
        owners = store._key_partition
        return {key: value for key, value in store.data.items() if owners.get(key) == partition}

    async def put(
        self, producer: AIOKafkaProducer, partition: int, key: bytes, value: bytes | None
    ) -> Awaitable[object]:
        """Write ``value`` (None: delete) in memory and to the changelog; await the result for the confirmation."""
        store: Store[bytes, bytes] = self.data
        if value is None:
            store.data.pop(key, None)
            store._key_partition.pop(key, None)
        else:
            store.data[key] = value
            store._key_partition[key] = partition
        sent: asyncio.Future[object] = await producer.send(self.changelog_topic_name, value, key, partition)
        return sent
