"""The watchdog: ends a role that has work and makes no progress, so that a supervisor restarts it.

Owns the decision when that is. Must never know what the work is: the caller says whether there is any.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from transport.errors import RestartError
from transport.kafka import KafkaError

LIMIT_SECONDS = 300.0
"""The longest time without progress. Nothing that ends well takes as long, not even reading back a million stories."""
CHECKS = 8
"""Checks in that time: a stall is reported at most an eighth of the limit late."""


class StalledError(RestartError):
    """There is work and no progress for too long: end the process, and its supervisor starts it again."""


class Watchdog:
    """Raises if work is pending but no progress is reported."""

    def __init__(
        self,
        pending_work: Callable[[], Awaitable[str]],
        limit_seconds: float = LIMIT_SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``pending_work`` describes the pending work, "" if there is none. It may fail or hang without a broker."""
        self._pending_work = pending_work
        self._limit_seconds = limit_seconds
        self._monotonic = monotonic
        self._sleep = sleep
        self._progress_at = monotonic()

    @property
    def seconds_since_progress(self) -> float:
        """The time since the last progress, whether or not there was work."""
        return self._monotonic() - self._progress_at

    def report_progress(self) -> None:
        """Record that something was done."""
        self._progress_at = self._monotonic()

    async def watch(self) -> NoReturn:
        """Check for ever.

        Raises:
            StalledError: every check of the last ``limit_seconds`` found pending work and no progress.
        """
        checked_at = pending_since = self._monotonic()
        while True:
            await self._sleep(self._limit_seconds / CHECKS)
            work = await self._find_work() if self._progress_at < checked_at else ""
            checked_at = self._monotonic()
            if not work:
                pending_since = checked_at
            elif checked_at - pending_since >= self._limit_seconds:
                raise StalledError(f"{work}, and there was no progress for {self.seconds_since_progress:.0f} s")

    async def _find_work(self) -> str:
        try:
            async with asyncio.timeout(self._limit_seconds / CHECKS):
                return await self._pending_work()
        except (KafkaError, OSError, TimeoutError):
            return ""  # a restart would not bring the broker back
