"""The watch: young and loud items come up more often, old ones leave, and it never grows past its bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.memory.tracked import HOUR_MS, MINUTE_MS, Watch
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


def looks(hours: float, likes_per_hour: float, step_ms: int = MINUTE_MS, max_age_ms: int = 72 * HOUR_MS) -> list[int]:
    """Return at which ages, in minutes, an item that grows steadily is looked at."""
    watch = Watch(10, max_age_ms)
    watch.note(seen("a", 0))
    ages = []
    for age_ms in range(0, int(hours * HOUR_MS), step_ms):
        if watch.due(BEGIN_MS + age_ms, 10):
            ages.append(age_ms // MINUTE_MS)
            watch.note(seen("a", age_ms, int(likes_per_hour * age_ms / HOUR_MS)))
    return ages


def test_the_younger_the_more_often() -> None:
    ages = looks(30, 0)
    assert ages[:3] == [3, 6, 9]
    per_hour = [sum(hour * 60 <= age < (hour + 1) * 60 for age in ages) for hour in range(30)]
    assert per_hour[:24] == sorted(per_hour[:24], reverse=True)
    assert (per_hour[0], per_hour[3], per_hour[12]) == (19, 6, 2)
    assert sum(per_hour[24:]) <= 4


def test_a_loud_item_is_looked_at_more_often() -> None:
    assert 3 * len(looks(24, 10)) < len(looks(24, 1_000))


def test_an_item_that_falls_silent_is_looked_at_less_often() -> None:
    watch = Watch(10, 72 * HOUR_MS)
    watch.note(seen("a", 10 * HOUR_MS, 50_000))
    assert watch.due(BEGIN_MS + 10 * HOUR_MS + 8 * MINUTE_MS, 1) == ["x:a"]
    watch.note(seen("a", 10 * HOUR_MS + 8 * MINUTE_MS, 50_000))
    assert watch.due(BEGIN_MS + 10 * HOUR_MS + 30 * MINUTE_MS, 1) == []
    assert watch.due(BEGIN_MS + 10 * HOUR_MS + 38 * MINUTE_MS, 1) == ["x:a"]


def test_an_old_item_leaves() -> None:
    ages = looks(100, 5_000, max_age_ms=72 * HOUR_MS)
    assert 70 * 60 < max(ages) < 72 * 60


def test_an_item_the_platform_no_longer_gives_comes_up_again_and_leaves_in_the_end() -> None:
    watch = Watch(10, 24 * HOUR_MS)
    watch.note(seen("a", 0))
    asked = sum(bool(watch.due(BEGIN_MS + minute * MINUTE_MS, 1)) for minute in range(25 * 60))
    assert 50 < asked < 100
    assert len(watch) == 0


def test_the_longest_overdue_come_first_and_the_others_next() -> None:
    watch = Watch(100, 72 * HOUR_MS)
    for number in range(20):
        watch.note(seen(f"{number:02}", 0, created_ms=BEGIN_MS + number * 1000))
    later_ms = BEGIN_MS + HOUR_MS
    first, second = watch.due(later_ms, 15), watch.due(later_ms, 15)
    assert first == [f"x:{number:02}" for number in range(15)]
    assert second == [f"x:{number:02}" for number in range(15, 20)]
    assert watch.due(later_ms, 15) == []


def test_restored_items_are_due_at_once() -> None:
    watch = Watch(100, 72 * HOUR_MS)
    watch.note(seen("a", 0))
    watch.restore(["x:a", "x:b"], BEGIN_MS)
    assert watch.due(BEGIN_MS, 10) == ["x:b"]
    assert watch.ids() == ["x:a", "x:b"]


def test_a_forgotten_item_does_not_come_up() -> None:
    watch = Watch(100, 72 * HOUR_MS)
    watch.note(seen("a", 0))
    watch.forget("x:a")
    watch.forget("x:never")
    assert watch.due(BEGIN_MS + HOUR_MS, 10) == []


def test_the_most_urgent_stay_when_there_are_too_many() -> None:
    watch = Watch(10, 72 * HOUR_MS)
    for number in range(10):
        watch.note(seen(f"old{number}", 30 * HOUR_MS, created_ms=BEGIN_MS - 30 * HOUR_MS))
    for number in range(8):
        watch.note(seen(f"young{number}", 0))
    assert len(watch) <= 10
    assert {f"x:young{number}" for number in range(8)} <= set(watch.ids())


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 80 * HOUR_MS), st.integers(0, 10_000), st.booleans()),
        max_size=200,
    )
)
def test_it_stays_within_its_bound_and_asks_for_nothing_it_does_not_watch(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    watch = Watch(8, 72 * HOUR_MS)
    for id_, age_ms, likes, ask in steps:
        watch.note(seen(str(id_), age_ms, likes))
        assert len(watch) <= 8
        if ask:
            watched = set(watch.ids())
            due = watch.due(BEGIN_MS + age_ms, 5)
            assert len(due) == len(set(due)) <= 5
            assert set(due) <= watched
    assert len(watch._queue) <= 4 * 8
