"""The read model: the last record of each key, trends, events and redirects, within bounds."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.serve.read_model import ORPHANS, ROW_TITLE_CHARS, STORY_EVENTS, ReadModel
from tests.streams.serve.newsroom import encoded, event_record, score_record


def read_model(**options: int) -> ReadModel:
    return ReadModel(**{"trend_points": 16, "events_kept": 10, **options})


def put(to: ReadModel, story: str = "st_1", **fields: object) -> None:
    key, value = encoded(score_record(story, **fields))
    to.put(decode_score(key, value), value)


def add_event(to: ReadModel, type_: str, story: str = "st_1", at_ms: int = 1_700_000_700_000, **fields: object) -> None:
    key, value = encoded(event_record(type_, story, at_ms, **fields))
    to.add_event(decode_event(key, value), value)


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
def test_the_read_model_has_the_last_record_of_each_key(steps: list[tuple[str, dict[str, Any] | None]]) -> None:
    model = read_model()
    expected: dict[str, dict[str, Any]] = {}
    for story, fields in steps:
        if fields is None:
            model.remove(story)
            expected.pop(story, None)
        else:
            put(model, story, **fields)
            expected[story] = fields
    assert {story.row.story: story.row.noise for story in model} == {
        id_: fields["noise"] for id_, fields in expected.items()
    }
    facets = model.facets()
    for name in ("beat", "state", "category"):
        assert facets[name] == Counter(fields[name] for fields in expected.values() if fields[name])
    assert facets["platform"] == Counter(platform for fields in expected.values() for platform in fields["platforms"])
    for slug in "abc":
        found = model.find(slug)
        assert found is None or found.row.slug == slug


def test_a_story_is_found_by_id_and_by_slug_and_by_its_new_slug_only() -> None:
    model = read_model()
    put(model, slug="old")
    put(model, slug="new")
    assert model.find("st_1") is model.find("new") is not None
    assert model.find("old") is None


def test_a_slug_that_two_stories_share_finds_the_one_that_is_live() -> None:
    model = read_model()
    put(model, "st_1", slug="same")
    put(model, "st_2", slug="same")
    for gone, left in (("st_1", "st_2"), ("st_2", "st_3")):
        put(model, "st_3", slug="same")
        put(model, left, slug="same")
        model.remove(gone)
        found = model.find("same")
        assert found is not None
        assert found.row.story == left
    model.remove("st_3")
    assert model.find("same") is None


def test_a_second_read_removes_stories_that_it_does_not_find() -> None:
    model = read_model()
    model.begin_reading()
    put(model, "st_1")
    put(model, "st_2")
    assert model.end_reading() == []
    model.begin_reading()
    put(model, "st_2")
    assert [row.story for row in model.end_reading()] == ["st_1"]
    assert [story.row.story for story in model] == ["st_2"]


def test_a_merged_story_redirects_to_the_live_story_it_is_part_of() -> None:
    model = read_model()
    put(model, "st_3")
    add_event(model, "merged", "st_1", into="st_2")
    add_event(model, "merged", "st_2", into="st_3")
    assert model.merged_into("st_1") == model.merged_into("slug-of-st_1") == "st_3"
    model.remove("st_3")
    assert model.merged_into("st_1") is None
    add_event(model, "merged", "st_3", into="st_1")  # a cycle, which only a defect could create
    assert model.merged_into("st_1") is None


def test_events_that_come_before_the_first_score_belong_to_the_story() -> None:
    model = read_model()
    add_event(model, "new_story")
    add_event(model, "noise_update", at_ms=1_700_000_100_000, noise=12)
    put(model)
    assert [stored.event.type for stored in model.story_events("st_1")] == ["new_story"]
    story = model.get("st_1")
    assert story is not None
    assert story.trend.points() == [(1_700_000_100_000, 12), (1_700_000_600_000, 39.5)]


def test_many_updates_do_not_displace_rare_events() -> None:
    model = read_model(events_kept=10)
    add_event(model, "spike")
    for i in range(1_000):
        add_event(model, "noise_update", at_ms=1_700_000_000_000 + i, noise=1)
    types = Counter(stored.event.type for stored in model.events())
    assert types == {"noise_update": 10, "spike": 1}


def test_events_that_are_read_again_are_not_new_and_not_stored_twice() -> None:
    model = read_model(events_kept=3)
    records = [encoded(event_record("spike", f"st_{i % 2}", 1_700_000_000_000 + i)) for i in range(8)]
    news = [model.add_event(decode_event(key, value), value) is not None for key, value in records]
    before, own = model.events(), model.story_events("st_1")
    assert (all(news), len(before), len(own)) == (True, 3, 4)
    assert not any(model.add_event(decode_event(key, value), value) for key, value in records)
    assert (model.events(), model.story_events("st_1")) == (before, own)
    add_event(model, "spike", at_ms=1_700_000_000_008)
    assert [stored.event.at_ms for stored in model.events()] == [1_700_000_000_000 + i for i in (8, 7, 6)]


def test_memory_grows_with_live_stories_and_not_with_time() -> None:
    model = read_model()
    for i in range(3 * ORPHANS):
        put(model, f"st_{i}")
        for times in range(3):
            add_event(model, "spike", f"st_{i}", 1_700_000_700_000 + times)
        add_event(model, "noise_update", f"gone_{i}", noise=1)
        add_event(model, "spike", f"gone_{i}")
        if i >= 10:
            model.remove(f"st_{i - 10}")
    assert len(model) == 10
    assert len(model._events_by_story) <= ORPHANS + 10
    assert len(model._early_trends) <= ORPHANS + 10
    assert len(model._ids_by_slug) == 10
    for times in range(2 * STORY_EVENTS):
        add_event(model, "spike", f"st_{3 * ORPHANS - 1}", 1_700_000_700_000 + times)
    assert len(model.story_events(f"st_{3 * ORPHANS - 1}")) == STORY_EVENTS


def test_a_row_is_small_even_if_the_record_is_large() -> None:
    model = read_model()
    platforms = {f"p{i}": {"items": i} for i in range(1_000)}
    put(model, title="x" * 100_000, figures=["y"] * 500, platforms=platforms)
    story = model.get("st_1")
    assert story is not None
    assert len(story.row.title) == ROW_TITLE_CHARS
    assert len(story.encoded_row()) < 2_000
    shown = json.loads(story.encoded_row())
    assert max(shown["platforms"], key=lambda name: shown["platforms"][name]["items"]) == "p999"
    model.remove("st_1")
    assert model.facets()["platform"] == {}


def test_the_same_records_in_the_same_order_give_the_same_read_model() -> None:
    rng = random.Random(5)
    records = [(f"st_{rng.randrange(20)}", rng.randrange(100), i) for i in range(500)]
    models = [read_model(), read_model()]
    for model in models:
        for story, noise, i in records:
            put(model, story, noise=noise, scored_ms=1_700_000_000_000 + i)
    first, second = ([(s.record, s.trend.points()) for s in model] for model in models)
    assert first == second
