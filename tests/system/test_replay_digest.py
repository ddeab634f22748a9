"""What the digest of a replay compares."""

from __future__ import annotations

import orjson
import pytest

from tests.system.replay_digest import final_scores, lasting_events


def score(story: str, noise: float, previous: float) -> tuple[bytes, bytes]:
    return story.encode(), orjson.dumps({"story": story, "previous": previous, "noise": noise})


def event(type_: str, at_ms: int) -> tuple[bytes, bytes]:
    return b"a", orjson.dumps({"type": type_, "at_ms": at_ms})


def test_the_last_score_of_each_live_story_counts_whatever_was_emitted_before() -> None:
    hasty = [score("b", 3, 2), score("a", 1, 0), score("gone", 1, 0), (b"gone", None)]
    thorough = [score("a", 7, 0), score("a", 1, 7), score("b", 3, 0)]
    assert final_scores(hasty) == final_scores(thorough) == [b'{"story":"a","noise":1}', b'{"story":"b","noise":3}']
    assert final_scores([score("a", 2, 0), score("b", 3, 0)]) != final_scores(hasty)


def test_a_score_without_a_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a key"):
        final_scores([(None, b"{}")])


def test_events_are_compared_without_their_order_and_without_updates_but_with_repeats() -> None:
    events = [event("spike", 2), event("noise_update", 3), event("new_story", 1)]
    assert lasting_events(events) == lasting_events(events[::-1]) == [event("new_story", 1)[1], event("spike", 2)[1]]
    assert lasting_events([*events, events[0]]) != lasting_events(events)
