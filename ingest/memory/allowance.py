"""An allowance: how much of what a platform grants for a day or a month is spent.

Owns the count of one period, and when the next one begins. It holds two numbers, which a collector saves in its cursor.
Must never know what a unit is, nor read a clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec


class Period(NamedTuple):
    """A day or a month; ``ends_ms`` is the first moment after it."""

    begins_ms: int
    ends_ms: int


def day(now_ms: int, zone: tzinfo = UTC) -> Period:
    """Return the day in ``zone`` that ``now_ms`` is in.

    >>> day(86_400_000 * 3 + 5)
    Period(begins_ms=259200000, ends_ms=345600000)
    """
    begin = _midnight(now_ms, zone)
    return Period(_ms(begin), _ms(begin + timedelta(days=1)))


def month(now_ms: int, zone: tzinfo = UTC) -> Period:
    """Return the calendar month in ``zone`` that ``now_ms`` is in.

    >>> month(0)
    Period(begins_ms=0, ends_ms=2678400000)
    """
    begin = _midnight(now_ms, zone).replace(day=1)
    return Period(_ms(begin), _ms((begin + timedelta(days=32)).replace(day=1)))


class BudgetLine(NamedTuple):
    """One limit, for people: the option that sets it, and what is spent or reserved of it in the current period."""

    option: str
    limit: float
    spent: float


class Spent(msgspec.Struct, frozen=True):
    """What was spent of the period that began at ``begins_ms``."""

    begins_ms: int = 0
    units: int = 0


class Allowance:
    """At most ``limit`` units in each period; ``saved``: what was spent before a restart."""

    def __init__(self, limit: int, period: Callable[[int], Period], saved: Spent = Spent()) -> None:  # noqa: B008
        self.limit = limit
        self._period = period
        self._begins_ms = saved.begins_ms
        self._units = saved.units

    def spent(self, now_ms: int) -> int:
        """Return how much is spent of the period that ``now_ms`` is in. A clock that goes back wins nothing."""
        begins_ms = self._period(now_ms).begins_ms
        if begins_ms > self._begins_ms:
            self._begins_ms, self._units = begins_ms, 0
        return self._units

    def left(self, now_ms: int) -> int:
        """Return how much may still be spent."""
        return max(0, self.limit - self.spent(now_ms))

    def spend(self, units: int, now_ms: int) -> None:
        """Count ``units`` as spent, also beyond the limit: they are spent."""
        self._units = self.spent(now_ms) + units

    def at_least(self, units: int, now_ms: int) -> None:
        """Count at least ``units`` as spent in this period: the platform counts so many."""
        self._units = max(self.spent(now_ms), units)

    def resets_in_ms(self, now_ms: int) -> int:
        """Return how long it takes until the next period begins."""
        self.spent(now_ms)
        return max(0, self._period(max(now_ms, self._begins_ms)).ends_ms - now_ms)

    def line(self, option: str, now_ms: int) -> BudgetLine:
        """Return the limit that ``option`` sets, and what is spent of it."""
        return BudgetLine(option, self.limit, self.spent(now_ms))

    def saved(self, now_ms: int, reserved: int = 0) -> Spent:
        """Return what to save. A reservation counts as spent: after a crash no one knows what became of it."""
        units = self.spent(now_ms)
        return Spent(self._begins_ms, units + reserved)


def _midnight(now_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _ms(time: datetime) -> int:
    return int(time.timestamp()) * 1000
