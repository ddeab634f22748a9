"""A source that falls silent or gives half of the usual is found; a night, a rush and an outage raise no alarm."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from ingest.rates import DAY_HOURS, HOUR_MS, MINUTE_MS, WEEK_HOURS, WEEKS, Completeness, Judgement, Rates

START_MS = 1_767_225_600_000 // (WEEK_HOURS * HOUR_MS) * WEEK_HOURS * HOUR_MS
POLL_MS = 4 * MINUTE_MS
Rate = Callable[[int], float]
"""Items an hour at a time."""


def daily(at_ms: int) -> float:
    """Return a rate with a nightly low of a tenth of the daily high, and quiet weekends."""
    hour = at_ms // HOUR_MS
    day = 0.55 + 0.45 * math.sin(2 * math.pi * (hour % DAY_HOURS) / DAY_HOURS)
    return 300 * day * (0.4 if hour % WEEK_HOURS >= 5 * DAY_HOURS else 1.0)


def _poisson(rng: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count


class Source:
    """A source that is polled; it keeps each judgement with its time."""

    def __init__(self, seed: int = 1, poll_ms: int = POLL_MS) -> None:
        self.rates, self.rng, self.now_ms, self.poll_ms = Rates(), random.Random(seed), START_MS, poll_ms
        self.judged: list[Judgement] = []

    def run(self, hours: float, rate: Rate) -> list[Completeness]:
        """Poll for ``hours``; return the judgement after each hour."""
        judged: list[Judgement] = []
        end_ms = self.now_ms + int(hours * HOUR_MS)
        while self.now_ms < end_ms:
            self.now_ms += self.poll_ms
            self.rates.add(_poisson(self.rng, rate(self.now_ms) * self.poll_ms / HOUR_MS), self.now_ms)
            if self.now_ms % HOUR_MS < self.poll_ms:
                judged.append(self.rates.judge(self.now_ms))
        self.judged = judged
        return [one.completeness for one in judged]


@pytest.fixture(scope="module")
def learnt() -> dict[int, int]:
    """Return three weeks of a source."""
    source = Source()
    source.run(3 * WEEK_HOURS, daily)
    return source.rates.by_hour


def resumed(learnt: dict[int, int], hour_of_week: int, poll_ms: int = POLL_MS) -> Source:
    """Return the source in its fourth week, at an hour of it, after a restart."""
    source = Source(seed=hour_of_week, poll_ms=poll_ms)
    source.rates = Rates(learnt)
    source.now_ms = START_MS + (3 * WEEK_HOURS + hour_of_week) * HOUR_MS
    return source


def test_nothing_is_said_before_enough_is_known() -> None:
    source = Source()
    assert set(source.run(3 * DAY_HOURS - 1, daily)) == {Completeness.LEARNING}
    assert source.run(20, daily)[-1] is Completeness.USUAL


@pytest.mark.parametrize("seed", range(3))
def test_a_usual_week_with_its_nights_and_weekend_raises_no_alarm(learnt: dict[int, int], seed: int) -> None:
    source = resumed(learnt, seed)
    assert set(source.run(WEEK_HOURS, daily)) == {Completeness.USUAL}


@pytest.mark.parametrize(("hour", "within_hours"), [(6, 1), (18, 2), (5 * DAY_HOURS + 6, 1)])
def test_silence_is_found_sooner_where_more_is_usual(learnt: dict[int, int], hour: int, within_hours: int) -> None:
    source = resumed(learnt, hour)
    judged = source.run(within_hours + 1, lambda _: 0.0)
    assert judged[within_hours] is Completeness.SILENT
    assert source.judged[within_hours].items == 0


@pytest.mark.parametrize("hour", [3, 18, 5 * DAY_HOURS + 3])
def test_half_of_the_usual_is_found(learnt: dict[int, int], hour: int) -> None:
    judged = resumed(learnt, hour).run(12, lambda at_ms: daily(at_ms) / 2)
    assert Completeness.LOW in judged
    assert Completeness.SILENT not in judged


def test_the_end_of_a_silence_is_found(learnt: dict[int, int]) -> None:
    source = resumed(learnt, 6)
    source.run(4, lambda _: 0.0)
    assert source.run(3, daily)[-1] in {Completeness.USUAL, Completeness.LOW}
    assert source.run(24, daily)[-1] is Completeness.USUAL


def test_an_outage_and_a_rush_do_not_become_usual(learnt: dict[int, int]) -> None:
    source = resumed(learnt, 0)
    source.run(DAY_HOURS, lambda _: 0.0)
    source.run(DAY_HOURS, lambda at_ms: 20 * daily(at_ms))
    source.now_ms += 5 * DAY_HOURS * HOUR_MS
    assert set(source.run(2 * DAY_HOURS, daily)) == {Completeness.USUAL}


def test_time_without_polls_is_not_held_against_the_source(learnt: dict[int, int]) -> None:
    source = resumed(learnt, 6)
    source.run(2, daily)
    source.now_ms += 10 * HOUR_MS
    assert set(source.run(3, daily)) == {Completeness.USUAL}
    assert set(range(8, 16)).isdisjoint(hour - START_MS // HOUR_MS - 3 * WEEK_HOURS for hour in source.rates.by_hour)


def test_a_source_that_is_polled_every_quarter_of_an_hour_is_judged_alike(learnt: dict[int, int]) -> None:
    source = resumed(learnt, 2, poll_ms=15 * MINUTE_MS)
    assert set(source.run(DAY_HOURS, daily)) == {Completeness.USUAL}
    assert source.run(2, lambda _: 0.0)[-1] is Completeness.SILENT


def test_a_source_that_comes_in_clumps_needs_more_evidence() -> None:
    source = Source(seed=5)

    def clumped(_: int) -> float:
        return 400.0 if source.rng.random() < 0.1 else 0.0

    source.run(3 * WEEK_HOURS, clumped)
    judged = source.run(WEEK_HOURS, clumped)
    assert judged.count(Completeness.SILENT) + judged.count(Completeness.LOW) <= 2
    assert source.run(DAY_HOURS, lambda _: 0.0)[-1] is Completeness.SILENT


def test_memory_is_bounded() -> None:
    source = Source(poll_ms=30 * MINUTE_MS)
    source.run((WEEKS + 3) * WEEK_HOURS, daily)
    assert len(source.rates.by_hour) <= WEEKS * WEEK_HOURS + 1
    assert len(source.rates._by_slot) <= 27 * 12
