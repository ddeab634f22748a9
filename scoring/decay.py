"""Decay: how much of a story's noise is left since it was last covered.

Owns the exponential decay of SCORING.md. Must never know what counts as coverage.
"""

from scoring.settings import DEFAULT


def decay(silence_ms: int) -> float:
    """Return the share of noise, above 0 to 1, that is left after ``silence_ms``: half for each half-life (7 days).

    Coverage after the time of scoring leaves no silence: a negative ``silence_ms`` counts as 0.

    >>> decay(0), decay(7 * 24 * 3_600_000)
    (1.0, 0.5)
    """
    return float(0.5 ** (max(0, silence_ms) / DEFAULT.half_life_ms))
