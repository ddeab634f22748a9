"""The de-duplication window: a repeated offset is recognised, and a new one is never taken for a repeat."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.runtime.deduplication import MAX_OFFSETS, DeduplicationWindow

OFFSETS = st.integers(0, 60)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("admit"), st.integers(0, 2), OFFSETS),
        st.tuples(st.just("raise low"), st.integers(0, 2), OFFSETS),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@given(STEPS)
@settings(max_examples=200)
def test_each_offset_of_each_source_is_new_once_in_any_interleaving(steps: list[tuple[str, int, int]]) -> None:
    window, applied = DeduplicationWindow(), set[tuple[int, int]]()
    for what, source, offset in steps:
        if what == "restart":
            window = DeduplicationWindow(window.dump())
        elif what == "raise low":
            # As the scorer does: it has applied everything of this story below the low-water mark.
            window.admit(source, range(offset))
            applied |= {(source, earlier) for earlier in range(offset)}
            window.raise_low(source, offset)
        else:
            assert window.admit(source, [offset]) == [(source, offset) not in applied]
            applied.add((source, offset))
    for source in range(3):
        for offset in range(61):
            assert window.admit(source, [offset]) == [(source, offset) not in applied]


@given(st.lists(OFFSETS, max_size=30), OFFSETS)
@settings(max_examples=100)
def test_raising_the_low_water_mark_keeps_every_offset_above_it(applied: list[int], low: int) -> None:
    window = DeduplicationWindow()
    window.admit(0, applied)
    window.raise_low(0, low)
    window.raise_low(0, low // 2)  # a worker that reads again sends a lower mark, which changes nothing
    for offset in range(61):
        assert window.admit(0, [offset]) == [offset >= low and offset not in applied]


def test_a_redirected_offset_below_the_low_water_mark_is_new_unless_it_is_kept() -> None:
    window = DeduplicationWindow({0: (10, [12])})
    assert window.admit(0, [5, 12, 13], redirected=True) == [True, False, True]
    assert window.admit(0, [5]) == [False]


def test_the_window_is_bounded_over_all_sources_and_drops_the_oldest_offsets() -> None:
    window = DeduplicationWindow()
    assert all(window.admit(0, range(0, 4 * MAX_OFFSETS, 2)))
    assert all(window.admit(1, range(100)))
    kept = window.dump()
    assert (len(kept[0][1]), len(kept[1][1])) == (MAX_OFFSETS - 100, 100)
    # The latest offset is known, a dropped one is new again, and one that never came is new.
    assert window.admit(0, [4 * MAX_OFFSETS - 2, 0]) == [False, True]
    assert all(window.admit(0, range(1, 200, 2)))
    # Raising the low-water mark makes room, before a restart and after.
    window.raise_low(0, 4 * MAX_OFFSETS)
    window = DeduplicationWindow(window.dump())
    window.raise_low(1, 50)
    assert all(window.admit(0, range(4 * MAX_OFFSETS, 5 * MAX_OFFSETS - 50)))
    kept = window.dump()
    assert (len(kept[0][1]), len(kept[1][1])) == (MAX_OFFSETS - 50, 50)
