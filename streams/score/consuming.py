"""How Faust consumes, corrected in two points.

Owns what is put in place of Faust's consumer. Where a changelog ends is asked so that every broker tells the truth: the
embedded one answers the usual question too low, and Faust would begin to work with a table that lacks its last records.
And the group's answers to heartbeats renew the worker's lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import faust
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.ends import log_ends
from streams.lease import Lease

__all__ = ["correct"]


def correct(app: faust.App, kafka: Mapping[str, object], lease: Lease) -> None:
    """Make ``app``, which has not started, ask for ends with ``kafka``, aiokafka's options, and renew ``lease``."""

    class Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
        async def on_start(self) -> None:
            await super().on_start()
            lease.renew_by(self._consumer)

        async def _highwaters(self, partitions: Iterable[TP]) -> Mapping[TP, int]:
            places = [TopicPartition(place.topic, place.partition) for place in partitions]
            ends = await log_ends(kafka, places)
            return {TP(place.topic, place.partition): end for place, end in ends.items()}

    class Consumer(driver.Consumer):  # type: ignore[misc]
        def _new_consumer_thread(self) -> Thread:
            return Thread(self, loop=self.loop, beacon=self.beacon)

    app.transport.Consumer = Consumer
