"""Duration: how long the current run of coverage has lasted.

Owns the scale from hours to a factor. Must never know what breaks a run (:mod:`scoring.ledger.coverage` does).
"""

from scoring.settings import DEFAULT, HOUR_MS


def duration(run_ms: int) -> float:
    """Return 0 to 100 for a run of ``run_ms``: linear, 100 from 72 hours.

    >>> duration(36 * 3_600_000)
    50.0
    """
    return 100.0 * min(1.0, run_ms / (DEFAULT.full_duration_hours * HOUR_MS))
