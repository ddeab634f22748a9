"""Composite: seven factors and a decay make one noise.

Owns the weighted sum. Must never know what the factors are made of.
"""

from __future__ import annotations

import math

import msgspec

from scoring.settings import DEFAULT, Settings

__all__ = ["Factors", "compose", "raw"]


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """The seven factors of a story at one time, each 0 to 100."""

    reach: float
    engagement: float
    star_power: float
    duration: float
    cross_platform: float
    polarity: float
    industry_impact: float


def raw(factors: Factors, settings: Settings = DEFAULT) -> float:
    """Return the weighted sum of the factors, 0 to 100, before decay.

    >>> raw(Factors(reach=38, engagement=83, star_power=15, duration=4,
    ...             cross_platform=20, polarity=50, industry_impact=50))
    39.85
    """
    weights = settings.weights
    return math.fsum(
        (
            weights.reach * factors.reach,
            weights.engagement * factors.engagement,
            weights.star_power * factors.star_power,
            weights.duration * factors.duration,
            weights.cross_platform * factors.cross_platform,
            weights.polarity * factors.polarity,
            weights.industry_impact * factors.industry_impact,
        )
    )


def compose(factors: Factors, decay: float = 1.0, settings: Settings = DEFAULT) -> float:
    """Return the noise, 0 to 100: the raw score times the share left after decay (0 to 1).

    >>> round(compose(Factors(reach=38, engagement=83, star_power=15, duration=4,
    ...                       cross_platform=20, polarity=50, industry_impact=50), decay=0.99), 9)
    39.4515
    """
    return raw(factors, settings) * decay
