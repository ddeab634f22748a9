"""Lifecycle: the state a story is in, and why it changed.

Owns the rules between states. Must never know how noise and velocity come about, nor what time it is.

The rules are a table, below. They rest on the reference site's five states and thresholds; that holds are measured from
the first step at which a test was seen to hold, and what brings a controversy down, is ours.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import msgspec

from scoring.settings import DEFAULT, HOUR_MS, MINUTE_MS, Settings

__all__ = ["RULES", "SHOWN_AS", "Lifecycle", "Measures", "Rule", "State", "Transition", "next_due_ms", "step"]

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
"""How long a story stays in a state before it may fall out of it. That of trending is ours."""

LIVE: tuple[State, ...] = ("trending", "spike", "controversy", "scandal")
_LOUDNESS: tuple[State, ...] = ("resolved", *LIVE)


class Measures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the lifecycle looks at. ``noise`` 0 to 100; ``alarmed``: the spike detector's alarm is on.

    ``hour_begins_ms``: when the oldest item of the last hour was covered, 0 if there is none.
    """

    noise: float
    velocity_per_hour: float
    platforms: int
    alarmed: bool
    last_coverage_ms: int
    hour_begins_ms: int = 0


class Lifecycle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A story's state since ``entered_ms``, and since when each test that needs holding has held (0: it does not)."""

    state: State = "trending"
    entered_ms: int = 0
    held_since_ms: tuple[int, ...] = ()
    covered_ms: int = 0
    """The last coverage known when the state was entered; 0 where that was not noted yet."""

    def louder(self, other: Lifecycle) -> Lifecycle:
        """Return the one of both that is in the louder state; this one, if they are in the same.

        What was said of a part is true of the whole: a story does not calm down by being found to be larger.
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
    """True if a measure is at least (or, ``below``, less than) a threshold, and has been for ``hold_ms``."""

    measure: Measure
    threshold: float
    below: bool = False
    hold_ms: int = 0


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A way out of a state, taken when all tests hold.

    ``cooldown``: what the state's cooldown is counted from: nothing (it does not apply), entering the state, or the
    later of that and the last coverage.
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
HEARD = Condition("silence_ms", SILENT.threshold, below=True)
COVERED = Condition("covered_since_entered", 1)

RULES: tuple[Rule, ...] = (
    Rule(("resolved",), "trending", (COVERED, HEARD), "covered again"),
    Rule(LIVE, "resolved", (SILENT,), "no coverage for 72 h"),
    Rule(LIVE, "resolved", (FAINT,), "noise below 10, no coverage within the cooldown", "coverage"),
    Rule(("scandal",), "controversy", (CALMER,), "noise below 65 for 4 h", "state"),
    Rule(("controversy",), "trending", (SLOW, NO_ALARM), "fewer than 8 items/h for 1 h", "state"),
    Rule(("spike",), "trending", (SLOW, NO_ALARM), "fewer than 8 items/h for 1 h", "state"),
    Rule(("trending",), "spike", (FAST,), "15 items/h or more for 15 min"),
    Rule(("trending",), "spike", (ALARM,), "the spike detector fired"),
    Rule(("spike",), "controversy", (SEVERAL,), "covered on 2 platforms or more"),
    Rule(("controversy",), "scandal", (LOUD,), "noise at 75 or more for 4 h"),
)
"""The whole machine; of several rules that apply, the first is taken, then the table is read again.

A controversy falls to trending, not to spike: it would be back at once, since platforms are never lost.
"""

_HELD = (FAST, SLOW, LOUD, CALMER)
"""The tests that need holding, in the order of ``Lifecycle.held_since_ms``."""


class _Way(NamedTuple):
    """A rule, ready to be asked: each of its tests with its place in ``_HELD``, if it needs holding."""

    rule: Rule
    tests: tuple[tuple[Condition, int | None], ...]


_WAYS: dict[State, tuple[_Way, ...]] = {
    state: tuple(
        _Way(rule, tuple((test, _HELD.index(test) if test.hold_ms else None) for test in rule.tests))
        for rule in RULES
        if state in rule.from_
    )
    for state in COOLDOWN_MS
}
"""The ways out of each state, in the order of the table."""
_WATCHED: dict[State, tuple[int, ...]] = {
    state: tuple(sorted({place for way in ways for _, place in way.tests if place is not None}))
    for state, ways in _WAYS.items()
}
"""The places of the tests that lead out of each state and need holding."""


def step(lifecycle: Lifecycle, measures: Measures, t_ms: int) -> tuple[Lifecycle, tuple[Transition, ...]]:
    """Return the lifecycle at ``t_ms`` and the transitions that led there, in order.

    Steps must not go back in time. A story starts with ``Lifecycle()``.

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


def next_due_ms(lifecycle: Lifecycle, measures: Measures, t_ms: int, settings: Settings = DEFAULT) -> int | None:
    """Return the earliest time after ``t_ms`` at which a step could differ though no signal came, None if never.

    ``lifecycle`` and ``measures`` are those of the step at ``t_ms``. Stepping before that time changes nothing. The
    alarm is not foreseen: step when it goes on or off.
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
            due.append(t_ms + max(1.0, settings.half_life_ms * math.log2(measures.noise / threshold)))
    if measures.hour_begins_ms:
        due.append(measures.hour_begins_ms + HOUR_MS)
    return min((math.floor(at_ms) for at_ms in due if at_ms > t_ms), default=None)


def _applicable(lifecycle: Lifecycle, measures: Measures, t_ms: int) -> Rule | None:
    """Return the first rule that leads out of the state of ``lifecycle`` now."""
    entered_ms, held = lifecycle.entered_ms, lifecycle.held_since_ms
    for rule, tests in _WAYS[lifecycle.state]:
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
