"""Reach: how many people may have seen the story.

Owns the scale from an estimated audience to a factor. Must never know how the audience is estimated.
"""

import math

from scoring.settings import DEFAULT


def reach(audience: float) -> float:
    """Return 0 to 100 for an ``audience`` in people: logarithmic, 100 for a hundred million.

    >>> reach(0)
    0.0
    >>> round(reach(9_999), 9)
    50.0
    """
    return 100.0 * min(1.0, math.log10(1.0 + audience) / DEFAULT.reach_decades)
