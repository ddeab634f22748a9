"""Explain: why a score is what it is, and what would raise it.

Owns the breakdown of a noise into points by factor, and the effect of small changes. Must never know how it is printed.
"""

import msgspec

from scoring.composite import Factors, compose
from scoring.factors.cross_platform import cross_platform
from scoring.factors.duration import duration
from scoring.factors.engagement import engagement
from scoring.factors.reach import reach
from scoring.settings import DEFAULT, HOUR_MS

FIGURE_POINTS = 20.0
"""The points of a figure of tier A: "one more figure" in :func:`explain`."""


class Measured(msgspec.Struct, frozen=True):
    """The raw numbers that a change affects; see :class:`scoring.score.Inputs`."""

    people: float
    loudness: float
    run_ms: int
    posted_platforms: int


class Part(msgspec.Struct, frozen=True):
    """One factor's part: its value (0 to 100), its weight, and the points of noise that it adds after decay."""

    factor: str
    value: float
    weight: float
    points: float


class Raise(msgspec.Struct, frozen=True):
    """A change, and the points of noise that it would add now."""

    change: str
    points: float


class Explanation(msgspec.Struct, frozen=True):
    """``parts``, the largest first, sum to the noise. ``raises``: changes with an effect, the largest first."""

    parts: tuple[Part, ...]
    raises: tuple[Raise, ...]


def explain(factors: Factors, decay: float, measured: Measured) -> Explanation:
    """Return how ``factors`` and ``decay`` make up the noise, and what would raise it."""
    noise = compose(factors, decay)
    parts = [
        Part(name, value, weight, value * weight * decay)
        for name, value, weight in zip(
            Factors.__struct_fields__,
            msgspec.structs.astuple(factors),
            [getattr(DEFAULT.weights, name) for name in Factors.__struct_fields__],
            strict=True,
        )
    ]
    changes = {
        "new coverage now (no decay)": (factors, 1.0),
        "twice the audience": (_with(factors, reach=reach(2 * measured.people)), decay),
        "twice the interactions": (_with(factors, engagement=engagement(2 * measured.loudness)), decay),
        "one more figure of tier A": (
            _with(factors, star_power=min(100.0, factors.star_power + FIGURE_POINTS)),
            decay,
        ),
        "one more platform": (
            _with(factors, cross_platform=cross_platform(measured.posted_platforms + 1)),
            decay,
        ),
        "an industry impact of 100": (_with(factors, industry_impact=100.0), decay),
        "twelve more hours of coverage": (
            _with(factors, duration=duration(measured.run_ms + 12 * HOUR_MS)),
            decay,
        ),
    }
    raises = [Raise(change, compose(then, left) - noise) for change, (then, left) in changes.items()]
    return Explanation(
        tuple(sorted(parts, key=lambda part: -part.points)),
        tuple(sorted((one for one in raises if one.points > 1e-9), key=lambda one: -one.points)),
    )


def _with(factors: Factors, **changed: float) -> Factors:
    return msgspec.structs.replace(factors, **changed)
