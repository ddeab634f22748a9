"""The board: the last record of each key, trends, events and redirects, within bounds."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.serve.read_model import ORPHANS, ROW_TITLE_CHARS, STORY_EVENTS, Board
from tests.streams.serve.newsroom import encoded, event_record, score_record


def board(**options: int) -> Board:
    return Board(**{"trend_points": 16, "events_kept": 10, **options})


def put(to: Board, story: str = "st_1", **fields: object) -> None:
    key, value = encoded(score_record(story, **fields))
    to.put(decode_score(key, value), value)


def note(to: Board, type_: str, story: str = "st_1", at_ms: int = 1_700_000_700_000, **fields: object) -> None:
    key, value = encoded(event_record(type_, story, at_ms, **fields))
    to.note(decode_event(key, value), value)


SCORE = st.fixed_dictionaries(
    {
        "noise": st.integers(0, 100),
        "beat": st.sampled_from(["ai", "space"]),
        "state": st.sampled_from(["trending", "scandal"]),
        "category": st.none() | st.just("labor"),
        "slug": st.sampled_from(["a", "b", "c"]),
        "platforms": st.dictionaries(st.sampled_from(["x", "reddit", "lemmy"]), st.just({"items": 1})),
    }
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("pqrst"), st.none() | SCORE), max_size=40))
def test_the_board_is_the_last_record_of_each_key(steps: list[tuple[str, dict[str, Any] | None]]) -> None:
    b = board()
    expected: dict[str, dict[str, Any]] = {}
    for story, fields in steps:
        if fields is None:
            b.remove(story)
            expected.pop(story, None)
        else:
            put(b, story, **fields)
            expected[story] = fields
    assert {story.row.story: story.row.noise for story in b} == {
        id_: fields["noise"] for id_, fields in expected.items()
    }
    facets = b.facets()
    for name in ("beat", "state", "category"):
        assert facets[name] == Counter(fields[name] for fields in expected.values() if fields[name])
    assert facets["platform"] == Counter(platform for fields in expected.values() for platform in fields["platforms"])
    for slug in "abc":
        found = b.find(slug)
        assert found is None or found.row.slug == slug


def test_a_story_is_found_by_id_and_by_slug_and_by_its_new_slug_only() -> None:
    b = board()
    put(b, slug="old")
    put(b, slug="new")
    assert b.find("st_1") is b.find("new") is not None
    assert b.find("old") is None


def test_the_slug_of_a_story_that_is_gone_may_be_anothers() -> None:
    b = board()
    put(b, "st_1", slug="same")
    put(b, "st_2", slug="same")
    for gone, left in (("st_1", "st_2"), ("st_2", "st_3")):
        put(b, "st_3", slug="same")
        put(b, left, slug="same")
        b.remove(gone)
        found = b.find("same")
        assert found is not None
        assert found.row.story == left
    b.remove("st_3")
    assert b.find("same") is None


def test_reading_again_drops_what_is_not_met_again() -> None:
    b = board()
    b.begin_reading()
    put(b, "st_1")
    put(b, "st_2")
    assert b.end_reading() == []
    b.begin_reading()
    put(b, "st_2")
    assert [row.story for row in b.end_reading()] == ["st_1"]
    assert [story.row.story for story in b] == ["st_2"]


def test_a_merged_story_leads_to_what_is_left_of_it() -> None:
    b = board()
    put(b, "st_3")
    note(b, "merged", "st_1", into="st_2")
    note(b, "merged", "st_2", into="st_3")
    assert b.merged_into("st_1") == b.merged_into("slug-of-st_1") == "st_3"
    b.remove("st_3")
    assert b.merged_into("st_1") is None
    note(b, "merged", "st_3", into="st_1")  # a ring, as only a fault could make it
    assert b.merged_into("st_1") is None


def test_events_that_come_before_their_storys_first_score_are_its_own() -> None:
    b = board()
    note(b, "new_story")
    note(b, "noise_update", at_ms=1_700_000_100_000, noise=12)
    put(b)
    assert [kept.event.type for kept in b.story_events("st_1")] == ["new_story"]
    story = b.get("st_1")
    assert story is not None
    assert story.trend.points() == [(1_700_000_100_000, 12), (1_700_000_600_000, 39.5)]


def test_many_updates_do_not_push_out_the_rare_events() -> None:
    b = board(events_kept=10)
    note(b, "spike")
    for i in range(1_000):
        note(b, "noise_update", at_ms=1_700_000_000_000 + i, noise=1)
    types = Counter(kept.event.type for kept in b.events())
    assert types == {"noise_update": 10, "spike": 1}


def test_events_that_are_read_again_are_no_news_and_not_there_twice() -> None:
    b = board(events_kept=3)
    records = [encoded(event_record("spike", f"st_{i % 2}", 1_700_000_000_000 + i)) for i in range(8)]
    news = [b.note(decode_event(key, value), value) is not None for key, value in records]
    before, own = b.events(), b.story_events("st_1")
    assert (all(news), len(before), len(own)) == (True, 3, 4)
    assert not any(b.note(decode_event(key, value), value) for key, value in records)
    assert (b.events(), b.story_events("st_1")) == (before, own)
    note(b, "spike", at_ms=1_700_000_000_008)
    assert [kept.event.at_ms for kept in b.events()] == [1_700_000_000_000 + i for i in (8, 7, 6)]


def test_memory_follows_live_stories_not_time() -> None:
    b = board()
    for i in range(3 * ORPHANS):
        put(b, f"st_{i}")
        for times in range(3):
            note(b, "spike", f"st_{i}", 1_700_000_700_000 + times)
        note(b, "noise_update", f"gone_{i}", noise=1)
        note(b, "spike", f"gone_{i}")
        if i >= 10:
            b.remove(f"st_{i - 10}")
    assert len(b) == 10
    assert len(b._events_by_story) <= ORPHANS + 10
    assert len(b._early_trends) <= ORPHANS + 10
    assert len(b._ids_by_slug) == 10
    for times in range(2 * STORY_EVENTS):
        note(b, "spike", f"st_{3 * ORPHANS - 1}", 1_700_000_700_000 + times)
    assert len(b.story_events(f"st_{3 * ORPHANS - 1}")) == STORY_EVENTS


def test_a_row_is_small_whatever_the_record_is() -> None:
    b = board()
    platforms = {f"p{i}": {"items": i} for i in range(1_000)}
    put(b, title="x" * 100_000, figures=["y"] * 500, platforms=platforms)
    story = b.get("st_1")
    assert story is not None
    assert len(story.row.title) == ROW_TITLE_CHARS
    assert len(story.encoded_row()) < 2_000
    shown = json.loads(story.encoded_row())
    assert max(shown["platforms"], key=lambda name: shown["platforms"][name]["items"]) == "p999"
    b.remove("st_1")
    assert b.facets()["platform"] == {}


def test_the_same_records_in_the_same_order_give_the_same_board() -> None:
    rng = random.Random(5)
    records = [(f"st_{rng.randrange(20)}", rng.randrange(100), i) for i in range(500)]
    boards = [board(), board()]
    for b in boards:
        for story, noise, i in records:
            put(b, story, noise=noise, scored_ms=1_700_000_000_000 + i)
    first, second = ([(s.record, s.trend.points()) for s in b] for b in boards)
    assert first == second
