"""What watchers are told: in the end the board, however slowly they listen."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.serve.query import StoryFilter
from streams.serve.read_model import Board
from streams.serve.subscribers import MAX_WAITING_EVENTS, Watcher, Watchers
from tests.streams.serve.newsroom import encoded, event_record, score_record


class Scene:
    """A board, one watcher, and what the watcher has been told."""

    def __init__(self, wanted: StoryFilter | None = None, story: str | None = None) -> None:
        self.board = Board(trend_points=8, events_kept=8)
        self.watchers = Watchers(limit=5)
        self.watcher = Watcher(wanted or StoryFilter(), story)
        self.told: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.missed = 0
        self._watching = self.watchers.watching(self.watcher)
        self._watching.__enter__()

    def put(self, story: str, **fields: Any) -> None:
        key, value = encoded(score_record(story, **fields))
        self.watchers.note_change(story, self.board.put(decode_score(key, value), value))

    def remove(self, story: str) -> None:
        self.watchers.note_change(story, self.board.remove(story))

    def note(self, type_: str, story: str, **fields: Any) -> None:
        key, value = encoded(event_record(type_, story, **fields))
        kept = self.board.note(decode_event(key, value), value)
        assert kept is not None
        self.watchers.note_event(kept, self.board)

    def flush(self) -> list[dict[str, Any]]:
        """Send what is due, as the WebSocket would, and take it in, as the page does."""
        messages = [json.loads(message) for _, message in self.watcher.take(self.board, 1)]
        for message in messages:
            if message["type"] == "update":
                self.told.update({score["story"]: score for score in message["scores"]})
                for story in message["gone"]:
                    self.told.pop(story, None)
                self.events += message["events"]
                self.missed += message["missed_events"]
        return messages


STEP = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abc"), st.integers(0, 100), st.sampled_from(["ai", "space"])),
    st.tuples(st.just("remove"), st.sampled_from("abc")),
    st.tuples(st.just("flush")),
)


@settings(max_examples=150)
@given(steps=st.lists(STEP, max_size=40), beats=st.sampled_from([frozenset(), frozenset({"ai"})]))
def test_whenever_it_is_told_a_watcher_ends_with_the_board(steps: list[tuple[Any, ...]], beats: frozenset[str]) -> None:
    scene = Scene(StoryFilter(beats=beats))
    for step in steps:
        match step:
            case "put", story, noise, beat:
                scene.put(story, noise=noise, beat=beat)
            case "remove", story:
                scene.remove(story)
            case _:
                scene.flush()
    scene.flush()
    expected = {story.row.story: story.row.noise for story in scene.board if not beats or story.row.beat in beats}
    assert {id_: score["noise"] for id_, score in scene.told.items()} == expected
    assert scene.flush() == []


def test_a_slow_watcher_is_told_the_newest_state_once() -> None:
    scene = Scene()
    for noise in range(100):
        scene.put("st_1", noise=noise)
    [message] = scene.flush()
    assert [score["noise"] for score in message["scores"]] == [99]


def test_too_many_events_are_counted_and_the_oldest_let_go() -> None:
    scene = Scene()
    for i in range(MAX_WAITING_EVENTS + 7):
        scene.note("spike", "st_1", at_ms=1_700_000_000_000 + i)
    scene.flush()
    assert (len(scene.events), scene.missed) == (MAX_WAITING_EVENTS, 7)
    assert scene.events[0]["at_ms"] == 1_700_000_000_007


def test_who_watches_one_story_gets_its_whole_record_and_nothing_else() -> None:
    scene = Scene(story="st_1")
    scene.put("st_1", inputs={"reach": {"audience": 7}}, extra="kept")
    scene.put("st_2")
    scene.note("spike", "st_2")
    scene.note("spike", "st_1", extra="kept")
    [message] = scene.flush()
    assert [(score["inputs"], score["extra"]) for score in message["scores"]] == [({"reach": {"audience": 7}}, "kept")]
    assert [(event["story"], event["extra"]) for event in message["events"]] == [("st_1", "kept")]


def test_only_the_newest_status_waits() -> None:
    scene = Scene()
    scene.watchers.note_status(b'{"type":"status","n":1}')
    scene.watchers.note_status(b'{"type":"status","n":2}')
    assert scene.flush() == [{"type": "status", "n": 2}]


def test_events_follow_the_filter_of_the_ranking() -> None:
    scene = Scene(StoryFilter(beats=frozenset({"ai"})))
    scene.put("st_1", beat="ai")
    scene.put("st_2", beat="space")
    scene.note("spike", "st_1")
    scene.note("spike", "st_2")
    scene.flush()
    assert [event["story"] for event in scene.events] == ["st_1"]


def test_watching_something_else_forgets_what_was_waiting() -> None:
    scene = Scene()
    scene.put("st_1")
    scene.watcher.watch(StoryFilter(), "st_2")
    scene.put("st_1")
    assert scene.flush() == []
    scene.put("st_2")
    assert [score["story"] for score in scene.flush()[0]["scores"]] == ["st_2"]
