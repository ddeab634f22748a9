"""Polarity: how divided the reaction is.

Owns the weighing of votes and of replies against a prior. Must never know how a reply's sentiment was read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from scoring.settings import DEFAULT, Settings

__all__ = ["Evidence", "polarity", "replies_evidence", "vote_evidence"]

Evidence = tuple[float, float]
"""(w, d): the weight of a piece of evidence, 0 or more, and how divided it shows people to be, 0 to 1."""


def vote_evidence(like_ratio: float, likes: int, settings: Settings = DEFAULT) -> Evidence:
    """Return what the votes on one item say: half up, half down is fully divided; weight grows with log10 of likes.

    >>> vote_evidence(0.5, 99)
    (4.0, 1.0)
    >>> vote_evidence(1.0, 10**9)
    (10.0, 0.0)
    """
    weight = min(settings.vote_weight_max, settings.vote_weight_per_decade * math.log10(1 + likes))
    return weight, 1.0 - abs(2.0 * like_ratio - 1.0)


def replies_evidence(positive: float, negative: float, settings: Settings = DEFAULT) -> Evidence:
    """Return what the replies of a story say: as many positive as negative ones is fully divided.

    >>> replies_evidence(30, 10)
    (20.0, 0.5)
    >>> replies_evidence(0, 0)
    (0.0, 0.0)
    """
    both = positive + negative
    if both <= 0:
        return 0.0, 0.0
    weight = settings.sentiment_weight_per_reply * min(both, settings.sentiment_replies_max)
    return weight, 2.0 * min(positive, negative) / both


def polarity(evidence: Iterable[Evidence], settings: Settings = DEFAULT) -> float:
    """Return 0 to 100: the weighted mean of the evidence and a prior of 0.5 that weighs 20; no evidence gives 50.

    The sum is exactly rounded, so the order of the evidence does not show.

    >>> polarity([])
    50.0
    >>> polarity([(20.0, 1.0)])
    75.0
    """
    pieces = list(evidence)
    prior = settings.polarity_prior_weight
    divided = math.fsum((prior * settings.polarity_prior, *(weight * division for weight, division in pieces)))
    return 100.0 * divided / math.fsum((prior, *(weight for weight, _ in pieces)))
