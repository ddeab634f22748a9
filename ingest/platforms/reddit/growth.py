"""Growth of a listing: how many new things it shows a second, and how many were missed.

Owns that estimate. Must never know what a thing is, nor read a clock: all times are of the items.
"""

import math
from collections.abc import Sequence
from typing import Final

MEMORY_MS: Final = 60_000.0
"""An observation counts half after some 40 s: places become busy within minutes."""


class Growth:
    """The growth of one listing.

    A poll that ends at a known thing counts exactly what is new. One that does not shows only how close together its
    things are. Reddit states whole seconds, so a hundred things of the same second say little: sums of many polls do.
    """

    def __init__(self) -> None:
        self._things = 0.0
        self._ms = 0.0
        self._polled_ms: int | None = None

    @property
    def per_second(self) -> float | None:
        """New things a second; None before the second poll."""
        return None if self._ms <= 0 else 1_000 * self._things / self._ms

    def observe(self, created_ms: Sequence[float], polled_ms: int, *, complete: bool) -> int:
        """Record a poll; return about how many things it missed.

        ``created_ms``: the times of the new things. ``complete``: whether it found all since the last one.
        """
        since_ms = None if self._polled_ms is None else max(1, polled_ms - self._polled_ms)
        self._polled_ms = polled_ms
        if complete and since_ms is not None:
            self._add(len(created_ms), since_ms)
            return 0
        known_ms = [ms for ms in created_ms if math.isfinite(ms)]
        if len(known_ms) > 1:
            span_ms = max(known_ms) - min(known_ms)
            self._add(len(known_ms) - 1, span_ms)
        if since_ms is None or complete:
            return 0
        return max(1, round((self.per_second or 0.0) * since_ms / 1_000) - len(created_ms))

    def _add(self, things: int, ms: float) -> None:
        keep = math.exp(-ms / MEMORY_MS)
        self._things, self._ms = keep * self._things + things, keep * self._ms + ms
