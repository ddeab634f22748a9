"""The lifecycle: its rules one by one, and what no sequence of measures may bring about."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import DEFAULT, Lifecycle, Measures, State, Transition
from scoring.lifecycle import COOLDOWN_MS, RULES, SHOWN_AS, next_due_ms, step

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_704_000_000_000
ORDER: tuple[State, ...] = ("trending", "spike", "controversy", "scandal")


def measures(**changed: float) -> Measures:
    quiet = Measures(noise=30, velocity_per_hour=3, platforms=1, alarmed=False, last_coverage_ms=T0)
    return msgspec.structs.replace(quiet, **changed)


def run(lifecycle: Lifecycle, timeline: list[tuple[int, Measures]]) -> tuple[Lifecycle, list[Transition]]:
    found: list[Transition] = []
    for at_ms, now in timeline:
        lifecycle, transitions = step(lifecycle, now, at_ms)
        found += transitions
    return lifecycle, found


def path(transitions: list[Transition]) -> list[tuple[str, int]]:
    return [(transition.to, transition.at_ms - T0) for transition in transitions]


def held(minutes: int, every: int = 5, start_ms: int = T0, **changed: float) -> list[tuple[int, Measures]]:
    """Return the same measures at every step for so long; what covers the story keeps covering it."""
    times = range(start_ms, start_ms + minutes * MINUTE + 1, every * MINUTE)
    return [(at_ms, measures(**{"last_coverage_ms": at_ms, **changed})) for at_ms in times]


def test_sustained_velocity_makes_a_spike_after_a_quarter_of_an_hour() -> None:
    _, transitions = run(Lifecycle(), held(30, velocity_per_hour=15))
    assert path(transitions) == [("spike", 15 * MINUTE)]
    assert transitions[0].reason == "15 people/h or more for 15 min"
    _, transitions = run(Lifecycle(), held(60, velocity_per_hour=14.9))
    assert transitions == []


def test_velocity_that_was_not_held_does_not_count() -> None:
    fast, slow = held(10, velocity_per_hour=40), held(5, start_ms=T0 + 15 * MINUTE, velocity_per_hour=14)
    again = held(10, start_ms=T0 + 25 * MINUTE, velocity_per_hour=40)
    assert run(Lifecycle(), fast + slow + again)[1] == []


def test_an_alarm_makes_a_spike_at_once_and_two_platforms_a_controversy() -> None:
    lifecycle, transitions = step(Lifecycle(), measures(alarmed=True, platforms=2), T0)
    assert path(list(transitions)) == [("spike", 0), ("controversy", 0)]
    assert lifecycle.entered_ms == T0


def test_noise_held_for_four_hours_makes_a_scandal() -> None:
    loud = {"alarmed": True, "platforms": 2}
    assert path(run(Lifecycle(), held(300, noise=75, **loud))[1])[-1] == ("scandal", 4 * HOUR)
    assert path(run(Lifecycle(), held(300, noise=74.9, **loud))[1])[-1] == ("controversy", 0)


@pytest.mark.parametrize(("state", "to"), [("spike", "trending"), ("controversy", "trending")])
def test_a_slow_story_falls_only_after_its_cooldown(state: State, to: State) -> None:
    start = Lifecycle(state, T0, (0, 0, 0, 0))
    _, transitions = run(start, held(49 * 60, velocity_per_hour=7.9, platforms=2 if state == "controversy" else 1))
    assert path(transitions) == [(to, COOLDOWN_MS[state])]
    assert run(start, held(49 * 60, velocity_per_hour=8, platforms=1))[1] == []


def test_a_slow_story_under_alarm_does_not_fall() -> None:
    start = Lifecycle("spike", T0, (0, 0, 0, 0))
    assert run(start, held(20 * 60, velocity_per_hour=1, alarmed=True))[1] == []


def test_a_scandal_falls_below_65_after_two_days() -> None:
    start = Lifecycle("scandal", T0, (0, 0, 0, 0))
    assert run(start, held(60 * 60, noise=65, velocity_per_hour=20))[1] == []
    _, transitions = run(start, held(60 * 60, noise=64.9, velocity_per_hour=20))
    assert path(transitions) == [("controversy", 48 * HOUR)]


@pytest.mark.parametrize("state", ORDER)
def test_three_days_of_silence_resolve_any_state(state: State) -> None:
    start = Lifecycle(state, T0, (0, 0, 0, 0))
    silent = measures(noise=70, velocity_per_hour=20)
    assert step(start, silent, T0 + 72 * HOUR - 1)[0].state != "resolved"
    lifecycle, transitions = step(start, silent, T0 + 72 * HOUR)
    assert lifecycle.state == "resolved"
    assert transitions[0].reason == "no coverage for 72 h"


def test_a_faint_story_resolves_past_the_cooldown_of_its_last_coverage() -> None:
    faint = measures(noise=9.9)
    assert step(Lifecycle("trending", T0 - 50 * HOUR, (0, 0, 0, 0)), faint, T0 + 12 * HOUR - 1)[1] == ()
    assert step(Lifecycle("trending", T0 - 50 * HOUR, (0, 0, 0, 0)), faint, T0 + 12 * HOUR)[0].state == "resolved"
    assert step(Lifecycle("trending", T0, (0, 0, 0, 0)), measures(noise=10.0), T0 + 71 * HOUR)[1] == ()


def test_new_coverage_reopens_a_resolved_story_as_trending() -> None:
    resolved = Lifecycle("resolved", T0, (0, 0, 0, 0))
    assert step(resolved, measures(last_coverage_ms=T0), T0 + HOUR)[1] == ()
    lifecycle, transitions = step(resolved, measures(last_coverage_ms=T0 + 1), T0 + HOUR)
    assert (lifecycle.state, lifecycle.entered_ms) == ("trending", T0 + HOUR)
    assert transitions[0].reason == "covered again"


def test_late_coverage_from_before_the_resolution_reopens_a_story_unless_it_is_old() -> None:
    """A collector was down, or moderators held it back: it was published before, and is seen now."""
    gone = step(Lifecycle("trending", T0, (0, 0, 0, 0)), measures(last_coverage_ms=T0), T0 + 72 * HOUR)[0]
    assert (gone.state, gone.covered_ms) == ("resolved", T0)
    assert step(gone, measures(last_coverage_ms=T0 + 71 * HOUR), T0 + 80 * HOUR)[0].state == "trending"
    assert step(gone, measures(last_coverage_ms=T0 + 7 * HOUR), T0 + 80 * HOUR)[0] == gone
    assert step(gone, measures(last_coverage_ms=T0), T0 + 73 * HOUR)[1] == ()


def test_every_state_has_a_display_name_and_an_exit() -> None:
    assert set(SHOWN_AS) == set(COOLDOWN_MS) == {state for rule in RULES for state in rule.from_}


timelines = st.lists(
    st.tuples(
        st.sampled_from((MINUTE, 10 * MINUTE, HOUR, 5 * HOUR, 30 * HOUR, 80 * HOUR)),
        st.floats(0, 100),
        st.sampled_from((0.0, 5.0, 7.9, 8.0, 14.9, 15.0, 60.0)),
        st.integers(1, 3),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def told(drawn: list[tuple[int, float, float, int, bool, bool]]) -> list[tuple[int, Measures]]:
    timeline: list[tuple[int, Measures]] = []
    at_ms = last_ms = T0
    for pause_ms, noise, velocity, platforms, alarmed, covered in drawn:
        at_ms += pause_ms
        last_ms = at_ms if covered else last_ms
        timeline.append(
            (
                at_ms,
                measures(
                    noise=noise,
                    velocity_per_hour=velocity,
                    platforms=platforms,
                    alarmed=alarmed,
                    last_coverage_ms=last_ms,
                ),
            )
        )
    return timeline


@given(timelines)
@settings(max_examples=80, deadline=None)
def test_no_state_is_skipped_upwards_and_every_change_has_a_reason(
    drawn: list[tuple[int, float, float, int, bool, bool]],
) -> None:
    lifecycle = Lifecycle()
    reasons = {rule.reason for rule in RULES}
    for at_ms, now in told(drawn):
        before = lifecycle.state
        lifecycle, transitions = step(lifecycle, now, at_ms)
        for transition in transitions:
            assert transition.from_ == before
            assert transition.reason in reasons
            assert transition.at_ms == at_ms
            if transition.to in ORDER and before in ORDER and ORDER.index(transition.to) > ORDER.index(before):
                assert ORDER.index(transition.to) == ORDER.index(before) + 1
            before = transition.to
        assert lifecycle.state == before


@pytest.mark.parametrize("threshold", [10, 20, 40, 60, 65, 75])
@given(
    wobble=st.lists(st.floats(-3, 3), min_size=200, max_size=200),
    platforms=st.integers(1, 2),
    velocity=st.sampled_from((5.0, 20.0)),
)
@settings(max_examples=8, deadline=None)
def test_fluctuating_noise_never_flaps_a_state(
    threshold: float, wobble: list[float], platforms: int, velocity: float
) -> None:
    """A week of steps, noise within 3 points of a threshold, coverage going on: no state is entered twice."""
    lifecycle, entered = Lifecycle(), ["trending"]
    for index, off in enumerate(wobble):
        at_ms = T0 + index * 50 * MINUTE
        now = measures(noise=threshold + off, velocity_per_hour=velocity, platforms=platforms, last_coverage_ms=at_ms)
        lifecycle, transitions = step(lifecycle, now, at_ms)
        entered += [transition.to for transition in transitions]
    assert len(entered) == len(set(entered))


def decayed(now: Measures, since_ms: int, at_ms: int) -> Measures:
    """Return the measures of a story that gets no further signals."""
    velocity = now.velocity_per_hour if at_ms < now.hour_begins_ms + HOUR else 0.0
    noise = now.noise * 0.5 ** ((at_ms - since_ms) / DEFAULT.half_life_ms)
    return msgspec.structs.replace(now, noise=noise, velocity_per_hour=velocity)


@given(
    drawn=timelines,
    noise=st.floats(0, 100),
    velocity=st.sampled_from((0.0, 7.0, 12.0, 30.0)),
    age_ms=st.integers(0, HOUR - 1),
)
@settings(max_examples=30, deadline=None)
def test_nothing_changes_before_it_is_due(
    drawn: list[tuple[int, float, float, int, bool, bool]], noise: float, velocity: float, age_ms: int
) -> None:
    """A story is stepped every ten minutes, and another only when due: the same transitions within one step."""
    timeline = told(drawn)
    lifecycle, _ = run(Lifecycle(), timeline)
    now_ms, now = timeline[-1]
    now = msgspec.structs.replace(
        now,
        noise=noise,
        velocity_per_hour=velocity,
        last_coverage_ms=now_ms - age_ms,
        hour_begins_ms=now_ms - age_ms if velocity else 0,
        alarmed=False,
    )
    lifecycle, _ = step(lifecycle, now, now_ms)
    often, rare = lifecycle, lifecycle
    seen: list[tuple[str, str]] = []
    lazily: list[tuple[str, str]] = []
    due_ms = next_due_ms(rare, now, now_ms)
    for at_ms in range(now_ms + 10 * MINUTE, now_ms + 120 * HOUR, 10 * MINUTE):
        then = decayed(now, now_ms, at_ms)
        often, transitions = step(often, then, at_ms)
        seen += [(transition.from_, transition.to) for transition in transitions]
        if due_ms is not None and at_ms >= due_ms:
            rare, transitions = step(rare, then, at_ms)
            lazily += [(transition.from_, transition.to) for transition in transitions]
            due_ms = next_due_ms(rare, then, at_ms)
        assert (rare.state, rare.entered_ms) == (often.state, often.entered_ms)
    assert lazily == seen


def test_a_resolved_story_is_never_due() -> None:
    assert next_due_ms(Lifecycle("resolved", T0, (0, 0, 0, 0)), measures(), T0) is None


def test_due_is_when_noise_falls_below_a_threshold() -> None:
    lifecycle, _ = step(Lifecycle("trending", T0 - 70 * HOUR, (0, 0, 0, 0)), measures(noise=10.1), T0)
    due_ms = next_due_ms(lifecycle, measures(noise=10.1), T0)
    assert due_ms is not None
    assert due_ms - T0 == math.floor(DEFAULT.half_life_ms * math.log2(1.01))
