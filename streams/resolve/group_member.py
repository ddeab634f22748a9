"""A worker's membership of one consumer group: it hands partitions to the work, and repeats the work's steps.

Owns the rebalance listener and the step loop. Must never know what a step does.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from streams.runtime.watchdog import Watchdog
from transport.kafka import Consumer, RebalanceListener, TopicPartition


class PartitionWork(Protocol):
    """Work on the partitions that the group assigns."""

    async def assign(self, partitions: frozenset[int]) -> None:
        """Take over ``partitions``."""

    async def revoke(self) -> None:
        """Finish what is done and release all partitions. Rebalancing is eager: those that stay are assigned again."""

    async def step(self) -> None:
        """Do a bounded part of the work, or wait a moment for some."""


class GroupMember(RebalanceListener):
    """One consumer with its work. ``assigned`` is set while the group has assigned partitions, maybe none of them."""

    def __init__(self, consumer: Consumer, topic: str, work: PartitionWork) -> None:
        self.work = work
        self.watchdog = Watchdog(_unfinished_step)
        self.assigned = asyncio.Event()
        self._consumer = consumer
        self._topic = topic
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def join(self) -> None:
        """Join the group with the consumer, which has been started."""
        self._consumer.subscribe([self._topic], listener=self)

    async def repeat_steps(self, stop: asyncio.Event) -> None:
        """Take step after step, also while there is nothing to do, until ``stop`` is set."""
        while not stop.is_set():
            await self.work.step()
            self.watchdog.report_progress()

    async def raise_failure(self) -> None:
        """Raise what ``assign`` or ``revoke`` raised, which aiokafka would only log."""
        await self._failure

    async def on_partitions_revoked(self, _: set[TopicPartition]) -> None:
        """Release the partitions."""
        self.assigned.clear()
        with self._noting_failure():
            await self.work.revoke()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Take over the partitions."""
        with self._noting_failure():
            await self.work.assign(frozenset(place.partition for place in assigned))
            self.assigned.set()

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not self._failure.done():
                self._failure.set_exception(error)
            raise


async def _unfinished_step() -> str:
    return "a step of resolve has not finished"
