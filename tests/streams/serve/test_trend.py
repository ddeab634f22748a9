"""The trend: bounded, in order, with its first, last and loudest points."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.serve.trend import Trend

POINTS = st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 100)), min_size=1, max_size=300)


@given(points=POINTS, capacity=st.integers(8, 40))
def test_points_are_bounded_in_order_and_as_they_were_added(points: list[tuple[int, float]], capacity: int) -> None:
    trend = Trend(capacity)
    for at_ms, noise in points:
        trend.add(at_ms, noise)
        assert len(trend.points()) <= capacity
    times = [at_ms for at_ms, _ in trend.points()]
    assert times == sorted(set(times))
    assert {(at_ms, round(noise, 2)) for at_ms, noise in points} >= set(trend.points())


@given(noises=st.lists(st.floats(0, 100), min_size=1, max_size=400), capacity=st.integers(8, 40))
def test_the_first_the_last_and_the_loudest_point_survive(noises: list[float], capacity: int) -> None:
    trend = Trend(capacity)
    for at_ms, noise in enumerate(noises):
        trend.add(at_ms, noise)
    points = trend.points()
    assert points[0] == (0, round(noises[0], 2))
    assert points[-1] == (len(noises) - 1, round(noises[-1], 2))
    assert max(noise for _, noise in points) == round(max(noises), 2)


def test_the_recent_past_is_finer_than_the_far_past() -> None:
    trend = Trend(64)
    for at_ms in range(10_000):
        trend.add(at_ms, 50)
    times = [at_ms for at_ms, _ in trend.points()]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) in gaps[:4]
    assert max(gaps) > 50 * gaps[-1]


def test_a_time_that_comes_again_replaces_its_point() -> None:
    trend = Trend(8)
    for noise in (10, 20, 30):
        trend.add(5, noise)
    assert trend.points() == [(5, 30)]
