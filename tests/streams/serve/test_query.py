"""Filters, sorting and limits, against plain sorting; and the messages for wrong parameters."""

from __future__ import annotations

import random

import pytest

from streams.records.noise_score import decode_score
from streams.serve.query import SORTS, BadQueryError, StoryFilter, limit_of, ranked, types_of
from streams.serve.read_model import ReadModel, StoryEntry
from tests.streams.serve.newsroom import Newsroom, encoded, score_record


@pytest.fixture(scope="module")
def stories() -> list[StoryEntry]:
    read_model = ReadModel(trend_points=8, events_kept=8)
    for topic, key, value in Newsroom(3, 1_800_000_000_000, 120).records(1_800_000_000_000):
        if topic == "noise-scores":
            read_model.put(decode_score(key, value), value)
    return list(read_model)


def test_all_figures_and_platforms_are_searched_though_a_row_shows_only_some() -> None:
    read_model = ReadModel(trend_points=8, events_kept=8)
    figures, platforms = [f"figure-{number}" for number in range(20)], [f"p{number}" for number in range(20)]
    record = score_record(figures=figures, platforms={name: {"items": 1} for name in platforms})
    key, value = encoded(record)
    read_model.put(decode_score(key, value), value)
    for values in ({"q": ["figure-17"]}, {"platform": ["p19"]}):
        assert ranked(read_model, StoryFilter.parse(values), "noise", 5)[1] == 1
    assert b"figure-17" not in next(iter(read_model)).encoded_row()


@pytest.mark.parametrize("sort", SORTS)
def test_a_ranking_is_the_beginning_of_the_sorted_list(stories: list[StoryEntry], sort: str) -> None:
    shuffled = random.Random(1).sample(stories, len(stories))
    found, total = ranked(shuffled, StoryFilter(), sort, 10)
    expected = sorted(stories, key=lambda story: (-SORTS[sort](story.row), story.row.story))
    assert (found, total) == (expected[:10], len(stories))


def test_filters_narrow_and_values_widen(stories: list[StoryEntry]) -> None:
    def of(**values: list[str]) -> set[str]:
        found, _ = ranked(stories, StoryFilter.parse(values), "noise", 500)
        return {story.row.story for story in found}

    both = of(band=["murmur,buzz"])
    assert both == of(band=["murmur"]) | of(band=["buzz"]) == of(band=["murmur", "buzz"])
    assert of(platform=["reddit"], state=["trending"]) == of(platform=["reddit"]) & of(state=["trending"])
    assert of(category=["labor"]) == {story.row.story for story in stories if story.row.category == "labor"}
    assert of(beat=["none"]) == set()


def test_words_are_found_in_any_letter_case_in_titles_slugs_and_figures(stories: list[StoryEntry]) -> None:
    def titles(q: str) -> set[str]:
        found, _ = ranked(stories, StoryFilter.parse({"q": [q]}), "noise", 500)
        return {story.row.title.partition(" (")[0] for story in found}

    assert titles("DRIVERLESS city") == {"City suspends driverless taxis after third blocked ambulance"}
    assert titles("waymo") == {"City suspends driverless taxis after third blocked ambulance"}
    assert titles("driverless zebra") == set()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"band": ["loud"]}, "'band' must be one or more of whisper"),
        ({"state": ["Emerging"]}, "'state' must be one or more of trending"),
        ({"q": ["x" * 201]}, "'q' takes at most"),
        ({"beat": ["a"] * 21}, "'beat' takes at most"),
    ],
)
def test_a_wrong_filter_is_explained_in_one_line(values: dict[str, list[str]], says: str) -> None:
    with pytest.raises(BadQueryError, match=says):
        StoryFilter.parse(values)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "ten", "1e2", "", "٣", "9" * 5_000])
def test_a_limit_is_a_whole_number_in_range(limit: str) -> None:
    with pytest.raises(BadQueryError, match="from 1 to 500"):
        limit_of({"limit": [limit]})


def test_event_types_keep_their_order_and_are_checked() -> None:
    assert types_of({"type": ["spike,new_story"]}) == ("new_story", "spike")
    with pytest.raises(BadQueryError, match="'type'"):
        types_of({"type": ["spikes"]})
