"""Lifecycle: the state a story is in, and why it changed.

Owns the rules between states. Must never know how noise and velocity are computed, nor what time it is.

The rules are the table ``RULES``. The five states and the thresholds are the reference site's. Two details are ours: a
hold is measured from the first step at which its test is true, and a controversy falls by the rule below.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from scoring.settings import DEFAULT, HOUR_MS, MINUTE_MS

State = Literal["trending", "spike", "controversy", "scandal", "resolved"]

SHOWN_AS: dict[State, str] = {
    "trending": "Emerging",
    "spike": "Growing",
    "controversy": "Debated",
    "scandal": "Major controversy",
    "resolved": "Resolved",
}
"""The words a reader sees, in the order in which a story passes through them."""

COOLDOWN_MS: dict[State, int] = {
    "trending": 12 * HOUR_MS,
    "spike": 12 * HOUR_MS,
    "controversy": 24 * HOUR_MS,
    "scandal": 48 * HOUR_MS,
    "resolved": 0,
}
"""How long a story stays in a state before it may leave it downwards. Trending's cooldown is ours."""

LIVE: tuple[State, ...] = ("trending", "spike", "controversy", "scandal")
_LOUDNESS: tuple[State, ...] = ("resolved", *LIVE)


class Measures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The input of the lifecycle. ``noise``: 0 to 100; ``alarmed``: the spike detector's alarm is on.

    ``velocity_per_hour``: people who spoke in the last hour. ``hour_begins_ms``: when the oldest item of that hour was
    covered, UTC epoch ms; 0 if there is none.
    """

    noise: float
    velocity_per_hour: float
    platforms: int
    alarmed: bool
    last_coverage_ms: int
    hour_begins_ms: int = 0


class Lifecycle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A story's state since ``entered_ms``, and since when each test with a hold has been true (0: it is false)."""

    state: State = "trending"
    entered_ms: int = 0
    held_since_ms: tuple[int, ...] = ()
    covered_ms: int = 0
    """The last coverage known when the state was entered; 0 in states of earlier versions."""

    def louder(self, other: Lifecycle) -> Lifecycle:
        """Return the one of both in the louder state; this one, if both are in the same.

        For merges: a story does not become quieter because it turns out to be larger.
        """
        return other if _LOUDNESS.index(other.state) > _LOUDNESS.index(self.state) else self


class Transition(msgspec.Struct, frozen=True, gc=False):
    """One change of state, with the rule's reason in words."""

    from_: State
    to: State
    at_ms: int
    reason: str


Measure = Literal["noise", "velocity_per_hour", "platforms", "alarmed", "silence_ms", "covered_since_entered"]


class Condition(msgspec.Struct, frozen=True, gc=False):
    """True if a measure has been at least (``below``: less than) a threshold for ``hold_ms``."""

    measure: Measure
    threshold: float
    below: bool = False
    hold_ms: int = 0


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A transition, taken when all ``tests`` are true.

    ``cooldown``: what the state's cooldown is counted from. "none": it does not apply; "state": entering the state;
    "coverage": entering the state or the last coverage, whichever is later.
    """

    from_: tuple[State, ...]
    to: State
    tests: tuple[Condition, ...]
    reason: str
    cooldown: Literal["none", "state", "coverage"] = "none"


FAST = Condition("velocity_per_hour", 15, hold_ms=15 * MINUTE_MS)
SLOW = Condition("velocity_per_hour", 8, below=True, hold_ms=HOUR_MS)
ALARM = Condition("alarmed", 1)
NO_ALARM = Condition("alarmed", 1, below=True)
SEVERAL = Condition("platforms", 2)
LOUD = Condition("noise", 75, hold_ms=4 * HOUR_MS)
CALMER = Condition("noise", 65, below=True, hold_ms=4 * HOUR_MS)
FAINT = Condition("noise", 10, below=True)
SILENT = Condition("silence_ms", 72 * HOUR_MS)
COVERED_LATELY = Condition("silence_ms", SILENT.threshold, below=True)
COVERED = Condition("covered_since_entered", 1)

RULES: tuple[Rule, ...] = (
    Rule(("resolved",), "trending", (COVERED, COVERED_LATELY), "covered again"),
    Rule(LIVE, "resolved", (SILENT,), "no coverage for 72 h"),
    Rule(LIVE, "resolved", (FAINT,), "noise below 10, no coverage within the cooldown", "coverage"),
    Rule(("scandal",), "controversy", (CALMER,), "noise below 65 for 4 h", "state"),
    Rule(("controversy",), "trending", (SLOW, NO_ALARM), "fewer than 8 people/h for 1 h", "state"),
    Rule(("spike",), "trending", (SLOW, NO_ALARM), "fewer than 8 people/h for 1 h", "state"),
    Rule(("trending",), "spike", (FAST,), "15 people/h or more for 15 min"),
    Rule(("trending",), "spike", (ALARM,), "the spike detector fired"),
    Rule(("spike",), "controversy", (SEVERAL,), "covered on 2 platforms or more"),
    Rule(("controversy",), "scandal", (LOUD,), "noise at 75 or more for 4 h"),
)
"""The whole state machine. The first rule that applies is taken, then the table is read again from the top.

A controversy falls to trending, not to spike: from spike it would return at once, since platforms are never lost.
"""

_HELD = (FAST, SLOW, LOUD, CALMER)
"""The tests with a hold, in the order of ``Lifecycle.held_since_ms``."""


_Tests = tuple[tuple[Condition, int | None], ...]
"""The tests of a rule, each with its index in ``_HELD``; None for a test without a hold."""

_EXITS: dict[State, tuple[tuple[Rule, _Tests], ...]] = {
    state: tuple(
        (rule, tuple((test, _HELD.index(test) if test.hold_ms else None) for test in rule.tests))
        for rule in RULES
        if state in rule.from_
    )
    for state in COOLDOWN_MS
}
"""The rules that leave each state, in the order of the table."""
_WATCHED: dict[State, tuple[int, ...]] = {
    state: tuple(sorted({place for _, tests in exits for _, place in tests if place is not None}))
    for state, exits in _EXITS.items()
}
"""The indices in ``_HELD`` of the tests that leave each state."""


def step(lifecycle: Lifecycle, measures: Measures, t_ms: int) -> tuple[Lifecycle, tuple[Transition, ...]]:
    """Return the lifecycle at ``t_ms`` and the transitions that led there, in order.

    Steps must not go back in time. A new story has ``Lifecycle()``.

    >>> measures = Measures(noise=30, velocity_per_hour=3, platforms=2, alarmed=True, last_coverage_ms=1000)
    >>> lifecycle, transitions = step(Lifecycle(), measures, 1000)
    >>> [(t.to, t.reason) for t in transitions]
    [('spike', 'the spike detector fired'), ('controversy', 'covered on 2 platforms or more')]
    """
    entered_ms = lifecycle.entered_ms or t_ms
    covered_ms = lifecycle.covered_ms or entered_ms
    since = lifecycle.held_since_ms or (0,) * len(_HELD)
    held = tuple(
        (began_ms or t_ms) if _is_true(test, measures, t_ms, covered_ms) else 0
        for test, began_ms in zip(_HELD, since, strict=True)
    )
    transitions: list[Transition] = []
    now = Lifecycle(lifecycle.state, entered_ms, held, covered_ms)
    while (rule := _applicable(now, measures, t_ms)) is not None:
        transitions.append(Transition(now.state, rule.to, t_ms, rule.reason))
        now = Lifecycle(rule.to, t_ms, held, measures.last_coverage_ms)
    return now, tuple(transitions)


def next_due_ms(lifecycle: Lifecycle, measures: Measures, t_ms: int) -> int | None:
    """Return the earliest time after ``t_ms`` at which a step could change the state without a new signal.

    None: never. ``lifecycle`` and ``measures`` are those of the step at ``t_ms``. A step before the returned time
    changes nothing. The alarm is not predicted: step when it goes on or off.
    """
    if lifecycle.state == "resolved":
        return None
    due = [measures.last_coverage_ms + SILENT.threshold]
    held = lifecycle.held_since_ms
    due += [held[place] + _HELD[place].hold_ms for place in _WATCHED[lifecycle.state] if held[place]]
    cooldown_ms = COOLDOWN_MS[lifecycle.state]
    due += [lifecycle.entered_ms + cooldown_ms, max(lifecycle.entered_ms, measures.last_coverage_ms) + cooldown_ms]
    for threshold in (LOUD.threshold, CALMER.threshold, FAINT.threshold):
        if measures.noise >= threshold:
            due.append(t_ms + max(1.0, DEFAULT.half_life_ms * math.log2(measures.noise / threshold)))
    if measures.hour_begins_ms:
        due.append(measures.hour_begins_ms + HOUR_MS)
    return min((math.floor(at_ms) for at_ms in due if at_ms > t_ms), default=None)


def _applicable(lifecycle: Lifecycle, measures: Measures, t_ms: int) -> Rule | None:
    """Return the first rule that applies to ``lifecycle`` at ``t_ms``; None if there is none."""
    entered_ms, held = lifecycle.entered_ms, lifecycle.held_since_ms
    for rule, tests in _EXITS[lifecycle.state]:
        if rule.cooldown != "none":
            from_ms = max(entered_ms, measures.last_coverage_ms) if rule.cooldown == "coverage" else entered_ms
            if t_ms - from_ms < COOLDOWN_MS[lifecycle.state]:
                continue
        for test, place in tests:
            if place is None:
                if not _is_true(test, measures, t_ms, lifecycle.covered_ms):
                    break
            elif not held[place] or t_ms - held[place] < test.hold_ms:
                break
        else:
            return rule
    return None


def _is_true(test: Condition, measures: Measures, t_ms: int, covered_ms: int) -> bool:
    value: float
    if test.measure == "silence_ms":
        value = t_ms - measures.last_coverage_ms
    elif test.measure == "covered_since_entered":
        value = measures.last_coverage_ms > covered_ms
    else:
        value = getattr(measures, test.measure)
    return value < test.threshold if test.below else value >= test.threshold
