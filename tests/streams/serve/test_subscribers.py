"""Subscribers end with the state of the read model, however slowly they read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.serve.query import StoryFilter
from streams.serve.read_model import ReadModel
from streams.serve.subscribers import MAX_QUEUED_EVENTS, Subscriber, Subscribers
from tests.streams.serve.newsroom import encoded, event_record, score_record


class Scene:
    """A read model, one subscriber, and what the subscriber has received."""

    def __init__(self, wanted: StoryFilter | None = None, story: str | None = None) -> None:
        self.read_model = ReadModel(trend_points=8, events_kept=8)
        self.subscribers = Subscribers(limit=5)
        self.subscriber = Subscriber(wanted or StoryFilter(), story)
        self.received: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.missed = 0
        self._subscription = self.subscribers.subscribed(self.subscriber)
        self._subscription.__enter__()

    def put(self, story: str, **fields: Any) -> None:
        key, value = encoded(score_record(story, **fields))
        self.subscribers.publish_change(story, self.read_model.put(decode_score(key, value), value))

    def remove(self, story: str) -> None:
        self.subscribers.publish_change(story, self.read_model.remove(story))

    def add_event(self, type_: str, story: str, **fields: Any) -> None:
        key, value = encoded(event_record(type_, story, **fields))
        stored = self.read_model.add_event(decode_event(key, value), value)
        assert stored is not None
        self.subscribers.publish_event(stored, self.read_model)

    def flush(self) -> list[dict[str, Any]]:
        """Send what is due, as the WebSocket does, and apply it, as the page does."""
        messages = [json.loads(message) for _, message in self.subscriber.drain(self.read_model, 1)]
        for message in messages:
            if message["type"] == "update":
                self.received.update({score["story"]: score for score in message["scores"]})
                for story in message["gone"]:
                    self.received.pop(story, None)
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
def test_a_subscriber_ends_with_the_read_model_whenever_it_is_flushed(
    steps: list[tuple[Any, ...]], beats: frozenset[str]
) -> None:
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
    expected = {story.row.story: story.row.noise for story in scene.read_model if not beats or story.row.beat in beats}
    assert {id_: score["noise"] for id_, score in scene.received.items()} == expected
    assert scene.flush() == []


def test_a_slow_subscriber_receives_the_newest_state_once() -> None:
    scene = Scene()
    for noise in range(100):
        scene.put("st_1", noise=noise)
    [message] = scene.flush()
    assert [score["noise"] for score in message["scores"]] == [99]


def test_a_full_queue_drops_and_counts_its_oldest_events() -> None:
    scene = Scene()
    for i in range(MAX_QUEUED_EVENTS + 7):
        scene.add_event("spike", "st_1", at_ms=1_700_000_000_000 + i)
    scene.flush()
    assert (len(scene.events), scene.missed) == (MAX_QUEUED_EVENTS, 7)
    assert scene.events[0]["at_ms"] == 1_700_000_000_007


def test_a_subscriber_of_one_story_receives_its_whole_record_and_nothing_else() -> None:
    scene = Scene(story="st_1")
    scene.put("st_1", inputs={"reach": {"audience": 7}}, extra="kept")
    scene.put("st_2")
    scene.add_event("spike", "st_2")
    scene.add_event("spike", "st_1", extra="kept")
    [message] = scene.flush()
    assert [(score["inputs"], score["extra"]) for score in message["scores"]] == [({"reach": {"audience": 7}}, "kept")]
    assert [(event["story"], event["extra"]) for event in message["events"]] == [("st_1", "kept")]


def test_only_the_newest_status_is_queued() -> None:
    scene = Scene()
    scene.subscribers.publish_status(b'{"type":"status","n":1}')
    scene.subscribers.publish_status(b'{"type":"status","n":2}')
    assert scene.flush() == [{"type": "status", "n": 2}]


def test_events_follow_the_filter_of_the_ranking() -> None:
    scene = Scene(StoryFilter(beats=frozenset({"ai"})))
    scene.put("st_1", beat="ai")
    scene.put("st_2", beat="space")
    scene.add_event("spike", "st_1")
    scene.add_event("spike", "st_2")
    scene.flush()
    assert [event["story"] for event in scene.events] == ["st_1"]


def test_selecting_other_stories_drops_the_queue() -> None:
    scene = Scene()
    scene.put("st_1")
    scene.subscriber.select(StoryFilter(), "st_2")
    scene.put("st_1")
    assert scene.flush() == []
    scene.put("st_2")
    assert [score["story"] for score in scene.flush()[0]["scores"]] == ["st_2"]
