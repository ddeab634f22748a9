"""Polarity: how divided the reaction is.

Owns the weighing of votes and of replies against a prior. Must never know how a reply's sentiment was read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from scoring.settings import DEFAULT, Settings

__all__ = ["Split", "Votes", "polarity", "reply_split", "vote_splits"]

Split = tuple[float, float]
"""(w, d): the weight of a piece of evidence, 0 or more, and how divided it shows people to be, 0 to 1."""

Votes = tuple[float, int, float]
"""The share of up-votes on an item (0 to 1), its likes, and the number of such items that it stands for (1: itself)."""


def vote_splits(votes: Iterable[Votes], settings: Settings = DEFAULT) -> list[Split]:
    """Return what the votes on each item say: half up, half down is fully divided; weight grows with log10 of likes.

    >>> vote_splits([(0.5, 99, 1), (1.0, 10**9, 1)])
    [(4.0, 1.0), (10.0, 0.0)]
    """
    most, per_decade, log10 = settings.vote_weight_max, settings.vote_weight_per_decade, math.log10
    return [
        (min(most, per_decade * log10(1 + likes)) * times, 1.0 - abs(2.0 * ratio - 1.0))
        for ratio, likes, times in votes
    ]


def reply_split(positive: float, negative: float, settings: Settings = DEFAULT) -> Split:
    """Return what the replies of a story say: as many positive as negative ones is fully divided.

    >>> reply_split(30, 10)
    (20.0, 0.5)
    >>> reply_split(0, 0)
    (0.0, 0.0)
    """
    both = positive + negative
    if both <= 0:
        return 0.0, 0.0
    weight = settings.sentiment_weight_per_reply * min(both, settings.sentiment_replies_max)
    return weight, 2.0 * min(positive, negative) / both


def polarity(evidence: Sequence[Split], settings: Settings = DEFAULT) -> float:
    """Return 0 to 100: the weighted mean of the evidence and a prior of 0.5 that weighs 20; no evidence gives 50.

    The sum is exactly rounded, so the order of the evidence does not show.

    >>> polarity([])
    50.0
    >>> polarity([(20.0, 1.0)])
    75.0
    """
    prior = settings.polarity_prior_weight
    weights = [prior, *[weight for weight, _ in evidence]]
    divided = [prior * settings.polarity_prior, *[weight * division for weight, division in evidence]]
    return 100.0 * math.fsum(divided) / math.fsum(weights)
