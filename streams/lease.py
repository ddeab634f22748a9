"""A worker's right to write, which ends when its process has stood still.

Owns the answer to one question, asked before anything is written that only one worker may write: has this process been
stopped (SIGSTOP, a frozen container, a loop that hung) for so long that its group may have put another in its place? It
cannot know that it has not; but it can know that it may have. Writes that were in the kernel's hands already are past
this guard.
"""

from __future__ import annotations

import asyncio
import threading
import time

__all__ = ["Lease", "LeaseLostError"]

SHARE = 0.75
"""The part of the session after which the lease is lost: the last heartbeat may have been a fifth of it earlier."""


class LeaseLostError(RuntimeError):
    """This process stood still, and another may have taken its place: end it and start it anew."""


class Lease:
    """Is renewed all the time; a gap in that is what it notices, and never forgets."""

    def __init__(self, session_seconds: float) -> None:
        """``session_seconds``: silence after which the group counts a worker as dead."""
        self._limit = SHARE * session_seconds
        self._renewed = time.monotonic()
        self._stood_seconds = 0.0

    def renew(self) -> None:
        """Note that the process runs."""
        now = time.monotonic()
        if now - self._renewed > self._limit:
            self._stood_seconds = now - self._renewed
        self._renewed = now

    def check(self) -> None:
        """Say whether this worker may write.

        Raises:
            LeaseLostError: it may not, and never will again.
        """
        self.renew()
        if self._stood_seconds:
            raise LeaseLostError(
                f"this process stood still for {self._stood_seconds:.1f} s; another may have taken its place"
            )

    async def keep_by_loop(self) -> None:
        """Renew from the event loop from now on, for a worker whose heartbeats come from there too; never returns.

        Raises:
            LeaseLostError: the loop stood still.
        """
        self._renewed = time.monotonic()
        while True:
            self.check()
            await asyncio.sleep(self._limit / 10)

    def keep_by_thread(self) -> None:
        """Renew from a thread, for a worker whose heartbeats come from one, until the process ends."""

        def keep() -> None:
            while True:
                self.renew()
                time.sleep(self._limit / 10)

        threading.Thread(target=keep, name="lease", daemon=True).start()
