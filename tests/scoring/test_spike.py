"""The spike detector: its criterion, its baseline, and what it finds among simulated stories against simpler ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import Spike, SpikeChange, SpikeSettings
from scoring.spike import BUCKET_MS, baseline, step, upper_limit

T0 = 1_704_000_000_000
QUIET = [1, 0, 2, 1, 1, 0, 1, 2, 0, 1, 1, 2] * 24
"""A day of about 12 items an hour."""


def run(counts: Sequence[int | None], start: Spike | None = None, **options: float) -> tuple[Spike, list[SpikeChange]]:
    spike = start or Spike()
    spike, changes = step(spike, spike.next_ms or T0, counts, **options)
    return spike, list(changes)


def quantile(expectation: float, confidence: float) -> int:
    """Return Poisson's quantile, its terms taken in logarithms: exact at any expectation."""
    count, below = 0, math.exp(-expectation)
    while below < confidence:
        count += 1
        below += math.exp(count * math.log(expectation) - expectation - math.lgamma(count + 1))
    return count


@given(st.floats(0.001, 500), st.sampled_from((0.9, 0.99, 0.999)))
@settings(max_examples=40, deadline=None)
def test_the_limit_is_the_quantile_of_poissons_law(expectation: float, confidence: float) -> None:
    limit = upper_limit(expectation, confidence)
    assert quantile(expectation, confidence - 1e-9) <= limit <= quantile(expectation, confidence + 1e-9)


@pytest.mark.parametrize("expectation", [500.5, 700.0, 3000.0])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.999, 1 - 1e-9])
def test_a_large_expectations_limit_is_the_quantile_within_a_hundredth(expectation: float, confidence: float) -> None:
    assert upper_limit(expectation, confidence) == pytest.approx(quantile(expectation, confidence), rel=0.01)


def test_a_spike_is_found_at_the_end_of_its_bucket_with_its_evidence() -> None:
    _, changes = run([*QUIET, 14])
    assert len(changes) == 1
    change = changes[0]
    assert (change.on, change.counted, change.span_ms) == (True, 14, BUCKET_MS)
    assert change.at_ms == T0 + (len(QUIET) + 1) * BUCKET_MS
    assert change.counted > change.limit > change.expected
    assert change.velocity_per_hour == 14 * 12
    assert change.expected_per_hour == pytest.approx(12, rel=0.2)


def test_a_slow_spike_is_found_by_a_longer_span() -> None:
    _, changes = run([*QUIET, 4, 5, 5, 4, 5, 5, 4, 5, 5, 5, 5, 5])
    assert changes
    assert changes[0].span_ms > BUCKET_MS


def test_what_is_usual_is_no_spike() -> None:
    assert run(QUIET * 3)[1] == []


def test_a_young_story_is_judged_from_its_first_bucket() -> None:
    assert run([5])[1][0].on
    assert run([4])[1] == []
    assert run([2, 2])[1] == []
    assert run([3, 3, 3])[1][0].span_ms == 3 * BUCKET_MS


def test_an_alarm_goes_off_after_half_an_hour_of_quiet() -> None:
    spike, changes = run([*QUIET, 30, 30, 1, 1, 1, 9, 1, 1, 1, 1, 1])
    assert [change.on for change in changes] == [True]
    spike, changes = run([1], spike)
    assert [change.on for change in changes] == [False]
    assert spike.alarm_ms == 0


def test_a_spike_does_not_become_what_is_normal() -> None:
    before = baseline(run(QUIET)[0].calm)
    after = baseline(run([*QUIET, *[40] * 24, *[1] * 6])[0].calm)
    assert after.rate == pytest.approx(before.rate, rel=0.05)


def test_what_lasts_a_day_does() -> None:
    spike, changes = run([*QUIET, *[20] * 400])
    assert [change.on for change in changes] == [True, False]
    assert baseline(spike.calm).rate == pytest.approx(20, rel=0.15)


def test_an_outage_of_ours_does_not_become_what_is_normal() -> None:
    spike, changes = run([*QUIET, *[None] * 100, *QUIET[:24]])
    assert changes == []
    assert baseline(spike.calm).rate == pytest.approx(baseline(QUIET).rate, rel=0.05)


def test_buckets_seen_before_are_skipped_and_a_gap_is_unwatched() -> None:
    spike, _ = run(QUIET)
    assert step(spike, spike.next_ms - 3 * BUCKET_MS, [99, 99, 99])[0] == spike
    later, changes = step(spike, spike.next_ms + 50 * BUCKET_MS, [1])
    assert (changes, later.recent, later.next_ms) == ((), (1,), spike.next_ms + 51 * BUCKET_MS)


def test_a_lively_hour_of_the_platform_raises_what_is_expected() -> None:
    assert run([*QUIET, 9])[1]
    assert run([9], run(QUIET)[0], pace=2.0)[1] == []


@given(st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=80), st.integers(1, 79))
@settings(max_examples=40, deadline=None)
def test_steps_of_any_length_come_to_the_same(counts: list[int | None], cut: int) -> None:
    whole, changes = run(counts)
    half, first = run(counts[:cut])
    half, second = run(counts[cut:], half)
    assert (half, first + second) == (whole, changes)
    assert [change.on for change in changes] == [index % 2 == 0 for index in range(len(changes))]


def test_a_confidence_that_cannot_be_reached_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        SpikeSettings(confidence=1.0)


@dataclass(frozen=True)
class Simulated:
    """Counts by bucket; ``onset``: the bucket in which the spike begins, ``end``: until when finding it counts."""

    counts: list[int]
    onset: int | None
    end: int


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, chance, least = 0, rng.random(), math.exp(-mean)
    while chance > least:
        count, chance = count + 1, chance * rng.random()
    return count


def simulated(seed: int, spikes: bool) -> Simulated:
    """Return four days of a story: a rate that follows the day and wanders by the hour, and perhaps one spike."""
    rng = random.Random(seed)
    base = math.exp(rng.uniform(math.log(0.3), math.log(20)))
    wandering = rng.choice((2, 5, 50))
    onset = rng.randrange(288, 1000) if spikes else None
    peak = max(rng.uniform(20, 80), base * rng.uniform(5, 12))
    rise, fall = rng.uniform(2, 20), rng.uniform(60, 600)
    counts, mood = [], 1.0
    for bucket in range(4 * 288):
        if bucket % 12 == 0:
            mood = rng.gammavariate(wandering, 1 / wandering)
        rate = base * mood * (1 + 0.6 * math.sin(2 * math.pi * bucket / 288))
        if onset is not None and bucket >= onset:
            minutes = (bucket - onset + 0.5) * 5
            rate += peak * (minutes / rise if minutes < rise else math.exp(-(minutes - rise) / fall))
        counts.append(poisson(rng, rate / 12))
    return Simulated(counts, onset, onset + int((60 + 3 * fall) / 5) if onset is not None else 0)


def ours(counts: list[int]) -> list[int]:
    return [(change.at_ms - T0) // BUCKET_MS for change in run(counts)[1] if change.on]


def plain_poisson(counts: list[int]) -> list[int]:
    """(a): a bucket above the Poisson limit of the mean so far, at the same confidence and prior."""
    return rising(counts, lambda count, mean: count > upper_limit(mean, 0.999))


def three_times(counts: list[int]) -> list[int]:
    """(b): a bucket of three times the mean so far."""
    return rising(counts, lambda count, mean: count >= max(1.0, 3 * mean))


def rising(counts: list[int], hot: Callable[[int, float], bool]) -> list[int]:
    found, before, total = [], False, 0
    for bucket, count in enumerate(counts):
        now = hot(count, (total + 6) / (bucket + 36))
        if now and not before:
            found.append(bucket + 1)
        before, total = now, total + count
    return found


def hourly(counts: list[int]) -> list[int]:
    """(c): recalculated once an hour, a spike from 15 items/h that are more than usual."""
    found, before = [], False
    for end in range(12, len(counts) + 1, 12):
        count, mean = sum(counts[end - 12 : end]), (sum(counts[: end - 12]) + 6) / ((end - 12) / 12 + 3)
        now = count >= 15 and count > upper_limit(mean, 0.999)
        if now and not before:
            found.append(end)
        before = now
    return found


@dataclass(frozen=True)
class Result:
    """Minutes to the median detection, spikes missed, and false alarms per story and day."""

    delay: float
    missed: int
    false: float


def result(detector: Callable[[list[int]], list[int]], stories: list[Simulated]) -> Result:
    delays, missed, false = [], 0, 0
    for story in stories:
        alarms = detector(story.counts)
        hits = [at for at in alarms if story.onset is not None and story.onset < at <= story.end]
        false += len(alarms) - len(hits)
        if story.onset is not None:
            if hits:
                delays.append((hits[0] - story.onset) * 5.0)
            else:
                missed += 1
    return Result(median(delays), missed, false / (4 * len(stories)))


@pytest.mark.slow
def test_faster_than_hourly_with_fewer_false_alarms_than_plain_poisson() -> None:
    stories = [simulated(seed, spikes=seed % 5 < 3) for seed in range(80)]
    found = {detector.__name__: result(detector, stories) for detector in (ours, plain_poisson, three_times, hourly)}
    mine = found["ours"]
    assert mine.delay <= found["hourly"].delay / 3, found
    assert mine.false <= found["plain_poisson"].false / 2, found
    assert mine.missed <= min(other.missed for other in found.values()), found
