"""Tracked items: young and loud items are due more often, old ones leave, and the bound holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.memory.tracked import HOUR_MS, MINUTE_MS, TrackedItems
from ingest.signal import Counts, Signal

BEGIN_MS = 1_704_210_000_000


def seen(id_: str, age_ms: int, likes: int = 0, created_ms: int = BEGIN_MS) -> Signal:
    return Signal(
        id=f"x:{id_}",
        kind="post",
        platform="x",
        thread=f"x:{id_}",
        counts=Counts(likes=likes),
        created_ms=created_ms,
        observed_ms=created_ms + age_ms,
    )


def poll_ages(
    hours: float, likes_per_hour: float, step_ms: int = MINUTE_MS, max_age_ms: int = 72 * HOUR_MS
) -> list[int]:
    """Return at which ages, in minutes, an item that grows steadily is polled."""
    tracked = TrackedItems(10, max_age_ms)
    tracked.observe(seen("a", 0))
    ages = []
    for age_ms in range(0, int(hours * HOUR_MS), step_ms):
        if tracked.due(BEGIN_MS + age_ms, 10):
            ages.append(age_ms // MINUTE_MS)
            tracked.observe(seen("a", age_ms, int(likes_per_hour * age_ms / HOUR_MS)))
    return ages


def test_the_younger_the_more_often() -> None:
    ages = poll_ages(30, 0)
    assert ages[:3] == [3, 6, 9]
    per_hour = [sum(hour * 60 <= age < (hour + 1) * 60 for age in ages) for hour in range(30)]
    assert per_hour[:24] == sorted(per_hour[:24], reverse=True)
    assert (per_hour[0], per_hour[3], per_hour[12]) == (19, 6, 2)
    assert sum(per_hour[24:]) <= 4


def test_a_loud_item_is_polled_more_often() -> None:
    assert 3 * len(poll_ages(24, 10)) < len(poll_ages(24, 1_000))


def test_an_item_that_falls_silent_is_polled_less_often() -> None:
    tracked = TrackedItems(10, 72 * HOUR_MS)
    tracked.observe(seen("a", 10 * HOUR_MS, 50_000))
    assert tracked.due(BEGIN_MS + 10 * HOUR_MS + 8 * MINUTE_MS, 1) == ["x:a"]
    tracked.observe(seen("a", 10 * HOUR_MS + 8 * MINUTE_MS, 50_000))
    assert tracked.due(BEGIN_MS + 10 * HOUR_MS + 30 * MINUTE_MS, 1) == []
    assert tracked.due(BEGIN_MS + 10 * HOUR_MS + 38 * MINUTE_MS, 1) == ["x:a"]


def test_an_old_item_leaves() -> None:
    ages = poll_ages(100, 5_000, max_age_ms=72 * HOUR_MS)
    assert 70 * 60 < max(ages) < 72 * 60


def test_an_item_the_platform_no_longer_gives_comes_up_again_and_leaves_in_the_end() -> None:
    tracked = TrackedItems(10, 24 * HOUR_MS)
    tracked.observe(seen("a", 0))
    asked = sum(bool(tracked.due(BEGIN_MS + minute * MINUTE_MS, 1)) for minute in range(25 * 60))
    assert 50 < asked < 100
    assert len(tracked) == 0


def test_the_longest_overdue_come_first_and_the_others_next() -> None:
    tracked = TrackedItems(100, 72 * HOUR_MS)
    for number in range(20):
        tracked.observe(seen(f"{number:02}", 0, created_ms=BEGIN_MS + number * 1000))
    later_ms = BEGIN_MS + HOUR_MS
    first, second = tracked.due(later_ms, 15), tracked.due(later_ms, 15)
    assert first == [f"x:{number:02}" for number in range(15)]
    assert second == [f"x:{number:02}" for number in range(15, 20)]
    assert tracked.due(later_ms, 15) == []


def test_requests_are_spent_where_most_is_expected_to_change_and_the_quiet_come_in_the_end() -> None:
    tracked = TrackedItems(100, 72 * HOUR_MS)
    for number in range(20):
        tracked.observe(seen(f"{number:02}", 0))
        tracked.observe(seen(f"{number:02}", 10 * MINUTE_MS, likes=5 if number >= 16 else 0))
    later_ms = BEGIN_MS + 20 * MINUTE_MS
    assert set(tracked.due(later_ms, 4)) == {f"x:{number:02}" for number in range(16, 20)}
    asked: set[str] = set()
    for minute in range(20, 260):
        for id_ in tracked.due(BEGIN_MS + minute * MINUTE_MS, 1):
            asked.add(id_)
            likes = 5 + minute // 2 if int(id_[2:]) >= 16 else 0
            tracked.observe(seen(id_[2:], minute * MINUTE_MS, likes))
    assert len(asked) == 20


def test_a_count_beyond_all_numbers_does_no_harm() -> None:
    tracked = TrackedItems(10, 72 * HOUR_MS)
    for number, likes in enumerate((10**400, -(10**400), 5)):
        tracked.observe(seen("a", number * MINUTE_MS, likes))
    assert tracked.due(BEGIN_MS + HOUR_MS, 10) == ["x:a"]


def test_restored_items_are_due_at_once() -> None:
    tracked = TrackedItems(100, 72 * HOUR_MS)
    tracked.observe(seen("a", 0))
    tracked.restore(["x:a", "x:b"], BEGIN_MS)
    assert tracked.due(BEGIN_MS, 10) == ["x:b"]
    assert tracked.ids() == ["x:a", "x:b"]


def test_a_removed_item_does_not_come_up() -> None:
    tracked = TrackedItems(100, 72 * HOUR_MS)
    tracked.observe(seen("a", 0))
    tracked.remove("x:a")
    tracked.remove("x:never")
    assert tracked.due(BEGIN_MS + HOUR_MS, 10) == []


def test_the_most_urgent_stay_when_there_are_too_many() -> None:
    tracked = TrackedItems(10, 72 * HOUR_MS)
    for number in range(10):
        tracked.observe(seen(f"old{number}", 30 * HOUR_MS, created_ms=BEGIN_MS - 30 * HOUR_MS))
    for number in range(8):
        tracked.observe(seen(f"young{number}", 0))
    assert len(tracked) <= 10
    assert {f"x:young{number}" for number in range(8)} <= set(tracked.ids())


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 80 * HOUR_MS), st.integers(0, 10_000), st.booleans()), max_size=200
    )
)
def test_it_stays_within_its_bound_and_asks_for_nothing_it_does_not_watch(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    tracked = TrackedItems(8, 72 * HOUR_MS)
    for id_, age_ms, likes, ask in steps:
        tracked.observe(seen(str(id_), age_ms, likes))
        assert len(tracked) <= 8
        if ask:
            watched = set(tracked.ids())
            due = tracked.due(BEGIN_MS + age_ms, 5)
            assert len(due) == len(set(due)) <= 5
            assert set(due) <= watched
    assert len(tracked._queue) <= 4 * 8
