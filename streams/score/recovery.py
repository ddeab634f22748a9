"""Recovery of the table to the true end of its changelog.

Owns one correction of Faust: where a changelog ends is asked so that every broker tells the truth. The embedded broker
answers the usual question too low, and Faust would begin to work with a table that lacks its last records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import faust
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.ends import log_ends

__all__ = ["recover_to_the_true_end"]


def recover_to_the_true_end(app: faust.App, kafka: Mapping[str, object]) -> None:
    """Make ``app``, which has not started, ask for ends with ``kafka``, aiokafka's connection options."""

    class Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
        async def _highwaters(self, partitions: Iterable[TP]) -> Mapping[TP, int]:
            places = [TopicPartition(place.topic, place.partition) for place in partitions]
            ends = await log_ends(kafka, places)
            return {TP(place.topic, place.partition): end for place, end in ends.items()}

    class Consumer(driver.Consumer):  # type: ignore[misc]
        def _new_consumer_thread(self) -> Thread:
            return Thread(self, loop=self.loop, beacon=self.beacon)

    app.transport.Consumer = Consumer
