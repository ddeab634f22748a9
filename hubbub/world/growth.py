"""Growth: how an item gathers votes and replies as it ages.

Owns the curves, as closed forms of an item's age, so that a count is a pure function of (item, time).
Must never know which platform the item is on or who is asking.

The share of its final votes that an item has at an age is the distribution function of a Weibull distribution
(https://en.wikipedia.org/wiki/Weibull_distribution): it starts at 0, never falls, and nears 1. A shape above 1 gives
the slow start and the steep middle of a post that is being discovered. Its inverse draws the times of replies, so
that votes and replies of an item follow the same curve.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = ["Curve", "Grown", "Observed", "Totals", "Votes"]


class Totals(NamedTuple):
    """Totals of an item at one time; None is unknown. ``like_ratio``: share of up-votes, 0 to 1."""

    likes: int | None = None
    replies: int | None = None
    like_ratio: float | None = None


class Votes(Protocol):
    """What tells an item's totals at any time."""

    def at(self, now_ms: int) -> Totals:
        """Return the totals at ``now_ms``; ``replies`` is None where the replies themselves are to be counted."""
        ...


@dataclass(frozen=True, slots=True)
class Curve:
    """A Weibull curve over an item's age. ``scale_ms``: the age at which 63 % has come; ``shape``: steepness."""

    scale_ms: float
    shape: float = 1.4

    def share(self, age_ms: float) -> float:
        """Return the share of the total that has come by ``age_ms``: 0 at birth, nearing 1."""
        return 0.0 if age_ms <= 0 else -math.expm1(-((age_ms / self.scale_ms) ** self.shape))

    def age_ms(self, share: float) -> float:
        """Return the age by which ``share`` (0 to below 1) of the total has come: the inverse of :meth:`share`."""
        return float(self.scale_ms * (-math.log1p(-share)) ** (1 / self.shape))


FRESH_RATIO = 0.98
"""Nearly all of a post's first votes are up; the verdict of the crowd comes with its age."""


@dataclass(frozen=True, slots=True)
class Grown:
    """Votes that grow from one (the author's own) to ``final`` along ``curve``; the ratio drifts to ``ratio``."""

    born_ms: int
    final: int
    curve: Curve
    ratio: float | None = None

    def at(self, now_ms: int) -> Totals:
        """Return the totals at ``now_ms``; replies are not its business."""
        share = self.curve.share(now_ms - self.born_ms)
        ratio = None if self.ratio is None else round(FRESH_RATIO + (self.ratio - FRESH_RATIO) * share, 2)
        return Totals(1 + int((self.final - 1) * share), None, ratio)


@dataclass(frozen=True, slots=True)
class Observed:
    """Totals as somebody recorded them: those of the last observation so far hold."""

    times_ms: Sequence[int]
    totals: Sequence[Totals]

    def at(self, now_ms: int) -> Totals:
        """Return the totals last observed by ``now_ms``, all unknown before the first observation."""
        seen = bisect_right(self.times_ms, now_ms)
        return self.totals[seen - 1] if seen else Totals()
