"""How Faust consumes, corrected in two points.

Owns what is put in place of Faust's consumer. It begins to read where its caller says, instead of at the group's
committed offsets, which say what was acknowledged and not what became of it. And the group's answers renew the worker's
lease.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.lease import Lease

__all__ = ["correct"]


def correct(app: faust.App, lease: Lease, places: Callable[[], Mapping[TP, int]]) -> None:
    """Make ``app``, which has not started, renew ``lease`` and begin at ``places``, asked whenever the group formed."""

    class Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust has no types
        async def on_start(self) -> None:
            await super().on_start()
            lease.renew_by(self._consumer)

    class Consumer(driver.Consumer):  # type: ignore[misc]
        def _new_consumer_thread(self) -> Thread:
            return Thread(self, loop=self.loop, beacon=self.beacon)

        async def perform_seek(self) -> None:
            begins = places()
            await self.seek_wait(begins)
            self._committed_offset.update(begins)  # acknowledgements count from here

    app.transport.Consumer = Consumer
