"""Spike: whether more items arrive now than expected.

Owns the detector: expectation, criterion, alarm and its end. Must never know what is counted, nor on which platform.

The criterion is that of Hendrickson, Kolb, Lehman & Montague, "Trend Detection in Social Data" (Gnip, 2015). It
compares a count with the expected one in units of the width of the Poisson confidence interval around the expectation.
Four sums are tested, over the last 5, 15, 30 and 60 minutes: a sharp spike shows at once, a slow one a little later.
Discussion is burstier than a Poisson process. So the interval is widened by how much the hourly rate itself varies,
including the platform's daily rhythm. The page on scoring says why that rhythm has no factor of its own.

Both estimates are robust. The rate is the mean of past buckets, each cut at the median plus three scaled median
absolute deviations. The variation is the median absolute deviation of past hours (Leys et al., "Detecting outliers",
J. Exp. Soc. Psychology 49, 2013). Three kinds of buckets are excluded from the baseline:

- buckets under alarm, so that a spike does not become normal;
- buckets without collection, as the caller reports them, so that an outage does not become normal;
- the last hour, which is what is tested: otherwise a slow rise would raise its own limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median

import msgspec

from scoring.settings import HOUR_MS, MINUTE_MS

BUCKET_MS = 5 * MINUTE_MS
BUCKETS_PER_HOUR = HOUR_MS // BUCKET_MS


class SpikeSettings(msgspec.Struct, frozen=True):
    """The detector's constants; all are ours.

    Cold start: a new story has ``prior_hours`` of history at ``prior_per_hour`` items, so its first buckets are tested,
    too, against what is usual for a young story. No story is expected to be quieter than that, however long it was
    silent: five items in an hour are not a spike.
    """

    confidence: float = 0.999
    """Of the Poisson interval: the probability that a count at the expected rate is below its upper end."""
    widths: float = 1.6
    """A spike is this many widths of that interval above the expectation."""
    min_count: int = 4
    """Fewer items than this are never a spike."""
    spans: tuple[int, ...] = (1, 3, 6, 12)
    """Sums tested, in buckets."""
    history: int = 576
    """Buckets kept: two days, so that the baseline is not only the aftermath of yesterday's spike."""
    prior_per_hour: float = 2.0
    prior_hours: float = 6.0
    young_hour: int = 15
    """This many items in an hour are a spike of a young story, if at most a third of them were expected. A story is
    young while it has less calm history than the prior: too little to know how much it varies. The number is the
    reference site's threshold of a growing story.
    """
    outlier_mads: float = 3.0
    dispersion_least: float = 0.3
    dispersion_most: float = 0.7
    """Bounds of the variance of the hourly rate, as a share of its square: a deviation of 55 to 84 %."""
    over_after: int = 6
    """An alarm ends when the sum of this many buckets is back within the interval: half an hour."""
    longest_alarm: int = 288
    """After this many buckets under alarm, one day, the new level is the normal one."""


DEFAULT = SpikeSettings()


class Spike(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The detector's state for one story. ``next_ms``: start of the next bucket to count, 0 before the first.

    ``calm``: counts outside alarms, the oldest first. ``recent``: the last hour's counts, including alarms.
    ``alarm_ms``: start of the bucket that raised the alarm, 0 if it is off. ``alarmed``: counts since then.
    """

    next_ms: int = 0
    calm: tuple[int, ...] = ()
    recent: tuple[int, ...] = ()
    alarm_ms: int = 0
    alarmed: tuple[int, ...] = ()

    def merged(self, other: Spike) -> Spike:
        """Return the detector of the merged story: its baseline is the sum of both.

        The alarm is this one's. If only the other's is on, the summed counts raise a new one at the next step, with
        its own evidence. Adopting the other's alarm would skip the event that reports it.

        >>> Spike(600, calm=(1, 2, 3), recent=(2, 3)).merged(Spike(600, calm=(5,), recent=(5,))).calm
        (1, 2, 8)
        """
        return msgspec.structs.replace(
            self,
            next_ms=self.next_ms or other.next_ms,
            calm=_added(self.calm, other.calm),
            recent=_added(self.recent, other.recent),
        )


class SpikeChange(msgspec.Struct, frozen=True, gc=False):
    """An alarm that goes on or off, with its evidence.

    ``at_ms``: end of the bucket that decided. ``counted``: items in the last ``span_ms``; ``expected``: items expected
    in that span; ``limit``: the largest count that raises no alarm.
    """

    on: bool
    at_ms: int
    span_ms: int
    counted: int
    expected: float
    limit: float

    @property
    def velocity_per_hour(self) -> float:
        """The count, per hour."""
        return self.counted * HOUR_MS / self.span_ms

    @property
    def expected_per_hour(self) -> float:
        """The expectation, per hour."""
        return self.expected * HOUR_MS / self.span_ms


def upper_limit(expectation: float, confidence: float) -> float:
    """Return the upper end of the Poisson interval: a count exceeds it with probability 1 - ``confidence`` at most.

    Exact up to an expectation of 500, then by the normal approximation (within 1 %).

    >>> upper_limit(10, 0.975)
    17.0
    >>> upper_limit(0.1, 0.999)
    2.0
    """
    if expectation > 500:
        return math.ceil(expectation + NormalDist().inv_cdf(confidence) * math.sqrt(expectation))
    count, chance = 0, math.exp(-expectation)
    below = chance
    while below < confidence:
        count += 1
        chance *= expectation / count
        below += chance
    return float(count)


class Baseline(msgspec.Struct, frozen=True, gc=False):
    """The usual number of items in a bucket (above 0), and the variance of that rate as a share of its square."""

    rate: float
    dispersion: float

    def limit(self, buckets: int, widths: float) -> float:
        """Return the largest count in this many ``buckets`` that is within ``widths`` of the interval."""
        expectation = self.rate * buckets
        width = upper_limit(expectation, DEFAULT.confidence) - expectation
        return expectation + widths * width * math.sqrt(1.0 + self.dispersion * expectation)


def baseline(calm: Sequence[int]) -> Baseline:
    """Return the baseline, given the counts outside alarms.

    >>> baseline([0] * 20 + [40]).rate < baseline([1] * 21).rate < baseline([2] * 21).rate
    True
    """
    prior_buckets = DEFAULT.prior_hours * BUCKETS_PER_HOUR
    prior = DEFAULT.prior_per_hour * DEFAULT.prior_hours
    middle = median(calm) if calm else 0.0
    cut = middle + max(1.0, DEFAULT.outlier_mads * _deviation(calm, middle))
    rate = (prior + math.fsum([min(count, cut) for count in calm])) / (prior_buckets + len(calm))
    rate = max(rate, DEFAULT.prior_per_hour / BUCKETS_PER_HOUR)
    hours = [
        sum(calm[end - BUCKETS_PER_HOUR : end]) for end in range(len(calm), BUCKETS_PER_HOUR - 1, -BUCKETS_PER_HOUR)
    ]
    usual = median(hours) if hours else 0.0
    excess = (_deviation(hours, usual) ** 2 - usual) / usual**2 if usual else 0.0
    return Baseline(rate, min(max(excess, DEFAULT.dispersion_least), DEFAULT.dispersion_most))


def step(spike: Spike, bucket_ms: int, counts: Sequence[int | None]) -> tuple[Spike, tuple[SpikeChange, ...]]:
    """Return the detector after the closed buckets ``counts``; the first one starts at ``bucket_ms`` (UTC epoch ms).

    A count of None is a bucket without collection. Buckets before ``spike.next_ms`` are already counted and skipped; a
    gap after it counts as buckets without collection.

    >>> spike, changes = step(Spike(), 0, [0] * 12 + [9])
    >>> changes[0].on, changes[0].counted, changes[0].at_ms == 13 * BUCKET_MS
    (True, 9, True)
    """
    changes: list[SpikeChange] = []
    for count in counts:
        if bucket_ms >= spike.next_ms:
            if spike.next_ms and bucket_ms > spike.next_ms:
                spike = msgspec.structs.replace(spike, recent=())
            spike, change = _take(spike, bucket_ms, count)
            if change is not None:
                changes.append(change)
        bucket_ms += BUCKET_MS
    return spike, tuple(changes)


def _take(spike: Spike, bucket_ms: int, count: int | None) -> tuple[Spike, SpikeChange | None]:
    next_ms = bucket_ms + BUCKET_MS
    if count is None:
        return msgspec.structs.replace(spike, next_ms=next_ms, recent=()), None
    recent = (*spike.recent[1 - max(DEFAULT.spans) :], count)
    if spike.alarm_ms:
        return _under_alarm(spike, next_ms, recent)
    alarm = _alarm(spike.calm, recent, next_ms)
    if alarm is None:
        calm = (*spike.calm[1 - DEFAULT.history :], count)
        return Spike(next_ms=next_ms, calm=calm, recent=recent), None
    return Spike(next_ms=next_ms, calm=spike.calm, recent=recent, alarm_ms=bucket_ms, alarmed=(count,)), alarm


def _under_alarm(spike: Spike, next_ms: int, recent: tuple[int, ...]) -> tuple[Spike, SpikeChange | None]:
    usual = baseline(spike.calm)
    alarmed = (*spike.alarmed, recent[-1])
    latest = alarmed[-DEFAULT.over_after :]
    limit = max(usual.limit(len(latest), 1.0), DEFAULT.min_count - 1)
    counted = sum(latest)
    lasted = len(alarmed) >= DEFAULT.longest_alarm
    if not lasted and (counted > limit or len(alarmed) <= DEFAULT.over_after):
        return Spike(next_ms, spike.calm, recent, spike.alarm_ms, alarmed), None
    calm = alarmed if lasted else (*spike.calm, *latest)
    change = SpikeChange(False, next_ms, len(latest) * BUCKET_MS, counted, usual.rate * len(latest), limit)
    return Spike(next_ms=next_ms, calm=calm[-DEFAULT.history :]), change


def _alarm(calm: Sequence[int], recent: Sequence[int], at_ms: int) -> SpikeChange | None:
    """Return the alarm of the shortest span whose sum exceeds its limit; a bucket without items raises none."""
    if not recent[-1] or sum(recent) < DEFAULT.min_count:
        return None
    usual = baseline(calm[: max(0, len(calm) + 1 - len(recent))])
    young = len(calm) < DEFAULT.prior_hours * BUCKETS_PER_HOUR
    for span in DEFAULT.spans:
        counted = sum(recent[-span:])
        limit = max(usual.limit(span, DEFAULT.widths), DEFAULT.min_count - 1)
        if young and span == BUCKETS_PER_HOUR and usual.rate * span <= DEFAULT.young_hour / 3:
            limit = min(limit, DEFAULT.young_hour - 1)
        if counted > limit:
            return SpikeChange(True, at_ms, span * BUCKET_MS, counted, usual.rate * span, limit)
    return None


def _deviation(counts: Sequence[float], middle: float) -> float:
    """Return the median absolute deviation from ``middle``, scaled to a standard deviation."""
    return 1.4826 * median([abs(count - middle) for count in counts]) if counts else 0.0


def _added(counts: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sums of two series of counts that end at the same time."""
    length = max(len(counts), len(others))
    mine, theirs = ((0,) * (length - len(some)) + some for some in (counts, others))
    return tuple(map(sum, zip(mine, theirs, strict=True)))
