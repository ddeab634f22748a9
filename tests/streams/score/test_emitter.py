"""When scores are told: at once, but of no story too often."""

from __future__ import annotations

from streams.records.story_activity import Entry
from streams.score.scorer import PartitionScorer
from tests.streams.examples.activity import MINUTE_MS, START_MS, Unread, seen, story
from tests.streams.score.test_scorer import CONFIG, live, post, told


def test_a_story_is_told_of_at_once_and_then_not_again_before_its_time() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    scorer.take([live(post(1, START_MS, likes=5_000), at_ms=START_MS)], 0.0)
    first = scorer.advance(START_MS, 0.0)
    assert first.first_observed_ms == [START_MS]
    scorer.take([live(post(2, START_MS + 1, likes=5_001), at_ms=START_MS + 1)], 0.1)
    soon = scorer.advance(START_MS + 1, 0.1)
    assert (soon.scores, soon.first_observed_ms, soon.applied) == ({}, [], 1)
    assert scorer.advance(START_MS + 1, 0.24).scores == {}
    late = scorer.advance(START_MS + 1, 0.26)
    assert 0 < told(late)["noise"] - told(first)["noise"] < 0.1, "however little it has moved"
    assert late.first_observed_ms == [START_MS + 1]
    scorer.take([live(post(3, START_MS + 2, likes=9_000), at_ms=START_MS + 2)], 0.6)
    assert told(scorer.advance(START_MS + 2, 0.6))["previous"] == told(late)["noise"], "at once, having rested"


def test_who_is_far_behind_tells_of_a_story_less_often() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())

    def told_at(monotonic: float, *, number: int, clock_ms: int) -> bool:
        at_ms = START_MS + number
        scorer.take([live(post(number, at_ms), at_ms=at_ms, idle=False)], monotonic)
        return story(0).id in scorer.advance(clock_ms, monotonic).scores

    far_ms, near_ms = START_MS + MINUTE_MS, START_MS + 1_000
    assert told_at(0.0, number=1, clock_ms=far_ms)
    assert not told_at(0.5, number=2, clock_ms=far_ms)
    assert told_at(0.6, number=3, clock_ms=near_ms), "it has caught up"
    assert not told_at(2.5, number=4, clock_ms=far_ms)
    assert told_at(2.7, number=5, clock_ms=far_ms)


def test_a_state_that_changes_is_told_though_the_score_has_not_moved() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    replies = [Entry(n, START_MS + n, seen("reddit", n, START_MS + n, replies_to=1)) for n in range(2, 12)]
    scorer.take([live(post(1, START_MS, likes=5_000), *replies, at_ms=START_MS + 20)], 0.0)
    before = told(scorer.advance(START_MS + 20, 0.0))
    scorer.take([live(at_ms=START_MS + 5 * MINUTE_MS)], 0.2)
    outcome = scorer.advance(START_MS + 5 * MINUTE_MS, 0.2)
    assert [event.type for event in outcome.events] == ["spike", "state_change", "noise_update"]
    after = told(outcome)
    assert (before["state"], after["state"]) == ("trending", "spike")
    assert abs(after["noise"] - before["noise"]) < 0.1


def test_a_small_change_that_was_not_told_before_a_crash_is_told_after_it() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    scorer.take([live(post(1, START_MS, likes=5_000), at_ms=START_MS)], 0.0)
    scorer.advance(START_MS, 0.0)
    scorer.take([live(post(2, START_MS + 1, likes=5_001), at_ms=START_MS + 1)], 0.1)
    states = {name.encode(): state or b"" for name, state in scorer.advance(START_MS + 1, 0.1).states.items()}
    again = PartitionScorer(states, CONFIG, Unread())
    assert told(again.advance(START_MS + 1, 500.0))["scored_ms"] == START_MS + 1
    assert again.advance(START_MS + 1, 600.0).scores == {}, "and only once"
