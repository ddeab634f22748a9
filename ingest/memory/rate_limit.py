"""Pace: how often one collector may ask its platform.

Owns the rate limit of a collector: a request waits here for its turn, and nobody gets a turn while the platform wants
to be left alone. Must never know what is asked for.
"""

from __future__ import annotations

import asyncio
import time

from aiolimiter import AsyncLimiter

from ingest import metrics

__all__ = ["Pace"]

WAIT_WORTH_COUNTING_SECONDS = 0.001


class Pace:
    """Gives turns to the requests of ``collector``, at most ``requests_per_minute`` of them in any minute."""

    def __init__(self, collector: str, requests_per_minute: float) -> None:
        self._limiter = AsyncLimiter(requests_per_minute, 60.0)
        self._waits = metrics.RATE_LIMIT_WAITS.labels(collector)
        self._wait_seconds = metrics.RATE_LIMIT_WAIT_SECONDS.labels(collector)
        self._held_until = 0.0

    async def turn(self) -> None:
        """Return when one request may be sent."""
        asked_at = time.monotonic()
        # The hold may have grown by the time it was waited out. (Nothing but time ends it, so there is no event.)
        while (hold_seconds := self._held_until - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(hold_seconds)
        await self._limiter.acquire()
        waited_seconds = time.monotonic() - asked_at
        if waited_seconds > WAIT_WORTH_COUNTING_SECONDS:
            self._waits.inc()
            self._wait_seconds.inc(waited_seconds)

    def hold(self, seconds: float) -> None:
        """Give no turns for ``seconds`` from now, or longer if an earlier hold says so."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)
