"""How detectors are measured, and how ours compares with simpler ones."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from hubbub.evaluate.spikes.cases import Case, recorded
from hubbub.evaluate.spikes.detectors import Alarm, WatchedStory, hourly, plain_poisson, run_our_detector, three_times
from hubbub.evaluate.spikes.hindsight import Cell, Surge, surges
from hubbub.evaluate.spikes.measure import TrialResult, run_trial
from hubbub.evaluate.spikes.trials import read, trials
from hubbub.evaluate.spikes.world_cases import SIZE, world_cases
from ingest.signal import Counts, Signal

T0 = 1_704_067_200_000
MINUTE_MS = 60_000
BUCKET_MS = 5 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS


def item(at_ms: int, number: int = 0, **changed: object) -> Signal:
    fields = {"id": f"x:{number or at_ms}", "kind": "post", "platform": "x", "thread": "x:1", "created_ms": at_ms}
    return Signal(**{**fields, "observed_ms": at_ms, **changed})  # type: ignore[arg-type]


def spread(rng: random.Random, begin_ms: int, hours: float, per_hour: float) -> list[int]:
    return sorted(begin_ms + int(rng.random() * hours * HOUR_MS) for _ in range(round(hours * per_hour)))


def test_hindsight_finds_the_onset_of_a_surge() -> None:
    rng = random.Random(1)
    times_ms = [*spread(rng, T0, 48, 2), *spread(rng, T0 + 48 * HOUR_MS, 3, 40), *spread(rng, T0 + 51 * HOUR_MS, 48, 2)]
    due = [surge for surge in surges(moments(times_ms)) if surge.onset_ms is not None]
    assert len(due) == 1
    assert due[0].onset_ms == pytest.approx(T0 + 48 * HOUR_MS, abs=10 * MINUTE_MS)
    assert due[0].end_ms == pytest.approx(T0 + 51 * HOUR_MS, abs=45 * MINUTE_MS)


def test_hindsight_finds_no_surge_at_a_steady_rate() -> None:
    assert surges(moments(spread(random.Random(2), T0, 96, 4))) == []
    assert surges([]) == []


def test_a_rate_below_the_threshold_is_left_open() -> None:
    times_ms = [T0, *spread(random.Random(3), T0 + 48 * HOUR_MS, 6, 9)]
    assert [surge.onset_ms for surge in surges(moments(times_ms))] == [None]


def moments(times_ms: list[int]) -> list[Cell]:
    return [Cell(begin, end, 1) for begin, end in zip(times_ms, [*times_ms[1:], times_ms[-1] + HOUR_MS], strict=True)]


def alarms(*counts: int) -> WatchedStory:
    return WatchedStory(T0, counts, ())


def test_the_other_detectors_follow_their_definitions() -> None:
    calm = (1, 0, 1, 0, 1, 0) * 24
    assert [a.on_ms for a in plain_poisson(alarms(*calm, 6, 7, 0, 5))] == [T0 + b * BUCKET_MS for b in (145, 148)]
    steady = (2,) * 2016
    assert [a.on_ms for a in three_times(alarms(*steady, 5))] == [T0 + BUCKET_MS]  # far more than a young story has
    assert [a.on_ms for a in three_times(alarms(*steady, 6))][1:] == [T0 + 2017 * BUCKET_MS]
    hours = ([1] * 12, [2] * 12, [1] * 12, [0] * 12, [2] * 12)
    story = WatchedStory(T0, tuple(count for hour in hours for count in hour), ())
    assert list(hourly(story)) == [Alarm(T0 + 2 * HOUR_MS, T0 + 4 * HOUR_MS), Alarm(T0 + 5 * HOUR_MS, T0 + 5 * HOUR_MS)]


def test_ours_is_the_score_stages_detector_and_decides_when_a_bucket_closes() -> None:
    story = run_our_detector([item(T0 + minute * MINUTE_MS, minute + 1) for minute in (1, 61, 62, 63, 64, 64, 64)])
    assert [alarm.on_ms for alarm in story.alarms] == [T0 + 65 * MINUTE_MS]
    assert (story.counts[0], story.counts[12], sum(story.counts)) == (1, 4, 5)  # three signals are one item


def test_found_missed_and_false_alarms_are_counted() -> None:
    burst = [item(T0 + 10 * HOUR_MS + second * 1000, second + 2) for second in range(0, 300, 10)]
    signals = [item(T0, 1), *burst]
    onset_ms = T0 + 10 * HOUR_MS
    found = Surge(onset_ms, onset_ms, onset_ms + HOUR_MS)
    later = Surge(onset_ms + 2 * HOUR_MS, onset_ms + 2 * HOUR_MS, onset_ms + 3 * HOUR_MS)
    assert ours([Case("a", signals, (found, later))]) == (5.0, 1, 0)
    assert ours([Case("a", signals, ())]) == (None, 0, 1)
    assert ours([Case("a", signals, (found._replace(onset_ms=None),))]) == (None, 0, 0)
    under_way = Surge(onset_ms + 10 * MINUTE_MS, onset_ms + 10 * MINUTE_MS, onset_ms + HOUR_MS)
    assert ours([Case("a", signals, (found, under_way))]) == (5.0, 0, 0)


def ours(cases: list[Case]) -> tuple[float | None, int, int]:
    mine = run_trial(cases).detectors["hubbub"]
    return mine.delay_minutes, mine.missed, mine.false_alarms


def test_a_thread_with_recorded_counts_alone_gets_stand_ins_for_its_replies() -> None:
    seen = [
        item(T0, 1, thread="x:1", observed_ms=T0 + h * HOUR_MS, counts=Counts(replies=n)) for h, n in ((1, 2), (2, 40))
    ]
    (case,) = recorded([(None, signal) for signal in seen], labelled=False)
    items = list(case.signals)
    assert [signal.kind for signal in items] == ["post", *["reply"] * 40]
    assert [T0 + HOUR_MS <= signal.created_ms < T0 + 2 * HOUR_MS for signal in items[3:]] == [True] * 38
    assert items == list(case.signals)
    assert [surge.onset_ms for surge in case.surges] == [T0 + HOUR_MS]


def assert_targets(measured: TrialResult) -> None:
    """Assert the targets, except against (b)'s misses: its alarm is on at a single item and misses nothing."""
    mine, poisson, by_hour = (measured.detectors[name] for name in ("hubbub", "poisson", "hourly"))
    assert mine.delay_minutes is not None
    assert by_hour.delay_minutes is not None
    assert mine.delay_minutes <= by_hour.delay_minutes / 3, measured
    assert mine.false_alarms <= poisson.false_alarms / 2, measured
    assert mine.missed <= min(poisson.missed, by_hour.missed), measured


def test_in_a_simulated_world_ours_is_faster_with_fewer_false_alarms() -> None:
    measured = run_trial(world_cases(range(1, 3), SIZE))
    assert_targets(measured)
    assert measured.detectors["hubbub"].missed == 0


@pytest.mark.slow
@pytest.mark.parametrize("recording", ["labelled/crisis-tweets", "recordings/hacker-news-scores"])
def test_on_recordings_ours_is_faster_with_fewer_false_alarms(shared: Path, recording: str) -> None:
    _, measured = next(trials([read(shared / f"{recording}.ndjson.gz")], world=False))
    assert_targets(measured)
    assert measured.detectors["hubbub"].missed == 0


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, chance, least = 0, rng.random(), math.exp(-mean)
    while chance > least:
        count, chance = count + 1, chance * rng.random()
    return count


def wandering(seed: int) -> Case:
    """Return four days of a story: a rate that follows the day and wanders by the hour; most have one spike.

    It starts at its full rate, which is a rise, too: in its first hours no alarm is wrong.
    """
    rng = random.Random(seed)
    base = math.exp(rng.uniform(math.log(0.3), math.log(20)))
    steadiness = rng.choice((2, 5, 50))
    onset = rng.randrange(288, 1000) if seed % 5 < 3 else 2000
    peak = max(rng.uniform(20, 80), base * rng.uniform(5, 12))
    rise, fall = rng.uniform(2, 20), rng.uniform(60, 600)
    signals, mood = [item(T0)], 1.0
    for bucket in range(4 * 288):
        if bucket % 12 == 0:
            mood = rng.gammavariate(steadiness, 1 / steadiness)
        rate = base * mood * (1 + 0.6 * math.sin(2 * math.pi * bucket / 288))
        if bucket >= onset:
            minutes = (bucket - onset + 0.5) * 5
            rate += peak * (minutes / rise if minutes < rise else math.exp(-(minutes - rise) / fall))
        begin_ms = T0 + bucket * BUCKET_MS
        times_ms = sorted(rng.randrange(begin_ms, begin_ms + BUCKET_MS) for _ in range(poisson(rng, rate / 12)))
        signals += [item(at_ms, len(signals) + number) for number, at_ms in enumerate(times_ms, 1)]
    onset_ms = T0 + onset * BUCKET_MS
    spike = Surge(onset_ms, onset_ms, onset_ms + int((60 + 3 * fall) * MINUTE_MS))
    return Case(str(seed), signals, (Surge(T0, None, T0 + 6 * HOUR_MS), *([spike] if onset < 2000 else [])))


@pytest.mark.slow
def test_on_stories_with_a_wandering_rate_ours_is_faster_with_fewer_false_alarms() -> None:
    assert_targets(run_trial(wandering(seed) for seed in range(60)))
