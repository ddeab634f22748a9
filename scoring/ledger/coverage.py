"""Coverage: the runs during which a story was covered.

Owns what a run is: coverage without a gap of more than 24 hours. Must never know what covered the story.

Runs are the connected pieces of a set of times, so they do not depend on the order in which the times come.
"""

from bisect import bisect_right

from scoring.settings import HOUR_MS

RUN_GAP_MS = 24 * HOUR_MS
"""A longer gap starts a new run. It shapes what a ledger stores, so it is not a setting."""

MAX_RUNS = 16
"""Earlier runs are dropped: only the last one is scored, and late signals may still join the others."""

Run = tuple[int, int]
"""The first and last time of coverage in a run, both UTC epoch ms."""


def cover(runs: list[Run], at_ms: int) -> None:
    """Add coverage at ``at_ms`` (UTC epoch ms) to ``runs``, in order of time, in place.

    >>> hour = 3_600_000
    >>> runs: list[Run] = []
    >>> for at in (0, 5, 60, 40): cover(runs, at * hour)
    >>> [(start // hour, end // hour) for start, end in runs]
    [(0, 5), (40, 60)]
    >>> cover(runs, 20 * hour)
    >>> [(start // hour, end // hour) for start, end in runs]
    [(0, 60)]
    """
    if runs:
        start_ms, end_ms = runs[-1]
        if start_ms <= at_ms <= end_ms + RUN_GAP_MS:
            if at_ms > end_ms:
                runs[-1] = (start_ms, at_ms)
            return
    cover_run(runs, (at_ms, at_ms))


def cover_run(runs: list[Run], run: Run) -> None:
    """Add all coverage from the first to the last time of ``run`` to ``runs``, in place."""
    start_ms, end_ms = run
    first = at = bisect_right(runs, run)
    while first > 0 and runs[first - 1][1] + RUN_GAP_MS >= start_ms:
        first -= 1
        start_ms, end_ms = min(start_ms, runs[first][0]), max(end_ms, runs[first][1])
    while at < len(runs) and runs[at][0] - RUN_GAP_MS <= end_ms:
        end_ms = max(end_ms, runs[at][1])
        at += 1
    runs[first:at] = [(start_ms, end_ms)]
    del runs[:-MAX_RUNS]
