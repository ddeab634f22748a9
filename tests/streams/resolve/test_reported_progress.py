"""What was told of a source, whoever told it last."""

from __future__ import annotations

from streams.records.progress import ResolveProgress
from streams.resolve.handed_over import PLACES_KEPT, Told
from streams.resolve.reorder import Place


def progress(position: int, *, low: int | None = None, committed: int = 0) -> ResolveProgress:
    low = position if low is None else low
    return ResolveProgress(
        "3",
        0,
        0,
        offsets={3: position},
        counts={"read": position, "used": position},
        low=low,
        low_ms=low * 10,
        committed=committed,
        committed_ms=committed * 10,
    )


def test_whoever_takes_a_source_over_finds_the_time_at_the_place_that_was_committed() -> None:
    told = Told()
    assert told.place(3, 0) == Place(0, 0)
    told.note(progress(100, low=90, committed=80))
    assert [told.place(3, offset) for offset in (80, 90, 85)] == [Place(80, 800), Place(90, 900), Place(85, 0)]
    assert told.place(4, 90) == Place(90, 0), "another source's"


def test_one_that_was_taken_for_dead_and_tells_once_more_hides_nothing() -> None:
    told = Told()
    told.note(progress(100, low=100))
    told.note(progress(500, low=480, committed=480))
    told.note(progress(110, low=110, committed=100))  # read before the other took over, written after it
    assert told.account(3, 480) == {"read": 500, "used": 500}
    assert told.place(3, 480) == Place(480, 4800)


def test_a_source_that_was_put_back_is_counted_by_who_tells_of_it_now() -> None:
    told = Told()
    told.note(progress(500))
    told.note(progress(40))
    assert told.account(3, 30) == {"read": 40, "used": 40}


def test_places_are_forgotten_but_not_the_last() -> None:
    told = Told()
    for number in range(3 * PLACES_KEPT):
        told.note(progress(number + 1, committed=7))
    assert told.place(3, 7) == Place(7, 70)
    assert told.place(3, 3 * PLACES_KEPT) == Place(3 * PLACES_KEPT, 30 * PLACES_KEPT)
    assert told.place(3, 20) == Place(20, 0)
