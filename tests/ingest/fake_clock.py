"""A clock for tests that need not wait: sleeping moves it on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ingest.collector import CollectorContext
from ingest.memory.rate_limit import RateLimiter
from ingest.relevance import EVERYTHING, Relevance

__all__ = ["FakeClock", "context"]


class FakeClock:
    """Real seconds, as ``clock`` and ``sleep`` of a collector."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move the clock on; other tasks get their turn."""
        self.now += max(0.0, seconds)
        await asyncio.sleep(0)


def context(
    now_ms: Callable[[], int], clock: FakeClock | None = None, relevance: Relevance = EVERYTHING
) -> CollectorContext:
    """Return what the loop would hand to a collector."""
    clock = clock or FakeClock()
    limiter = RateLimiter("test", 1e9, clock=clock, sleep=clock.sleep)
    return CollectorContext(limiter, now_ms, clock, clock.sleep, relevance)
