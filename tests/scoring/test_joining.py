"""A merge of two stories equals the state of one story with all their signals."""

from __future__ import annotations

import random

import pytest

from scoring import Ledger, Lifecycle, State, StoryState
from scoring.spike import BUCKET_MS, Spike, step
from tests.scoring.stories import NOW_MS, observed

BEGIN_MS = NOW_MS - NOW_MS % BUCKET_MS


def stepped(counts: list[int], begin_ms: int = BEGIN_MS) -> Spike:
    spike, changes = step(Spike(), begin_ms, counts)
    assert not changes
    return spike


def test_the_merged_baseline_is_that_of_one_story() -> None:
    mine, theirs = [1, 0, 0, 0, 1, 0] * 4, [0, 1, 0, 0, 0, 1] * 3
    late_ms = BEGIN_MS + (len(mine) - len(theirs)) * BUCKET_MS
    early = len(mine) - len(theirs)
    together = mine[:early] + [a + b for a, b in zip(mine[early:], theirs, strict=True)]
    assert stepped(mine).merged(stepped(theirs, late_ms)) == stepped(together)
    assert stepped(theirs, late_ms).merged(stepped(mine)) == stepped(together)
    assert Spike().merged(stepped(mine)) == stepped(mine).merged(Spike()) == stepped(mine)


def test_the_others_alarm_is_not_adopted_but_raised_by_the_summed_counts() -> None:
    alarmed, _ = step(Spike(), BEGIN_MS, [1, 1, 1, 1, 40])
    assert alarmed.alarm_ms
    joined = stepped([1, 0, 1, 0, 1]).merged(alarmed)
    assert joined.alarm_ms == 0
    spike, (change,) = step(joined, joined.next_ms, [12])
    assert change.on
    assert spike.alarm_ms == joined.next_ms
    assert alarmed.merged(stepped([1, 0, 1, 0, 1])).alarm_ms == alarmed.alarm_ms, "its own alarm stays on"


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("trending", "scandal", "scandal"),
        ("scandal", "controversy", "scandal"),
        ("resolved", "trending", "trending"),
        ("spike", "resolved", "spike"),
    ],
)
def test_a_merge_keeps_the_louder_lifecycle(mine: State, theirs: State, expected: State) -> None:
    one, other = Lifecycle(mine, 1, (1, 2, 3, 4)), Lifecycle(theirs, 2, (5, 6, 7, 8))
    assert one.louder(other) == other.louder(one) == (one if expected == mine else other)
    assert one.louder(Lifecycle(mine, 9)) == one, "of two equal states, its own"


def test_states_merge() -> None:
    chance = random.Random(1)
    seen = [[observed(chance, root, number, 1_000 * number, 0) for number in range(9)] for root in range(2)]
    states, whole = (StoryState(), StoryState()), Ledger()
    for state, signals in zip(states, seen, strict=True):
        for signal, reading in signals:
            state.ledger.apply(signal, reading)
            whole.apply(signal, reading)
    states[1].lifecycle = Lifecycle("spike", 5)
    states[1].spike = stepped([1, 2])
    states[0].merge(states[1])
    assert states[0] == StoryState(whole, Lifecycle("spike", 5), stepped([1, 2]))
