"""How Faust consumes, corrected in three points.

Owns what is put in place of Faust's consumer and of its tables. It begins to read where its caller says, instead of at
the group's committed offsets, which say what was acknowledged and not what became of it. The group's answers renew the
worker's lease. And it joins the group at once: Faust waits a second for tables, and there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import faust
from faust.tables import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from transport.fencing import Lease

__all__ = ["NoTables", "correct"]


class NoTables(TableManager):  # type: ignore[misc]  # Faust has no types
    """The tables of an app that has none."""

    async def on_start(self) -> None:
        """Begin without waiting for any."""
        await self._update_channels()
        await self.recovery.start()


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
