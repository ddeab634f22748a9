"""Engagement: how much people interact with the story, relative to a very loud story on each platform.

Owns the scale from interactions to a factor. Must never know how counts are collected.
"""

import math
from collections.abc import Mapping

from scoring.settings import DEFAULT


def loudness(interactions_by_platform: Mapping[str, float]) -> float:
    """Return J: the sum over platforms of interactions, divided by those of a very loud story there; 1 is very loud.

    >>> loudness({"hackernews": 1500, "reddit": 5000})
    0.6
    """
    loud, other = DEFAULT.loud_interactions, DEFAULT.other_loud_interactions
    return math.fsum(count / loud.get(platform, other) for platform, count in interactions_by_platform.items())


def engagement(loudness: float) -> float:
    """Return 0 to 100 for J (see :func:`loudness`): logarithmic over four decades, 100 where J is 1 or more.

    >>> engagement(0), engagement(1.0)
    (0.0, 100.0)
    """
    decades = DEFAULT.engagement_decades
    return 100.0 * min(1.0, math.log10(1.0 + 10.0**decades * loudness) / decades)
