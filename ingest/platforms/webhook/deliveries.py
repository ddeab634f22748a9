"""Deliveries: what senders sent and wait for, until the broker has acknowledged it.

Owns the queue between the server and the collector, bounded by lines, and who waits for what. Must never know HTTP nor
Kafka: the loop asks for the next batch only after the last one was acknowledged and its cursor saved.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from ingest.batch import Signals
from ingest.platforms.webhook.lines import is_mostly_unreadable

__all__ = ["Deliveries", "Delivery"]


@dataclass(slots=True, eq=False)
class Delivery:
    """The lines of one request. ``published`` becomes True when the broker has all of them, False if it will not."""

    signals: Signals
    published: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Deliveries:
    """First come, first served; at most ``max_items`` lines wait, or one request that is larger."""

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._waiting: deque[Delivery] = deque()
        self._taken: list[Delivery] = []
        self._arrived = asyncio.Event()
        self._closed = False
        self.waiting_items = 0
        """How many lines wait for the broker."""

    def add(self, signals: Signals) -> Delivery | None:
        """Queue the lines of a request; None if there is no room."""
        if self._closed or (self.waiting_items and self.waiting_items + signals.read > self._max_items):
            return None
        delivery = Delivery(signals)
        self._waiting.append(delivery)
        self.waiting_items += signals.read
        self._arrived.set()
        return delivery

    def drop(self, delivery: Delivery) -> None:
        """Take back a delivery whose sender waits no longer, if it is still in the queue."""
        if delivery in self._waiting:
            self._waiting.remove(delivery)
            self.waiting_items -= delivery.signals.read

    async def arrival(self) -> None:
        """Wait until something is in the queue."""
        await self._arrived.wait()

    def take(self, max_items: int) -> Signals:
        """Take whole deliveries from the queue, about ``max_items`` lines; return them together.

        Together they keep the rule that each keeps by itself: the larger part are signals.
        """
        read = dead = 0
        while self._waiting:
            signals = self._waiting[0].signals
            read, dead = read + signals.read, dead + len(signals.unreadable)
            if self._taken and (read > max_items or is_mostly_unreadable(dead, read)):
                break
            self._taken.append(self._waiting.popleft())
        if not self._waiting:
            self._arrived.clear()
        together = Signals()
        together.extend(delivery.signals for delivery in self._taken)
        return together

    def acknowledge(self) -> None:
        """Answer the requests of the last batch: the broker has all of it."""
        self._answer(self._taken, published=True)
        self._taken = []

    def close(self) -> None:
        """Answer every request that it must be sent again, and accept no more."""
        self._closed = True
        self._answer([*self._taken, *self._waiting], published=False)
        self._taken = []
        self._waiting.clear()

    def _answer(self, deliveries: list[Delivery], *, published: bool) -> None:
        for delivery in deliveries:
            self.waiting_items -= delivery.signals.read
            if not delivery.published.done():  # else its request has stopped waiting
                delivery.published.set_result(published)
