"""Rates: how many new items a source usually gives in an hour of the week, and whether it gives that many now.

Owns what is usual, learnt from the last four weeks, and the test for a source that is silent or gives too little. Pure:
the time is an argument. Must never know where items come from.

The usual number is a median over the same hour of earlier weeks, or of earlier days while there are too few weeks. So
one outage, one rush or one holiday does not move it, and a nightly low is usual at night. Counts of real sources spread
more than independent events would. That excess is measured, and evidence counts for less by as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
SLOT_MS: Final = 5 * MINUTE_MS
SLOTS_PER_HOUR: Final = 12
WEEK_HOURS, DAY_HOURS = 168, 24
WEEKS: Final = 4
"""How far back it remembers."""
LEAST_WEEKS, LEAST_DAYS = 2, 3
"""Earlier weeks, or else days, from which an hour's usual number is taken. With fewer it is unknown."""
WATCHED_SLOTS: Final = 9
"""An hour counts as watched if it was polled in three quarters of it."""
LONGEST_POLL_MS: Final = 35 * MINUTE_MS
"""Between two polls that are further apart the source was not watched. The slowest source is polled each 15 minutes."""
WINDOWS: Final = (1, 3, 6, 12, 24)
"""Hours looked back on; the shortest that is long enough to tell decides."""
SILENT_EXPECTED: Final = 12.0
"""No item where so many are usual: with independent items that happens once in 160 000 times."""
LOW_SHARE: Final = 0.65
LOW_EXPECTED: Final = 60.0
"""Less than this share where so many are usual is 2.7 standard deviations or more, over hours that do not overlap."""
MEDIAN_OF_SQUARE: Final = 0.455
"""The median of the square of a standard normal number: what the spread of independent counts would give."""


class Completeness(StrEnum):
    """Whether a source gives what is usual."""

    LEARNING = "learning"  # too little is known of this hour
    USUAL = "usual"
    LOW = "low"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Judgement:
    """``items`` came in the last ``hours`` hours (those that were watched), where ``expected`` are usual."""

    completeness: Completeness
    items: int = 0
    expected: float = 0.0
    hours: int = 0


class Rates:
    """The items of one source: by hour for four weeks, by five minutes for a day.

    ``by_hour``: items by the number of the hour since 1970, of hours that were watched.
    """

    def __init__(self, by_hour: Mapping[int, int] = {}) -> None:
        self.by_hour = dict(by_hour)
        self._by_slot: dict[int, int] = {}
        self._polled_ms: int | None = None
        self._known_excess: float | None = None

    def add(self, items: int, now_ms: int) -> None:
        """Take in a successful poll at ``now_ms`` (UTC epoch ms) that gave ``items`` new ones, perhaps none."""
        slot = now_ms // SLOT_MS
        since_ms = now_ms if self._polled_ms is None else self._polled_ms
        first = since_ms // SLOT_MS if 0 <= now_ms - since_ms <= LONGEST_POLL_MS else slot
        for watched in range(first, slot + 1):
            self._by_slot.setdefault(watched, 0)
        self._by_slot[slot] += items
        if first // SLOTS_PER_HOUR < slot // SLOTS_PER_HOUR:
            self._close_hours(slot // SLOTS_PER_HOUR)
        self._polled_ms = now_ms

    def usual(self, hour: int) -> float | None:
        """Return the usual number of items in the hour with this number since 1970; None if too little is known."""
        weeks = [self.by_hour[past] for past in range(hour - WEEK_HOURS, hour - WEEKS * WEEK_HOURS - 1, -WEEK_HOURS)
                 if past in self.by_hour]  # fmt: skip
        if len(weeks) >= LEAST_WEEKS:
            return median(weeks)
        days = [self.by_hour[past] for past in range(hour - DAY_HOURS, hour - 2 * WEEK_HOURS - 1, -DAY_HOURS)
                if past in self.by_hour]  # fmt: skip
        return median(days) if len(days) >= LEAST_DAYS else None

    def judge(self, now_ms: int) -> Judgement:
        """Return whether the source gives what is usual as of ``now_ms``."""
        slot = now_ms // SLOT_MS
        usual = {hour: self.usual(hour) for hour in {past // SLOTS_PER_HOUR for past in self._by_slot}}
        excess, result = self.excess, Judgement(Completeness.LEARNING)
        for hours in WINDOWS:
            watched = [past for past in self._by_slot if slot - hours * SLOTS_PER_HOUR < past <= slot]
            rates = [usual[past // SLOTS_PER_HOUR] for past in watched]
            known = [rate for rate in rates if rate is not None]
            if not known or len(known) < len(rates):
                return result
            items, expected = sum(self._by_slot[past] for past in watched), sum(known) / SLOTS_PER_HOUR
            result = Judgement(Completeness.USUAL, items, expected, hours)
            if not items and expected >= SILENT_EXPECTED * excess:
                return Judgement(Completeness.SILENT, items, expected, hours)
            if items < LOW_SHARE * expected and expected >= LOW_EXPECTED * excess:
                return Judgement(Completeness.LOW, items, expected, hours)
        return result

    @property
    def excess(self) -> float:
        """How many times the counts of hours spread more than independent items would; at least 1."""
        if self._known_excess is None:  # it changes with the hour, and takes most of the time of a judgement
            self._known_excess = self._excess()
        return self._known_excess

    def _excess(self) -> float:
        squares = [
            (items - usual) ** 2 / usual
            for hour, items in sorted(self.by_hour.items())[-WEEK_HOURS:]
            if (usual := self.usual(hour))
        ]
        return max(1.0, median(squares) / MEDIAN_OF_SQUARE) if squares else 1.0

    def _close_hours(self, hour: int) -> None:
        """Count the hours before ``hour``, and forget what is too old."""
        by_hour: dict[int, list[int]] = {}
        for slot, items in self._by_slot.items():
            by_hour.setdefault(slot // SLOTS_PER_HOUR, []).append(items)
        for past, counts in by_hour.items():
            if past < hour and len(counts) >= WATCHED_SLOTS:
                self.by_hour.setdefault(past, sum(counts))
        self._known_excess = None
        oldest = hour - WEEKS * WEEK_HOURS - 1
        self.by_hour = {past: items for past, items in self.by_hour.items() if past >= oldest}
        earliest = (hour - WINDOWS[-1] - 1) * SLOTS_PER_HOUR
        self._by_slot = {slot: items for slot, items in self._by_slot.items() if slot >= earliest}
