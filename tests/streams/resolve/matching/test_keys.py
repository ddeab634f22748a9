"""A key is found until all stories that got it have gone, and the first of those left is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.records.stories import StoryInfo
from streams.resolve.matching.keys import StoriesByKey
from streams.resolve.matching.story import LiveStory


def story(number: int) -> LiveStory:
    return LiveStory(StoryInfo(f"st_{number}", "", "", "general", 0), number, 0, 0)


STORIES = [story(number) for number in range(4)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 3))))
def test_it_is_a_list_of_stories_for_each_key(steps: list[tuple[bool, int, int]]) -> None:
    by_key = StoriesByKey()
    expected: dict[int, list[LiveStory]] = {0: [], 1: [], 2: []}
    for is_added, key, number in steps:
        one, held = STORIES[number], expected[key]
        if is_added:
            assert by_key.add((key, key), one) == ((key,) if one not in held else ())
            held += [one] if one not in held else []
        else:
            assert by_key.drop((key,), one) == ([key] if one in held else [])
            expected[key] = [other for other in held if other is not one]
        assert {key: by_key.first(key) for key in expected} == {
            key: stories[0] if stories else None for key, stories in expected.items()
        }
