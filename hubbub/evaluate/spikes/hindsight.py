"""Hindsight: when a story surged, computed from the whole story.

Owns the definition of a surge that detectors are compared with. It knows the future, as no detector does. Must never
share anything with a detector.

A story's time is divided into blocks of constant rate: the most probable division, given all its items. These are
Bayesian blocks: Scargle, Norris, Jackson & Chiang, "Studies in Astronomical Time Series Analysis VI", ApJ 764, 167
(2013).

A story surges in blocks of at least three times its usual rate: the median rate over time, with a day of silence before
the story. A detector should find a surge of at least 15 items at 15 items/h or more (the reference site's
growing story). The onset is when that rate begins. From 5 items/h on, an alarm is not
wrong.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

import numpy as np

HOUR_MS = 3_600_000
SILENCE_BEFORE_MS = 24 * HOUR_MS
FALSE_CHANGES = 0.001
"""The probability of finding a change of rate where there is none (p0 of Scargle et al.)."""
LEAST_PER_HOUR = 15.0
LEAST_ITEMS = 15
TIMES_USUAL = 3.0
DOUBTFUL_PER_HOUR = 5.0


class Cell(NamedTuple):
    """The number of ``items`` between two times, UTC epoch ms."""

    begin_ms: int
    end_ms: int
    items: int

    @property
    def per_hour(self) -> float:
        """The rate, in items per hour."""
        return self.items * HOUR_MS / (self.end_ms - self.begin_ms)


class Surge(NamedTuple):
    """A time when more is said than usual. All times are UTC epoch ms.

    ``onset_ms``: from then on a detector should fire; None: it need not. Between ``rise_ms`` and ``end_ms`` no alarm is
    wrong.
    """

    rise_ms: int
    onset_ms: int | None
    end_ms: int


def surges(cells: Sequence[Cell]) -> list[Surge]:
    """Return the surges of a story, given its cells in order, without gaps."""
    if not cells:
        return []
    divided = list(blocks(cells))
    usual = TIMES_USUAL * _usual(divided)
    found: list[Surge] = []
    for livelier, run in groupby(divided, lambda block: block.per_hour >= max(DOUBTFUL_PER_HOUR, usual)):
        if livelier:
            held = list(run)
            found.append(Surge(held[0].begin_ms, _onset_ms(held), held[-1].end_ms))
    return found


def _onset_ms(run: Sequence[Cell]) -> int | None:
    """Return when the first part of a run begins that is fast enough for long enough; None if there is none."""
    for fast, part in groupby(run, lambda block: block.per_hour >= LEAST_PER_HOUR):
        held = list(part)
        if fast and sum(block.items for block in held) >= LEAST_ITEMS:
            return held[0].begin_ms
    return None


def blocks(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Yield the blocks of constant rate: the best division of ``cells``, found exactly in O(n²).

    >>> calm, busy = [Cell(t, t + 10, 1) for t in range(0, 500, 10)], [Cell(t, t + 1, 1) for t in range(500, 550)]
    >>> [(block.begin_ms, block.items) for block in blocks([*calm, *busy])]
    [(0, 50), (500, 50)]
    """
    starts_ms = np.array([cell.begin_ms for cell in cells], dtype=np.float64)
    counts = np.array([cell.items for cell in cells], dtype=np.float64)
    items = max(1.0, float(counts.sum()))
    penalty = 4 - math.log(73.53 * FALSE_CHANGES * items**-0.478)
    best = np.zeros(len(cells) + 1)
    last = np.zeros(len(cells), dtype=np.int64)
    before = np.concatenate(([0.0], np.cumsum(counts)))
    for end in range(len(cells)):
        held = before[end + 1] - before[: end + 1]
        length = cells[end].end_ms - starts_ms[: end + 1]
        fitness = held * np.log(np.maximum(held, 1.0) / length) - penalty + best[: end + 1]
        last[end] = int(np.argmax(fitness))
        best[end + 1] = fitness[last[end]]
    changes = [len(cells)]
    while changes[-1]:
        changes.append(int(last[changes[-1] - 1]))
    changes.reverse()
    for begin, end in pairwise(changes):
        yield Cell(cells[begin].begin_ms, cells[end - 1].end_ms, int(before[end] - before[begin]))


def _usual(divided: Sequence[Cell]) -> float:
    """Return the median rate per hour over time, with a day of silence before the story."""
    spells = sorted([(0.0, SILENCE_BEFORE_MS), *((block.per_hour, block.end_ms - block.begin_ms) for block in divided)])
    reached_ms = accumulate(length_ms for _, length_ms in spells)
    half_ms = sum(length_ms for _, length_ms in spells) / 2
    return next(per_hour for (per_hour, _), until_ms in zip(spells, reached_ms, strict=True) if until_ms >= half_ms)
