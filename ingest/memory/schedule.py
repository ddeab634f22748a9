"""The agenda of a collector: which of its looks at the platform is due next.

Owns the pacing of repeated looks in real seconds. Must never know what a look does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

__all__ = ["Agenda"]


class Agenda:
    """Looks by name, each repeated ``every_seconds`` after it was last begun; all are due at the start."""

    def __init__(self, every_seconds: Mapping[str, float]) -> None:
        self._every_seconds = dict(every_seconds)
        self._due_at = dict.fromkeys(every_seconds, 0.0)

    async def next(self) -> str:
        """Wait until a look is due and return its name.

        It is put off at once, not when it succeeds: a look that always fails must not keep the others waiting.
        """
        name = min(self._due_at, key=self._due_at.__getitem__)
        await asyncio.sleep(max(0.0, self._due_at[name] - time.monotonic()))
        self._due_at[name] = time.monotonic() + self._every_seconds[name]
        return name

    def put_off(self, name: str) -> None:
        """Make a look due only after its interval: there is nothing for it to see yet."""
        self._due_at[name] = time.monotonic() + self._every_seconds[name]

    def hurry(self, name: str) -> None:
        """Make a look due at once: there is more where the last one ended."""
        self._due_at[name] = time.monotonic()
