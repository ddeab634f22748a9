"""What is decided about one story at a tick of event time: its spikes, its state, and when to decide again.

Owns the bridge from a story to scoring's spike detector and lifecycle, and the events that come of them. Pure.
"""

import math
from collections.abc import Mapping

from scoring import DEFAULT, Score, SpikeChange, StoryState, Tier, Transition, lifecycle, measure, score, spike
from streams.records.noise_event import NoiseEvent, Resolved, SpikeEnd, SpikeStart, StateChange
from streams.records.stories import StoryInfo
from streams.score.scored_story import ScoredStory

BUCKET_MS = spike.BUCKET_MS
LOOK_BACK_MS = 288 * BUCKET_MS
"""Bounds the past that the detector is shown: one day, also if a story is first seen long after it began."""
SHOWN_SIGNALS = 3


def decide(story: ScoredStory, tiers: Mapping[str, Tier], at_ms: int) -> list[NoiseEvent]:
    """Bring ``story`` up to ``at_ms``; return the events of it, in order. ``tiers``: of the public figures, by id.

    Sets ``story.due_ms``: the earliest time after ``at_ms`` at which something could change without a signal; 0: never.
    """
    state = story.scoring
    runs = state.ledger.until(at_ms).runs
    changes = detect(state, runs[0][0] if runs else 0, at_ms)
    measures = measure(state.ledger, at_ms, alarmed=bool(state.spike.alarm_ms), tiers=tiers)
    state.lifecycle, transitions = lifecycle.step(state.lifecycle, measures, at_ms)
    events: list[NoiseEvent] = []
    if changes or transitions:
        scored = score(state.ledger, at_ms, tiers=tiers)
        events += [_spike_event(story, scored, spiked) for spiked in changes]
        for change in transitions:
            events.append(state_change(story.info, change, scored.noise))
            if change.to == "resolved":
                info = story.info
                events.append(Resolved(story=info.id, slug=info.slug, at_ms=change.at_ms, noise=scored.noise))
    due = [lifecycle.next_due_ms(state.lifecycle, measures, at_ms)]
    if state.spike.alarm_ms or measures.last_coverage_ms > at_ms - BUCKET_MS:
        due.append(at_ms - at_ms % BUCKET_MS + BUCKET_MS)
    story.due_ms = min((due_ms for due_ms in due if due_ms is not None), default=0)
    return events


def decays_in_ms(noise: float, points: float) -> int | None:
    """Return how long an uncovered story takes to decay from ``noise`` by ``points``; None if it never does."""
    if points <= 0 or noise <= points:
        return None
    return max(1, round(-DEFAULT.half_life_ms * math.log2(1 - points / noise)))


def detect(state: StoryState, first_seen_ms: int, at_ms: int) -> tuple[SpikeChange, ...]:
    """Show the detector the buckets that have closed since the last call; return the alarms that go on or off.

    ``first_seen_ms``: of the story, 0 if nothing has covered it yet.
    """
    closed_ms = at_ms - at_ms % BUCKET_MS
    begin_ms = max(state.spike.next_ms or first_seen_ms - first_seen_ms % BUCKET_MS, closed_ms - LOOK_BACK_MS)
    buckets = (closed_ms - begin_ms) // BUCKET_MS
    if buckets <= 0 or not first_seen_ms:
        return ()
    state.spike, changes = spike.step(state.spike, begin_ms, state.ledger.counts(begin_ms, buckets))
    return changes


def _spike_event(story: ScoredStory, scored: Score, change: SpikeChange) -> SpikeStart | SpikeEnd:
    evidence = {
        "counted": change.counted,
        "expected": change.expected,
        "limit": change.limit,
        "span_ms": change.span_ms,
        "platforms": {name: tally.items for name, tally in scored.windows["1h"].platforms.items()},
        "loudest": scored.top[:SHOWN_SIGNALS],
    }
    kind = SpikeStart if change.on else SpikeEnd
    return kind(
        story=story.info.id,
        slug=story.info.slug,
        at_ms=change.at_ms,
        velocity_per_hour=change.velocity_per_hour,
        expected_per_hour=change.expected_per_hour,
        evidence=evidence,
    )


def state_change(info: StoryInfo, change: Transition, noise: float) -> StateChange:
    """Return the event of ``change``, with the story's noise at that time."""
    return StateChange(
        story=info.id,
        slug=info.slug,
        at_ms=change.at_ms,
        from_=change.from_,
        to=change.to,
        noise=noise,
        reason=change.reason,
    )
