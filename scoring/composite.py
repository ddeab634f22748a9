"""Composite: seven factors and a decay make one noise.

Owns the weighted sum. Must never know how a factor is computed.
"""

import math
import operator
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from scoring.settings import DEFAULT

Points = Annotated[float, Meta(ge=0, le=100)]


class FactorText(NamedTuple):
    """What a reader sees of a factor: its name, and what it measures."""

    label: str
    measures: str


FACTORS: dict[str, FactorText] = {
    "reach": FactorText("Reach", "How many people may have seen it"),
    "engagement": FactorText("Engagement", "How much they react, against a very loud story"),
    "star_power": FactorText("Star power", "Which public figures are involved"),
    "cross_platform": FactorText("Cross-platform", "On how many platforms it is posted"),
    "duration": FactorText("Duration", "How long coverage has been running"),
    "polarity": FactorText("Polarity", "How divided the reaction is"),
    "industry_impact": FactorText("Industry impact", "What it may mean for jobs, policy, products"),
}
"""Each field of :class:`Factors`, in the order in which they are shown."""


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """The seven factors of a story at one time, each 0 to 100."""

    reach: Points
    engagement: Points
    star_power: Points
    duration: Points
    cross_platform: Points
    polarity: Points
    industry_impact: Points


def raw(factors: Factors) -> float:
    """Return the weighted sum of the factors, 0 to 100, before decay.

    >>> raw(Factors(reach=38, engagement=83, star_power=15, duration=4,
    ...             cross_platform=20, polarity=50, industry_impact=50))
    39.85
    """
    return math.fsum(map(operator.mul, astuple(DEFAULT.weights), astuple(factors)))


def compose(factors: Factors, decay: float = 1.0) -> float:
    """Return the noise, 0 to 100: the raw score times the share left after decay (0 to 1).

    >>> round(compose(Factors(reach=38, engagement=83, star_power=15, duration=4,
    ...                       cross_platform=20, polarity=50, industry_impact=50), decay=0.99), 9)
    39.4515
    """
    return raw(factors) * decay
