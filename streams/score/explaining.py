"""Why a story's score is what it is: what each factor adds, the numbers behind it, and what would raise it most.

Owns the way from a NoiseScore to an explanation. It needs nothing but the record and scoring's constants, so anybody
who reads the topic can explain as much. Must never know how an explanation is shown.
"""

from __future__ import annotations

import msgspec

from scoring import DEFAULT
from streams.serve.records import NoiseScore

__all__ = ["FactorExplained", "explain"]


class FactorExplained(msgspec.Struct, frozen=True):
    """One factor: its ``value`` (0 to 100), what it adds to the raw noise, and what it could still add to the noise."""

    value: float
    weight: float
    points: float
    points_to_gain: float
    inputs: dict[str, object]


def explain(score: NoiseScore) -> dict[str, object]:
    """Return the score as plain values, each factor with its explanation, and the ``constants`` used."""
    weights: dict[str, float] = msgspec.to_builtins(DEFAULT.weights)
    values: dict[str, float] = msgspec.to_builtins(score.factors)
    factors = {
        name: FactorExplained(
            value=value,
            weight=weights[name],
            points=weights[name] * value,
            points_to_gain=weights[name] * (100 - value) * score.decay,
            inputs=_inputs(score, name),
        )
        for name, value in values.items()
    }
    plain: dict[str, object] = msgspec.to_builtins(score)
    return {**plain, "factors": msgspec.to_builtins(factors), "constants": msgspec.to_builtins(DEFAULT)}


def _inputs(score: NoiseScore, factor: str) -> dict[str, object]:
    inputs = score.inputs.get(factor)
    return inputs if isinstance(inputs, dict) else {}
