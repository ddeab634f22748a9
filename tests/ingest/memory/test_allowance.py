"""Allowances: days and months begin where they should, and the account survives a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from ingest.memory.allowance import Allowance, Period, Spent, day, month

PACIFIC = ZoneInfo("America/Los_Angeles")
DAY_MS = 86_400_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "begins", "hours"),
    [
        ("2026-03-08T20:00:00Z", "2026-03-08T08:00:00Z", 23),  # summer time begins
        ("2026-11-01T20:00:00Z", "2026-11-01T07:00:00Z", 25),  # and ends
        ("2026-07-01T06:59:59Z", "2026-06-30T07:00:00Z", 24),
        ("2026-07-01T07:00:00Z", "2026-07-01T07:00:00Z", 24),
    ],
)
def test_a_pacific_day_follows_summer_time(now: str, begins: str, hours: int) -> None:
    assert day(ms(now), PACIFIC) == Period(ms(begins), ms(begins) + hours * 3_600_000)


def test_a_month_is_a_calendar_month() -> None:
    assert month(ms("2028-02-29T23:59:59Z")) == Period(ms("2028-02-01T00:00:00Z"), ms("2028-03-01T00:00:00Z"))
    assert month(ms("2026-12-31T00:00:00Z")).ends_ms == ms("2027-01-01T00:00:00Z")


def test_the_account_begins_again_with_the_period_only() -> None:
    allowance = Allowance(10, day)
    allowance.spend(7, 5)
    allowance.spend(7, DAY_MS - 1)
    assert (allowance.spent(DAY_MS - 1), allowance.left(DAY_MS - 1)) == (14, 0)
    assert allowance.resets_in_ms(DAY_MS - 1) == 1
    assert allowance.left(DAY_MS) == 10


def test_a_clock_that_goes_back_wins_nothing() -> None:
    allowance = Allowance(10, day)
    allowance.spend(8, 3 * DAY_MS)
    assert allowance.left(2 * DAY_MS) == 2
    assert allowance.resets_in_ms(2 * DAY_MS) == 2 * DAY_MS


def test_a_restart_goes_on_with_what_was_spent_and_reserved() -> None:
    allowance = Allowance(10, day)
    allowance.spend(3, 0)
    assert Allowance(10, day, allowance.saved(0, reserved=4)).left(DAY_MS - 1) == 3
    assert Allowance(10, day, Spent()).left(0) == 10


def test_the_platforms_own_count_only_raises_ours() -> None:
    allowance = Allowance(10, partial(day, zone=UTC))
    allowance.at_least(6, 0)
    allowance.at_least(2, 0)
    assert allowance.left(0) == 4
