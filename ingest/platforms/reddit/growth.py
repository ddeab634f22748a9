"""Growth of a listing: how many new things it shows a second, and how many were missed.

Owns that estimate. Must never know what a thing is, nor read a clock: all times are of the items.
"""

import math
from collections.abc import Iterable
from typing import Final

MEMORY_MS: Final = 60_000.0
"""An observation counts half after some 40 s: places become busy within minutes."""
OUTLIERS: Final = 10
"""One in so many things may be out of order, such as a post that a filter held back for hours."""


class Growth:
    """The growth of one listing.

    Reddit numbers all things of a kind in sequence, over the whole site. A page shows which share of the numbers
    belongs to the listing. So the numbers between two polls say about how many things lie between them.
    """

    def __init__(self) -> None:
        self._things = 0.0
        self._ms = 0.0
        self._polled_ms: int | None = None
        self._newest: int | None = None

    @property
    def per_second(self) -> float | None:
        """New things a second; None before the second poll."""
        return None if self._ms <= 0 else 1_000 * self._things / self._ms

    def observe(self, names: Iterable[str], polled_ms: int, *, complete: bool) -> int:
        """Record a poll; return about how many things it missed, 0 if it was ``complete``.

        ``names``: the fullnames of the new things. ``complete``: whether it found all since the last poll.

        >>> growth = Growth()
        >>> growth.observe(["t1_a0", "t1_a4", "t1_a8"], 0, complete=True)
        0
        >>> growth.observe(["t1_b0", "t1_b4", "t1_b8"], 2_000, complete=False)  # every fourth number is in the listing
        7
        >>> growth.per_second
        5.0
        """
        numbers = sorted(number for name in names if (number := _number(name)) is not None)
        since_ms = None if self._polled_ms is None else max(1, polled_ms - self._polled_ms)
        missed = 0 if complete or since_ms is None else max(1, self._between(numbers))
        if since_ms is not None:
            keep = math.exp(-since_ms / MEMORY_MS)
            self._things = keep * self._things + len(numbers) + missed
            self._ms = keep * self._ms + since_ms
        self._polled_ms = polled_ms
        if numbers:
            self._newest = max(numbers[-1], self._newest or 0)
        return missed

    def _between(self, numbers: list[int]) -> int:
        """Return about how many things lie between the newest known one and the ``numbers`` of new ones."""
        late = len(numbers) // OUTLIERS
        in_order = numbers[late:]
        if self._newest is None or len(in_order) < 2:
            return 0
        share = (len(in_order) - 1) / max(1, in_order[-1] - in_order[0])
        return round(share * (in_order[0] - self._newest - 1)) - late


def _number(name: str) -> int | None:
    kind, _, digits = name.partition("_")
    try:
        return int(digits, 36) if kind in {"t1", "t3"} else None
    except ValueError:
        return None
