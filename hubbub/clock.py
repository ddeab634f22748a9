"""The clock: what "now" is, in UTC epoch milliseconds.

Owns the one place that reads the wall clock. All other code is given a ``Clock``. So a simulated world can run faster
than real time, and a test can set the hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], int]
"""Returns now, in UTC epoch milliseconds."""


def wall_clock() -> int:
    """Return the wall clock's time in UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class WorldClock:
    """A clock that showed ``origin_ms`` when the wall clock showed ``started_ms``, and runs ``speed`` times as fast."""

    origin_ms: int
    started_ms: int
    speed: float = 1.0

    def __call__(self) -> int:
        """Return the world's time in UTC epoch milliseconds."""
        return self.origin_ms + int((wall_clock() - self.started_ms) * self.speed)

    def __str__(self) -> str:
        return f"{self.origin_ms}@{self.started_ms}x{self.speed}"

    @classmethod
    def parse(cls, text: str) -> WorldClock:
        """Read what ``str`` writes, ``ORIGIN@STARTEDxSPEED``, so that a clock can be handed to other processes.

        Raises:
            ValueError: the text has another form.
        """
        origin, _, rest = text.partition("@")
        started, _, speed = rest.partition("x")
        try:
            clock = cls(int(origin), int(started), float(speed))
        except ValueError:
            clock = None
        if clock is None or not 0 <= clock.speed < float("inf"):
            raise ValueError(f"{text!r} is not of the form ORIGIN@STARTEDxSPEED")
        return clock


def format_age(age_ms: int) -> str:
    """Return an age in the largest unit that fits: ``12 s``, ``5 min``, ``3 h``, ``9 d``."""
    seconds = max(0, age_ms) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
