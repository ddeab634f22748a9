"""Why a story's score is what it is: what each factor adds, the numbers behind it, and what would raise it most.

Owns the way from a NoiseScore to an explanation. It needs nothing but the record and scoring's constants, so anybody
who reads the topic can explain as much. Must never know how an explanation is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from scoring import DEFAULT, explain
from streams.records.noise_score import NoiseScore

__all__ = ["Explained", "FactorExplained", "Raised", "explain_score"]


class FactorExplained(msgspec.Struct, frozen=True):
    """One factor: its ``value`` (0 to 100), what it adds to the raw noise, and what it could still add to the noise."""

    value: float
    weight: float
    points: float
    points_to_gain: float
    how: str
    inputs: Mapping[str, object]


class Raised(msgspec.Struct, frozen=True):
    """A change, and the points of noise that it would add now."""

    change: str
    points: float


class Explained(msgspec.Struct, frozen=True):
    """The whole: the factors, what would raise the noise (the most effective first), and the constants used."""

    factors: dict[str, FactorExplained]
    raises: list[Raised]
    constants: dict[str, object]


class _Measured(msgspec.Struct, frozen=True):
    """What the record says of the raw numbers; 0 where a record of an older version does not."""

    people: float
    loudness: float
    run_ms: int
    posted_platforms: int


HOW = {
    "reach": f"100·log10(1 + audience) / {DEFAULT.reach_decades:g}",
    "engagement": f"100·log10(1 + 10⁴·loudness) / {DEFAULT.engagement_decades:g}; loudness: interactions against those "
    "of a very loud story on each platform",
    "star_power": "points of each figure's tier: "
    + ", ".join(f"{tier} {points:g}" for tier, points in DEFAULT.tier_points.items()),
    "duration": f"share of {DEFAULT.full_duration_hours:g} h that the run of coverage has lasted",
    "cross_platform": f"{DEFAULT.points_per_platform:g} for each platform with a post",
    "polarity": f"how evenly votes and replies are split, against {100 * DEFAULT.polarity_prior:g} with a weight of "
    f"{DEFAULT.polarity_prior_weight:g}",
    "industry_impact": f"assessed from the loudest posts; {DEFAULT.unassessed_impact:g} where nobody has",
}
"""The formulas in words, with the constants used."""


def explain_score(score: NoiseScore) -> Explained:
    """Return why ``score`` is what it is."""
    reach, engagement, duration, platforms = (
        _inputs(score, name) for name in ("reach", "engagement", "duration", "cross_platform")
    )
    measured = _Measured(
        _number(reach, "audience"),
        _number(engagement, "loudness"),
        int(_number(duration, "run_ms")),
        int(_number(platforms, "platforms_with_posts")),
    )
    why = explain(score.factors, score.decay, measured)
    return Explained(
        {
            part.factor: FactorExplained(
                value=part.value,
                weight=part.weight,
                points=part.weight * part.value,
                points_to_gain=part.weight * (100 - part.value) * score.decay,
                how=HOW[part.factor],
                inputs=_inputs(score, part.factor),
            )
            for part in why.parts
        },
        [Raised(one.change, one.points) for one in why.raises],
        msgspec.to_builtins(DEFAULT),
    )


def _inputs(score: NoiseScore, factor: str) -> Mapping[str, object]:
    inputs = score.inputs.get(factor)
    return inputs if isinstance(inputs, Mapping) else {}


def _number(inputs: Mapping[str, object], name: str) -> float:
    value = inputs.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0
