"""Every constant of the arithmetic, in one object.

Owns the numbers of SCORING.md and their units. Must never know how they are used.

The reference site published weights, half-life, star tiers, the 72 h of duration, points per platform and the
lifecycle's thresholds. The rest is ours.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

Tier = Literal["S", "A", "B", "C"]
"""How well known a public figure is: from S, known to everyone, to C, known within the beat."""


class Weights(msgspec.Struct, frozen=True):
    """The share of each factor in the raw score; together 1. In the order of :class:`scoring.composite.Factors`."""

    reach: float = 0.20
    engagement: float = 0.20
    star_power: float = 0.15
    duration: float = 0.10
    cross_platform: float = 0.15
    polarity: float = 0.10
    industry_impact: float = 0.10


_PLATFORMS = {
    "reddit": (50_000.0, 50.0),
    "hackernews": (3_000.0, 40.0),
    "x": (200_000.0, 100.0),
    "bluesky": (30_000.0, 40.0),
    "mastodon": (10_000.0, 40.0),
    "youtube": (200_000.0, 30.0),
    "lemmy": (3_000.0, 30.0),
    "news": (1_000.0, 50.0),
}
"""Interactions of a very loud story, and views per like, by platform."""


class Settings(msgspec.Struct, frozen=True):
    """All constants of scoring; those of SCORING.md.

    A platform that a mapping does not name has the ``other_…`` value beside that mapping.
    """

    weights: Weights = Weights()

    half_life_ms: int = 7 * DAY_MS

    views_per_member: float = 0.02
    views_per_follower: float = 0.05
    views_per_like: dict[str, float] = msgspec.field(
        default_factory=lambda: {name: views for name, (_, views) in _PLATFORMS.items()}
    )
    other_views_per_like: float = 50.0
    reach_decades: float = 8.0
    """An audience of 10 to this power is a reach of 100."""

    interactions_per_like: int = 1
    interactions_per_reply: int = 2
    interactions_per_share: int = 3
    """What takes more effort weighs more."""
    loud_interactions: dict[str, float] = msgspec.field(
        default_factory=lambda: {name: loud for name, (loud, _) in _PLATFORMS.items()}
    )
    """Interactions of a very loud story, by platform: an engagement of 100 on that platform alone."""
    other_loud_interactions: float = 10_000.0
    engagement_decades: float = 4.0

    tier_points: Mapping[Tier, float] = msgspec.field(
        default_factory=lambda: {"S": 30.0, "A": 20.0, "B": 10.0, "C": 5.0}
    )

    points_per_platform: float = 20.0

    full_duration_hours: float = 72.0

    polarity_prior_weight: float = 20.0
    polarity_prior: float = 0.5
    vote_weight_per_decade: float = 2.0
    vote_weight_max: float = 10.0
    sentiment_weight_per_reply: float = 0.5
    sentiment_replies_max: int = 200

    unassessed_impact: float = 50.0

    def add_platform(self, name: str, loud_interactions: float | None, views_per_like: float | None) -> None:
        """Add what a platform says of itself; None leaves the ``other_…`` value.

        Raises:
            ValueError: the platform is known with another constant.
        """
        for table, value in ((self.loud_interactions, loud_interactions), (self.views_per_like, views_per_like)):
            if value is not None and table.setdefault(name, value) != value:
                raise ValueError(f"{name} has the constant {table[name]:g} here, and says {value:g}")


DEFAULT = Settings()
"""SCORING.md's constants."""
