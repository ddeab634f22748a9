"""Growth: how an item gathers votes and replies as it ages.

Owns the curves, in closed form, so that a count is a pure function of (item, time). Must never know which platform the
item is on, or which client asks.

An item's share of its final votes, by age, is a Weibull distribution function
(https://en.wikipedia.org/wiki/Weibull_distribution). It starts at 0, never falls, and approaches 1. A shape above 1
gives the slow start and the steep middle of a post that is being discovered. The inverse draws the times of replies, so
votes and replies of an item follow the same curve.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Totals(NamedTuple):
    """Totals of an item at one time; None is unknown. ``like_ratio``: share of up-votes, 0 to 1."""

    likes: int | None = None
    replies: int | None = None
    like_ratio: float | None = None
    shares: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A Weibull curve over an item's age. ``scale_ms``: the age at which it reaches 63 %; ``shape``: steepness."""

    scale_ms: float
    shape: float = 1.4

    def share(self, age_ms: float) -> float:
        """Return the share of the total that is reached at ``age_ms``: from 0 at age 0 towards 1."""
        return 0.0 if age_ms <= 0 else -math.expm1(-((age_ms / self.scale_ms) ** self.shape))

    def age_ms(self, share: float) -> float:
        """Return the age at which ``share`` (0 to below 1) of the total is reached: the inverse of :meth:`share`."""
        return float(self.scale_ms * (-math.log1p(-share)) ** (1 / self.shape))


FRESH_RATIO = 0.98
"""The share of up-votes at age 0: nearly all of a post's first votes are up."""


@dataclass(frozen=True, slots=True)
class Grown:
    """Votes that grow from one (the author's own) to ``final`` along ``curve``; the ratio drifts to ``ratio``.

    ``final``: None where the platform has no likes. ``views``: how often the item is seen in the end, None where the
    platform does not say.
    """

    born_ms: int
    final: int | None
    curve: Curve
    ratio: float | None = None
    views: int | None = None

    def at(self, now_ms: int) -> Totals:
        """Return the totals at ``now_ms``; ``replies`` and ``shares`` are None: those items are to be counted."""
        share = self.curve.share(now_ms - self.born_ms)
        ratio = None if self.ratio is None else round(FRESH_RATIO + (self.ratio - FRESH_RATIO) * share, 2)
        likes = None if self.final is None else 1 + int((self.final - 1) * share)
        return Totals(likes, None, ratio, None, None if self.views is None else int(self.views * share))


@dataclass(frozen=True, slots=True)
class Observed:
    """Recorded totals: those of the last observation so far are valid."""

    times_ms: Sequence[int]
    totals: Sequence[Totals]

    def at(self, now_ms: int) -> Totals:
        """Return the totals last observed by ``now_ms``, all unknown before the first observation."""
        seen = bisect_right(self.times_ms, now_ms)
        return self.totals[seen - 1] if seen else Totals()
