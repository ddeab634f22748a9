"""What is delivered twice is applied once, and what was not applied is never taken for applied."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.runtime.delivery import KEPT, Delivered

OFFSETS = st.integers(0, 60)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2), OFFSETS),
        st.tuples(st.just("sent"), st.integers(0, 2), OFFSETS),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@given(STEPS)
@settings(max_examples=200)
def test_each_offset_of_each_source_is_taken_once_in_any_interleaving(steps: list[tuple[str, int, int]]) -> None:
    delivered, applied, low = Delivered(), set[tuple[int, int]](), dict[int, int]()
    for what, source, offset in steps:
        if what == "restart":
            delivered = Delivered(delivered.dump())
        elif what == "sent":
            # As the scorer may: everything of this story below the mark has been applied.
            delivered.take(source, range(offset))
            applied |= {(source, earlier) for earlier in range(offset)}
            delivered.raise_low(source, offset)
            low[source] = max(low.get(source, 0), offset)
        else:
            assert delivered.take(source, [offset]) == [(source, offset) not in applied]
            applied.add((source, offset))
    for source in range(3):
        for offset in range(61):
            assert delivered.take(source, [offset]) == [(source, offset) not in applied]


@given(st.lists(OFFSETS, max_size=30), OFFSETS)
@settings(max_examples=100)
def test_raising_the_mark_loses_no_offset_above_it(taken: list[int], low: int) -> None:
    delivered = Delivered()
    delivered.take(0, taken)
    delivered.raise_low(0, low)
    delivered.raise_low(0, low // 2)  # a lower mark, as a worker sends that reads again, changes nothing
    for offset in range(61):
        assert delivered.take(0, [offset]) == [offset >= low and offset not in taken]


def test_what_is_kept_is_bounded_over_all_sources_and_forgetting_loses_nothing() -> None:
    delivered = Delivered()
    assert all(delivered.take(0, range(0, 4 * KEPT, 2)))
    assert all(delivered.take(1, range(100)))
    kept = delivered.dump()
    assert (len(kept[0][1]), len(kept[1][1])) == (KEPT - 100, 100)
    # The latest are known; what was forgotten is taken again; and nothing that never came is taken for known.
    assert delivered.take(0, [4 * KEPT - 2, 0]) == [False, True]
    assert all(delivered.take(0, range(1, 200, 2)))
    # What the mark covers makes room, before a restart and after.
    delivered.raise_low(0, 4 * KEPT)
    delivered = Delivered(delivered.dump())
    delivered.raise_low(1, 50)
    assert all(delivered.take(0, range(4 * KEPT, 5 * KEPT - 50)))
    kept = delivered.dump()
    assert (len(kept[0][1]), len(kept[1][1])) == (KEPT - 50, 50)
