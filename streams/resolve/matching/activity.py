"""How active a story is, against how active it was: whether a new post is to be expected.

Owns one story's decaying count of posts. Must never know what the posts say.
"""

from __future__ import annotations

import math

__all__ = ["Activity"]

HOUR_MS = 3_600_000


class Activity:
    """Posts of late: each counts 1 when it comes and 1/e after ``reach_hours``; and the most there ever were."""

    __slots__ = ("_at_ms", "_count", "_peak")

    def __init__(self, at_ms: int, posts: float) -> None:
        self._at_ms = at_ms
        self._count = self._peak = posts

    def add(self, at_ms: int, reach_hours: float) -> None:
        """Count a post at ``at_ms``."""
        self._count = self._at(at_ms, reach_hours) + 1
        self._at_ms = max(at_ms, self._at_ms)
        self._peak = max(self._peak, self._count)

    def take_in(self, other: Activity, reach_hours: float) -> None:
        """Add the posts of ``other``."""
        at_ms = max(self._at_ms, other._at_ms)
        self._count = self._at(at_ms, reach_hours) + other._at(at_ms, reach_hours)
        self._at_ms = at_ms
        self._peak = max(self._peak, other._peak, self._count)

    def faded(self, at_ms: int, reach_hours: float) -> float:
        """Return how much less active the story is at ``at_ms`` than it was, as the logarithm of the ratio, from 0."""
        return math.log((self._peak + 1) / (self._at(at_ms, reach_hours) + 1))

    def _at(self, at_ms: int, reach_hours: float) -> float:
        return self._count * math.exp(-max(0, at_ms - self._at_ms) / (reach_hours * HOUR_MS))
