"""The rate limiter: how often one collector may ask its platform.

Owns the requests of any minute: at most ``requests_per_minute`` are let through, and none while the platform wants to
be left alone. Must never know what is asked for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ingest import metrics

WINDOW_SECONDS = 60.0
WAIT_WORTH_COUNTING_SECONDS = 0.001


class RateLimiter:
    """Lets requests of ``collector`` through, first come, first served: a leaky bucket that a minute empties.

    ``clock``, ``sleep``: real seconds; arguments, so that a test need not wait.
    """

    def __init__(
        self,
        collector: str,
        requests_per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval_seconds = WINDOW_SECONDS / requests_per_minute
        self._clock = clock
        self._sleep = sleep
        self._waits = metrics.RATE_LIMIT_WAITS.labels(collector)
        self._wait_seconds = metrics.RATE_LIMIT_WAIT_SECONDS.labels(collector)
        self._empty_at = clock()  # when the bucket will be empty if nothing is added
        self._held_until = self._empty_at

    async def acquire(self) -> None:
        """Return when one request may be sent."""
        asked_at = self._clock()
        while (wait_seconds := self._held_until - self._clock()) > 0:
            await self._sleep(wait_seconds)  # before it counts: it is sent after the hold
        self._empty_at = max(self._empty_at, self._clock()) + self._interval_seconds
        allowed_at = self._empty_at - max(WINDOW_SECONDS, self._interval_seconds)
        # A hold may begin or grow while this waits. Nothing but time ends it, so there is no event to wait for.
        while (wait_seconds := max(allowed_at, self._held_until) - self._clock()) > 0:
            await self._sleep(wait_seconds)
        waited_seconds = self._clock() - asked_at
        if waited_seconds > WAIT_WORTH_COUNTING_SECONDS:
            self._waits.inc()
            self._wait_seconds.inc(waited_seconds)

    def hold(self, seconds: float) -> None:
        """Let nothing through for ``seconds`` from now, or longer if an earlier hold says so."""
        self._held_until = max(self._held_until, self._clock() + seconds)
