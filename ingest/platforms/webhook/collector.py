"""The webhook as a collector: it waits for senders where others poll.

Owns when a batch is made of what senders sent. Being asked for the next batch means that the last one was published,
so its senders get their answer then. Its cursor is empty: a sender sends again what it got no 2xx for. Must never
publish, nor know HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final, Self

from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorContext
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.deliveries import Deliveries
from ingest.platforms.webhook.senders import Senders
from ingest.platforms.webhook.server import WebhookServer

__all__ = ["WebhookCollector"]

NO_CURSOR: Final = b"{}"
QUIET_SECONDS: Final = 60.0
"""An empty batch comes after so long without a request: it shows that the webhook still listens."""


class WebhookCollector:
    """See :class:`ingest.collector.Collector`. ``reserved``: platforms that no sender may write by default."""

    def __init__(
        self, config: WebhookConfig, cursor: Cursor | None, context: CollectorContext, reserved: Collection[str]
    ) -> None:
        del cursor
        self._batch_max_items = config.batch_max_items
        self._sleep = context.sleep
        self._deliveries = Deliveries(config.queue_max_items)
        allowed, reserved = frozenset(config.platforms), frozenset(reserved)
        self._server = WebhookServer(
            config,
            Senders(config, context.clock, context.now_ms),
            self._deliveries,
            lambda platform: platform in allowed if allowed else platform not in reserved,
            context.now_ms,
        )

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        self._deliveries.acknowledge()
        if not self._server.running:
            await self._server.start()
            return Batch(Signals(), NO_CURSOR)  # at once: the webhook works, though no sender has come
        waits = [asyncio.ensure_future(self._deliveries.arrival()), asyncio.ensure_future(self._sleep(QUIET_SECONDS))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return Batch(self._deliveries.take(self._batch_max_items), NO_CURSOR)

    async def aclose(self) -> None:
        """Ask all senders that wait to send again, and stop listening."""
        await self._server.close()

    @property
    def port(self) -> int:
        """The port that it listens on, after the first batch."""
        return self._server.port

    @property
    def tracked_items(self) -> int:
        """None: senders decide what they send again."""
        return 0
