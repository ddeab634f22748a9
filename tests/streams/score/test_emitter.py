"""When scores are emitted: at once, but not too often for one story."""

from __future__ import annotations

from streams.records.story_activity import Entry
from streams.score.scorer import PartitionScorer
from tests.streams.examples.activity import MINUTE_MS, START_MS, Unread, seen, story
from tests.streams.score.test_scorer import CONFIG, live, post, score_in


def test_a_story_is_emitted_at_once_and_then_not_again_too_soon() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    scorer.take([live(post(1, START_MS, likes=5_000), at_ms=START_MS)], 0.0)
    first = scorer.advance(START_MS, 0.0)
    assert first.first_observed_ms == [START_MS]
    scorer.take([live(post(2, START_MS + 1, likes=5_001), at_ms=START_MS + 1)], 0.1)
    soon = scorer.advance(START_MS + 1, 0.1)
    assert (soon.scores, soon.first_observed_ms, soon.applied) == ({}, [], 1)
    assert scorer.advance(START_MS + 1, 0.24).scores == {}
    late = scorer.advance(START_MS + 1, 0.26)
    assert 0 < score_in(late)["noise"] - score_in(first)["noise"] < 0.1, "however little it has moved"
    assert late.first_observed_ms == [START_MS + 1]
    scorer.take([live(post(3, START_MS + 2, likes=9_000), at_ms=START_MS + 2)], 0.6)
    assert score_in(scorer.advance(START_MS + 2, 0.6))["previous"] == score_in(late)["noise"], "at once after a while"


def test_a_partition_that_is_far_behind_emits_a_story_less_often() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())

    def emitted_at(monotonic: float, *, number: int, clock_ms: int) -> bool:
        at_ms = START_MS + number
        scorer.take([live(post(number, at_ms), at_ms=at_ms, idle=False)], monotonic)
        return story(0).id in scorer.advance(clock_ms, monotonic).scores

    far_ms, near_ms = START_MS + MINUTE_MS, START_MS + 1_000
    assert emitted_at(0.0, number=1, clock_ms=far_ms)
    assert not emitted_at(0.5, number=2, clock_ms=far_ms)
    assert emitted_at(0.6, number=3, clock_ms=near_ms), "it has caught up"
    assert not emitted_at(2.5, number=4, clock_ms=far_ms)
    assert emitted_at(2.7, number=5, clock_ms=far_ms)


def test_a_new_state_is_emitted_at_once_although_the_score_has_not_moved() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    replies = [Entry(n, START_MS + n, seen("reddit", n, START_MS + n, replies_to=1)) for n in range(2, 12)]
    scorer.take([live(post(1, START_MS, likes=5_000), *replies, at_ms=START_MS + 20)], 0.0)
    before = score_in(scorer.advance(START_MS + 20, 0.0))
    scorer.take([live(at_ms=START_MS + 5 * MINUTE_MS)], 0.2)
    output = scorer.advance(START_MS + 5 * MINUTE_MS, 0.2)
    assert [event.type for event in output.events] == ["spike", "state_change", "noise_update"]
    after = score_in(output)
    assert (before["state"], after["state"]) == ("trending", "spike")
    assert abs(after["noise"] - before["noise"]) < 0.1


def test_a_small_change_that_was_not_emitted_before_a_crash_is_emitted_after_it() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    scorer.take([live(post(1, START_MS, likes=5_000), at_ms=START_MS)], 0.0)
    scorer.advance(START_MS, 0.0)
    scorer.take([live(post(2, START_MS + 1, likes=5_001), at_ms=START_MS + 1)], 0.1)
    states = {name.encode(): state or b"" for name, state in scorer.advance(START_MS + 1, 0.1).states.items()}
    again = PartitionScorer(states, CONFIG, Unread())
    assert score_in(again.advance(START_MS + 1, 500.0))["scored_ms"] == START_MS + 1
    assert again.advance(START_MS + 1, 600.0).scores == {}, "and only once"
