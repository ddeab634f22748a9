"""The post rate of a story, now and at its peak: whether a new post is to be expected.

Owns one story's decaying count of posts. Must never know what the posts say.
"""

from __future__ import annotations

import math

from scoring.settings import HOUR_MS


class PostRate:
    """Recent posts, and their peak. A post counts 1 when it arrives and 1/e after ``decay_hours``."""

    __slots__ = ("_at_ms", "_count", "_peak")

    def __init__(self, at_ms: int, posts: float) -> None:
        self._at_ms = at_ms
        self._count = self._peak = posts

    def add(self, at_ms: int, decay_hours: float) -> None:
        """Count a post at ``at_ms``."""
        self._count = self._at(at_ms, decay_hours) + 1
        self._at_ms = max(at_ms, self._at_ms)
        self._peak = max(self._peak, self._count)

    def merge(self, other: PostRate, decay_hours: float) -> None:
        """Add the posts of ``other``."""
        at_ms = max(self._at_ms, other._at_ms)
        self._count = self._at(at_ms, decay_hours) + other._at(at_ms, decay_hours)
        self._at_ms = at_ms
        self._peak = max(self._peak, other._peak, self._count)

    def faded(self, at_ms: int, decay_hours: float) -> float:
        """Return how far the rate at ``at_ms`` is below its peak: the logarithm of the ratio, 0 at the peak."""
        return math.log((self._peak + 1) / (self._at(at_ms, decay_hours) + 1))

    def _at(self, at_ms: int, decay_hours: float) -> float:
        return self._count * math.exp(-max(0, at_ms - self._at_ms) / (decay_hours * HOUR_MS))
