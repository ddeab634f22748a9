"""Polarity: how divided the reaction is.

Owns the weighing of votes and of replies against a prior. Must never know how a reply's sentiment was read.
"""

import math
from collections.abc import Iterable, Sequence

from scoring.settings import DEFAULT

Split = tuple[float, float]
"""(w, d): a weight, 0 or more, and how divided the reaction is, from 0 (all agree) to 1 (half and half)."""

Votes = tuple[float, int, float]
"""The share of up-votes on an item (0 to 1), its likes, and how many items it stands for in a sample (1: itself)."""


def vote_splits(votes: Iterable[Votes]) -> list[Split]:
    """Return how the votes on each item are split. The weight grows with log10 of the likes, up to 10.

    >>> vote_splits([(0.5, 99, 1), (1.0, 10**9, 1)])
    [(4.0, 1.0), (10.0, 0.0)]
    """
    most, per_decade, log10 = DEFAULT.vote_weight_max, DEFAULT.vote_weight_per_decade, math.log10
    return [
        (min(most, per_decade * log10(1 + likes)) * times, 1.0 - abs(2.0 * ratio - 1.0))
        for ratio, likes, times in votes
    ]


def reply_split(positive: float, negative: float) -> Split:
    """Return how the replies of a story are split. The weight grows with their number, up to 200 replies.

    >>> reply_split(30, 10)
    (20.0, 0.5)
    >>> reply_split(0, 0)
    (0.0, 0.0)
    """
    both = positive + negative
    if both <= 0:
        return 0.0, 0.0
    weight = DEFAULT.sentiment_weight_per_reply * min(both, DEFAULT.sentiment_replies_max)
    return weight, 2.0 * min(positive, negative) / both


def polarity(splits: Sequence[Split]) -> float:
    """Return 0 to 100: the weighted mean of ``splits`` and a prior of 0.5 that weighs 20; 50 if there are none.

    The sum is exactly rounded, so the order of the splits does not matter.

    >>> polarity([])
    50.0
    >>> polarity([(20.0, 1.0)])
    75.0
    """
    prior = DEFAULT.polarity_prior_weight
    weights = [prior, *[weight for weight, _ in splits]]
    divided = [prior * DEFAULT.polarity_prior, *[weight * division for weight, division in splits]]
    return 100.0 * math.fsum(divided) / math.fsum(weights)
