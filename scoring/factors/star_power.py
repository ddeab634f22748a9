"""Star power: which public figures are involved.

Owns the points of a tier and their cap. Must never know who belongs to which tier.
"""

from collections.abc import Iterable

from scoring.settings import DEFAULT, Tier


def star_power(tiers: Iterable[Tier]) -> float:
    """Return 0 to 100: the sum of the points of each distinct figure's tier (S 30, A 20, B 10, C 5), at most 100.

    >>> star_power(["S", "A", "C"])
    55.0
    >>> star_power([])
    0.0
    """
    points = DEFAULT.tier_points
    return min(100.0, float(sum(points[tier] for tier in tiers)))
