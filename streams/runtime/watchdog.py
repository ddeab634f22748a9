"""A watchdog: whoever leaves work lying for long is ended, for a supervisor to start it again.

Owns when that is. What counts as work, and whether there is any, is the caller's to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from aiokafka.errors import KafkaError

__all__ = ["LIMIT_SECONDS", "StalledError", "Watchdog"]

LIMIT_SECONDS = 300.0
"""Longer than anything takes that ends well, the taking over of a million stories included."""
LOOKS = 8
"""How often it looks while that time passes."""


class StalledError(RuntimeError):
    """There is work, and none was done for long: end the process, start anew."""


class Watchdog:
    """Barks when there is work all the time and :meth:`moved` is not called."""

    def __init__(self, undone: Callable[[], Awaitable[str]], limit_seconds: float = LIMIT_SECONDS) -> None:
        """``undone``: says what work there is, "" if none. It may fail or hang while the broker is away."""
        self._undone = undone
        self._limit_seconds = limit_seconds
        self._moved_at = time.monotonic()

    @property
    def still_seconds(self) -> float:
        """For how long nothing was done, whether or not there was anything to do."""
        return time.monotonic() - self._moved_at

    def moved(self) -> None:
        """Note that something was done."""
        self._moved_at = time.monotonic()

    async def watch(self) -> NoReturn:
        """Look again and again.

        Raises:
            StalledError: there was work at every look for ``limit_seconds``, and nothing was done.
        """
        looked_at = waits_since = time.monotonic()
        while True:
            await asyncio.sleep(self._limit_seconds / LOOKS)
            what = await self._look() if self._moved_at < looked_at else ""
            looked_at = time.monotonic()
            if not what:
                waits_since = looked_at
            elif looked_at - waits_since >= self._limit_seconds:
                raise StalledError(f"{what}, and nothing was done for {self.still_seconds:.0f} s")

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(self._limit_seconds / LOOKS):
                return await self._undone()
        except (KafkaError, OSError, TimeoutError):
            return ""  # there is nothing that a new life could do better
