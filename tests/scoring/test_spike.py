"""The spike detector: its criterion and its baseline. tests/hubbub/evaluate/spikes/ measures what it finds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import Spike, SpikeChange
from scoring.spike import BUCKET_MS, DEFAULT, baseline, step, upper_limit

T0 = 1_704_000_000_000
QUIET = [1, 0, 2, 1, 1, 0, 1, 2, 0, 1, 1, 2] * 24
"""A day of about 12 items an hour."""


def run(counts: Sequence[int | None], start: Spike | None = None) -> tuple[Spike, list[SpikeChange]]:
    spike = start or Spike()
    spike, changes = step(spike, spike.next_ms or T0, counts)
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
def test_the_limit_is_the_poisson_quantile(expectation: float, confidence: float) -> None:
    limit = upper_limit(expectation, confidence)
    assert quantile(expectation, confidence - 1e-9) <= limit <= quantile(expectation, confidence + 1e-9)


@pytest.mark.parametrize("expectation", [500.5, 700.0, 3000.0])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.999, 1 - 1e-9])
def test_the_limit_of_a_large_expectation_is_the_quantile_within_one_percent(
    expectation: float, confidence: float
) -> None:
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


def test_a_usual_rate_is_not_a_spike() -> None:
    assert run(QUIET * 3)[1] == []


def test_a_young_story_is_tested_from_its_first_bucket() -> None:
    assert run([4])[1][0].on
    assert run([3])[1] == []
    assert run([2, 2])[1] == []
    assert run([3, 3, 3])[1][0].span_ms == 3 * BUCKET_MS


def test_a_slow_rise_does_not_raise_its_own_limit() -> None:
    steady = [1, 2, 1, 2, 1, 1, 1, 2, 1, 2, 1, 1]
    _, changes = run(steady)
    assert [(change.on, change.span_ms) for change in changes] == [(True, 12 * BUCKET_MS)]
    assert changes[0].expected == pytest.approx(DEFAULT.prior_per_hour)


def test_fifteen_items_in_an_hour_are_a_spike_of_a_young_story_only() -> None:
    usual, steady = [1, 0, 0, 0] * 12, [1, 2, 1, 1, 1, 2, 1, 2, 1, 1, 1, 1]
    _, changes = run([*usual, *steady])
    assert [(change.on, change.counted, change.limit) for change in changes] == [(True, 15, 14)]
    assert changes[0].expected == pytest.approx(2.6, abs=0.2)
    assert run([*usual, *usual, *steady])[1] == []


def test_fifteen_items_are_not_a_spike_if_more_than_a_third_is_usual() -> None:
    assert run([*[1] * 55, *[1, 1, 2] * 4])[1] == []


def test_a_bucket_without_items_raises_no_alarm() -> None:
    assert run([2, 2, 0, 0, 0, 0, 0, 0])[1] == []
    assert run([*QUIET, *[4, 4, 3, 0] * 2])[1] == run([*QUIET, *[4, 4, 3, 0] * 2, 0, 0, 0])[1]


def test_a_few_items_after_a_long_silence_are_not_a_spike() -> None:
    silence = [0] * 1000
    assert run([*silence, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1])[1] == []
    assert run([*silence, 0, 4])[1][0].on


def test_an_alarm_goes_off_after_half_an_hour_of_quiet() -> None:
    spike, changes = run([*QUIET, 30, 30, 30, 1, 1, 1, 1, 1])
    assert [change.on for change in changes] == [True]
    spike, changes = run([1], spike)
    assert [change.on for change in changes] == [False]
    assert spike.alarm_ms == 0


def test_a_spike_does_not_become_the_baseline() -> None:
    before = baseline(run(QUIET)[0].calm)
    after = baseline(run([*QUIET, *[40] * 24, *[1] * 6])[0].calm)
    assert after.rate == pytest.approx(before.rate, rel=0.05)


def test_a_slow_spike_keeps_its_alarm_though_no_single_bucket_exceeds_the_limit() -> None:
    _, changes = run([*[0] * 100, *[2] * 60])
    assert [change.on for change in changes] == [True]


def test_a_level_that_lasts_a_day_becomes_the_baseline() -> None:
    spike, changes = run([*QUIET, *[20] * 400])
    assert [change.on for change in changes] == [True, False]
    assert baseline(spike.calm).rate == pytest.approx(20, rel=0.2)


def test_an_outage_does_not_become_the_baseline() -> None:
    spike, changes = run([*QUIET, *[None] * 100, *QUIET[:24]])
    assert changes == []
    assert baseline(spike.calm).rate == pytest.approx(baseline(QUIET).rate, rel=0.05)


def test_counted_buckets_are_skipped_and_a_gap_has_no_collection() -> None:
    spike, _ = run(QUIET)
    assert step(spike, spike.next_ms - 3 * BUCKET_MS, [99, 99, 99])[0] == spike
    later, changes = step(spike, spike.next_ms + 50 * BUCKET_MS, [1])
    assert (changes, later.recent, later.next_ms) == ((), (1,), spike.next_ms + 51 * BUCKET_MS)


@given(st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=80), st.integers(1, 79))
@settings(max_examples=40, deadline=None)
def test_steps_of_any_length_give_the_same_result(counts: list[int | None], cut: int) -> None:
    whole, changes = run(counts)
    half, first = run(counts[:cut])
    half, second = run(counts[cut:], half)
    assert (half, first + second) == (whole, changes)
    assert [change.on for change in changes] == [index % 2 == 0 for index in range(len(changes))]
