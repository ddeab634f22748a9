"""Spike detectors: ours, and three that it is compared with.

Owns the three others, each in its natural configuration and with the same cold start as ours. Ours runs as it does
live: signals go into a story's ledger, and the score stage's own code decides at every tick at which a bucket closes.
Must never know the truth.

The others see the number of items in each bucket of 5 minutes. Their alarm is on while their criterion is met.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import NamedTuple

from ingest.signal import Signal
from scoring import StoryState
from scoring.spike import BUCKET_MS, DEFAULT, upper_limit
from streams.score.deciding import detect

HOUR_MS = 3_600_000
WEEK = 7 * 24 * HOUR_MS // BUCKET_MS
GROWING_PER_HOUR, NOT_GROWING_PER_HOUR = 15, 8
"""The reference site's thresholds: a story grows from 15 items an hour on, until there are fewer than 8."""


class Alarm(NamedTuple):
    """When an alarm went on and off, UTC epoch ms; one that is still on goes off at the end of the story."""

    on_ms: int
    off_ms: int


@dataclass(frozen=True, slots=True)
class WatchedStory:
    """What detectors see of a story: items by bucket, from ``begin_ms`` to an hour after the last item.

    ``alarms``: those of our detector.
    """

    begin_ms: int
    counts: tuple[int, ...]
    alarms: tuple[Alarm, ...]

    @property
    def end_ms(self) -> int:
        """The end of the last bucket, UTC epoch ms."""
        return self.begin_ms + len(self.counts) * BUCKET_MS

    @property
    def days(self) -> float:
        """The length of the story, in days."""
        return len(self.counts) * BUCKET_MS / (24 * HOUR_MS)


Detector = Callable[[WatchedStory], Iterable[Alarm]]
"""Returns the alarms it raises on a story, in order."""


def run_our_detector(signals: Iterable[Signal]) -> WatchedStory:
    """Run the score stage's detector on ``signals``, in order of observation, as it runs live."""
    state = StoryState()
    counts: Counter[int] = Counter()
    seen: set[str] = set()
    switched_ms: list[int] = []
    begin_ms = first_ms = last_ms = tick_ms = 0

    def step_until(until_ms: int) -> None:
        nonlocal tick_ms
        while tick_ms <= until_ms:
            switched_ms.extend(change.at_ms for change in detect(state, first_ms, tick_ms))
            # As live: a quiet story is not stepped until a signal comes.
            quiet = not state.spike.alarm_ms and last_ms < tick_ms - BUCKET_MS
            tick_ms = max(tick_ms, until_ms - until_ms % BUCKET_MS if quiet else 0) + BUCKET_MS

    for signal in signals:
        covered_ms = min(signal.created_ms, signal.observed_ms)
        if not begin_ms:
            first_ms = covered_ms
            begin_ms = covered_ms - covered_ms % BUCKET_MS
            tick_ms = begin_ms + BUCKET_MS
        step_until(signal.observed_ms)
        state.ledger.apply(signal)
        last_ms = max(last_ms, covered_ms)
        if signal.id not in seen:
            seen.add(signal.id)
            counts[max(0, covered_ms - begin_ms) // BUCKET_MS] += 1
    step_until(last_ms - last_ms % BUCKET_MS + HOUR_MS)
    buckets = (tick_ms - begin_ms) // BUCKET_MS
    return WatchedStory(begin_ms, tuple(counts[bucket] for bucket in range(buckets)), _alarms(switched_ms, tick_ms))


def _alarms(switched_ms: Sequence[int], end_ms: int) -> tuple[Alarm, ...]:
    """Return the alarms, given when they went on and off in turn."""
    return tuple(
        Alarm(on_ms, off_ms) for on_ms, off_ms in zip_longest(switched_ms[::2], switched_ms[1::2], fillvalue=end_ms)
    )


def ours(story: WatchedStory) -> Iterable[Alarm]:
    """Ours, by :func:`run_our_detector`."""
    return story.alarms


def plain_poisson(story: WatchedStory) -> Iterable[Alarm]:
    """(a) A bucket above the Poisson limit, at our confidence, for the mean of the seven days before it.

    The point-by-point criterion of Hendrickson et al., "Trend Detection in Social Data" (Gnip, 2015).
    """
    return _while_hot(story, lambda count, mean: count > upper_limit(mean, DEFAULT.confidence))


def three_times(story: WatchedStory) -> Iterable[Alarm]:
    """(b) A bucket of at least three times the mean of the seven days before it."""
    return _while_hot(story, lambda count, mean: count >= 3 * mean)


def hourly(story: WatchedStory) -> Iterable[Alarm]:
    """(c) The reference site's method: at every full hour, on from 15 items in the last hour, off below 8."""
    per_hour = HOUR_MS // BUCKET_MS
    switched_ms: list[int] = []
    ends_ms = range(story.begin_ms + BUCKET_MS, story.end_ms + 1, BUCKET_MS)
    for end, at_ms in enumerate(ends_ms, 1):
        if at_ms % HOUR_MS == 0:
            count = sum(story.counts[max(0, end - per_hour) : end])
            growing = len(switched_ms) % 2 == 1
            if (count < NOT_GROWING_PER_HOUR) if growing else (count >= GROWING_PER_HOUR):
                switched_ms.append(at_ms)
    return _alarms(switched_ms, story.end_ms)


DETECTORS: Mapping[str, Detector] = {
    "hubbub": ours,
    "poisson": plain_poisson,
    "three_times": three_times,
    "hourly": hourly,
}


def _while_hot(story: WatchedStory, hot: Callable[[int, float], bool]) -> Iterable[Alarm]:
    """Return an alarm for each run of buckets that ``hot(count, mean of the week before)`` holds for."""
    prior, prior_buckets = DEFAULT.prior_per_hour * DEFAULT.prior_hours, DEFAULT.prior_hours * HOUR_MS / BUCKET_MS
    sums = [0, *accumulate(story.counts)]
    switched_ms: list[int] = []
    for bucket, count in enumerate(story.counts):
        week = max(0, bucket - WEEK)
        mean = (prior + sums[bucket] - sums[week]) / (prior_buckets + bucket - week)
        if hot(count, mean) != (len(switched_ms) % 2 == 1):
            switched_ms.append(story.begin_ms + (bucket + 1) * BUCKET_MS)
    return _alarms(switched_ms, story.end_ms)
