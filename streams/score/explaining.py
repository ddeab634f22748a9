"""Why a story's score is what it is: what each factor adds, the numbers behind it, and what would raise it most.

Owns the way from a NoiseScore to an explanation. The record and scoring's constants are enough for it. Must never know
how an explanation is shown.
"""

from collections.abc import Mapping, Sequence

import msgspec

from scoring import DEFAULT, Measured, explain
from scoring.explain import Raise
from streams.records.noise_score import NoiseScore


class FactorExplained(msgspec.Struct, frozen=True):
    """One factor: its ``value`` (0 to 100), what it adds to the raw noise, and what it could still add to the noise."""

    value: float
    weight: float
    points: float
    points_to_gain: float
    how: str
    inputs: Mapping[str, object]


class Explained(msgspec.Struct, frozen=True):
    """The whole: the factors, what would raise the noise (the most effective first), and the constants used."""

    factors: dict[str, FactorExplained]
    raises: Sequence[Raise]
    constants: dict[str, object]


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
    "industry_impact": f"assessed from the loudest posts; {DEFAULT.unassessed_impact:g} without an assessor",
}
"""The formulas in words, with the constants used."""


def explain_score(score: NoiseScore) -> Explained:
    """Return why ``score`` is what it is."""
    measured = Measured(
        _number(score, "reach", "audience"),
        _number(score, "engagement", "loudness"),
        int(_number(score, "duration", "run_ms")),
        int(_number(score, "cross_platform", "platforms_with_posts")),
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
        why.raises,
        msgspec.to_builtins(DEFAULT),
    )


def _inputs(score: NoiseScore, factor: str) -> Mapping[str, object]:
    inputs = score.inputs.get(factor)
    return inputs if isinstance(inputs, Mapping) else {}


def _number(score: NoiseScore, factor: str, name: str) -> float:
    value = _inputs(score, factor).get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0
