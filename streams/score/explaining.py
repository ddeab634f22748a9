"""Why a story's score is what it is: what each factor adds, the numbers behind it, and what would raise it most.

Owns the way from a NoiseScore to an explanation. The record and scoring's constants are enough for it. Must never know
how an explanation is shown.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from scoring import DEFAULT, compose
from scoring.factors.cross_platform import cross_platform
from scoring.factors.duration import duration
from scoring.factors.engagement import engagement
from scoring.factors.reach import reach
from scoring.settings import HOUR_MS
from streams.records.noise_score import NoiseScore
from streams.score.render import PEOPLE


class FactorExplained(msgspec.Struct, frozen=True):
    """One factor: its ``value`` (0 to 100), what it adds to the raw noise, and what it could still add to the noise."""

    value: float
    weight: float
    points: float
    points_to_gain: float
    how: str
    inputs: Mapping[str, object]


class Raise(msgspec.Struct, frozen=True):
    """A change, and the points of noise that it would add now."""

    change: str
    points: float


class Explained(msgspec.Struct, frozen=True):
    """The factors, what would raise the noise (both the most effective first), and the constants used.

    ``people``: of whom and what the story consists.
    """

    factors: dict[str, FactorExplained]
    raises: Sequence[Raise]
    constants: dict[str, object]
    people: Mapping[str, object] = {}


HOW = {
    "reach": f"100·log10(1 + audience) / {DEFAULT.reach_decades:g}; the audience without copies",
    "engagement": f"100·log10(1 + 10⁴·loudness) / {DEFAULT.engagement_decades:g}; loudness: interactions against those "
    "of a very loud story on each platform, without copies",
    "star_power": "points of each figure's tier: "
    + ", ".join(f"{tier} {points:g}" for tier, points in DEFAULT.tier_points.items()),
    "duration": f"share of {DEFAULT.full_duration_hours:g} h that the run of coverage has lasted; 0 with one author",
    "cross_platform": f"{DEFAULT.points_per_platform:g} for each platform with a post",
    "polarity": f"how evenly votes and replies are split, against {100 * DEFAULT.polarity_prior:g} with a weight of "
    f"{DEFAULT.polarity_prior_weight:g}",
    "industry_impact": f"assessed from the loudest posts; {DEFAULT.unassessed_impact:g} without an assessor",
}
"""The formulas in words, with the constants used."""


def explain_score(score: NoiseScore) -> Explained:
    """Return why ``score`` is what it is."""
    factors = {name: _factor(score, name) for name in HOW}
    noise = compose(score.factors, score.decay)
    raises = [Raise("new coverage now (no decay)", compose(score.factors) - noise)]
    for change, changed in _changes(score).items():
        raises.append(Raise(change, compose(replace(score.factors, **changed), score.decay) - noise))
    return Explained(
        dict(sorted(factors.items(), key=lambda named: -named[1].points)),
        sorted((one for one in raises if one.points > 1e-9), key=lambda one: -one.points),
        msgspec.to_builtins(DEFAULT),
        _inputs(score, PEOPLE),
    )


def _factor(score: NoiseScore, name: str) -> FactorExplained:
    value, weight = getattr(score.factors, name), getattr(DEFAULT.weights, name)
    return FactorExplained(
        value=value,
        weight=weight,
        points=weight * value,
        points_to_gain=weight * (100 - value) * score.decay,
        how=HOW[name],
        inputs=_inputs(score, name),
    )


def _changes(score: NoiseScore) -> dict[str, dict[str, float]]:
    """Return changes that may raise the noise, and the factor that each would change, with its value then."""
    platforms = int(_number(score, "cross_platform", "platforms_with_posts"))
    run_ms = int(_number(score, "duration", "run_ms"))
    return {
        "twice the audience": {"reach": reach(2 * _number(score, "reach", "audience"))},
        "twice the interactions": {"engagement": engagement(2 * _number(score, "engagement", "loudness"))},
        "one more figure of tier A": {"star_power": min(100.0, score.factors.star_power + DEFAULT.tier_points["A"])},
        "one more platform": {"cross_platform": cross_platform(platforms + 1)},
        "an industry impact of 100": {"industry_impact": 100.0},
        "twelve more hours of coverage": {"duration": duration(run_ms + 12 * HOUR_MS)},
    }


def _inputs(score: NoiseScore, factor: str) -> Mapping[str, object]:
    inputs = score.inputs.get(factor)
    return inputs if isinstance(inputs, Mapping) else {}


def _number(score: NoiseScore, factor: str, name: str) -> float:
    value = _inputs(score, factor).get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0
