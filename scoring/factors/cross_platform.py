"""Cross-platform: on how many platforms the story is posted.

Owns the points per platform. Must never know which platforms there are.
"""

from scoring.settings import DEFAULT


def cross_platform(platforms: int) -> float:
    """Return 0 to 100 for the number of independent platforms with at least one post: 20 points each.

    >>> cross_platform(1), cross_platform(7)
    (20.0, 100.0)
    """
    return min(100.0, DEFAULT.points_per_platform * platforms)
