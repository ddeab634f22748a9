"""Spike: whether more is said now than one would expect.

Owns the detector: expectation, criterion, alarm and its end. Must never know what is counted, nor on which platform.

The criterion is the Poisson one of Hendrickson, Kolb, Lehman & Montague, "Trend Detection in Social Data" (Gnip, 2015):
an observed count is held against the expected one in units of the width of the Poisson confidence interval around it.
Four sums are tested, of the last 5, 15, 30 and 60 minutes: a violent spike shows at once, a slow one a little later.
Talk is burstier than Poisson's law, so the interval is widened by how much the hourly rate itself is seen to vary, the
rhythm of the platform's day included (docs/explanation/scoring.md tells why that is no factor of its own).

Both are robust: the rate is the mean of past buckets, each cut at the median plus three (scaled) median absolute
deviations, and the variation is taken from the median absolute deviation of past hours (Leys et al., "Detecting
outliers", J. Exp. Soc. Psychology 49, 2013). Buckets under alarm are left out, and so are those of which the caller
knows that nobody watched: neither a spike nor a silence of ours becomes what is normal. So is the last hour: what is
tested is no part of what it is held against, else a slow rise would lift its own bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median

import msgspec

from scoring.settings import HOUR_MS, MINUTE_MS

__all__ = ["BUCKET_MS", "Baseline", "Spike", "SpikeChange", "SpikeSettings", "baseline", "step", "upper_limit"]

BUCKET_MS = 5 * MINUTE_MS
BUCKETS_PER_HOUR = HOUR_MS // BUCKET_MS


class SpikeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The detector's constants; all are ours.

    Cold start: a story is born with ``prior_hours`` of history at ``prior_per_hour`` items, so its first buckets are
    judged too, against what is usual for a young story. No story is expected to be quieter than that, however long it
    was silent: five items in an hour are news to nobody.
    """

    confidence: float = 0.999
    """Of the Poisson interval: the chance that a count of the expected rate lies below its upper end."""
    widths: float = 1.6
    """How many widths of that interval above the expectation a count must lie."""
    min_count: int = 4
    """Fewer than this is never a spike, however unexpected."""
    spans: tuple[int, ...] = (1, 3, 6, 12)
    """Sums tested, in buckets."""
    history: int = 576
    """Buckets remembered: two days, so that the afterglow of yesterday's spike is not all there is."""
    prior_per_hour: float = 2.0
    prior_hours: float = 6.0
    young_hour: int = 15
    """So many items in an hour are a spike while a story has less calm history than it was born with, if at most a
    third of them were expected: it has not told enough of itself to say by how much it varies. The reference site's
    threshold of a growing story.
    """
    outlier_mads: float = 3.0
    dispersion_least: float = 0.3
    dispersion_most: float = 0.7
    """Bounds of the variance of the hourly rate, as a share of its square: it moves by 55 to 84 %."""
    over_after: int = 6
    """An alarm ends when the sum of so many buckets is back within the interval: half an hour."""
    longest_alarm: int = 288
    """After so many buckets under alarm the new level is what is normal."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence <= 1 - 1e-9:
            raise ValueError(f"confidence must be between 0.5 and 1 - 1e-9, not {self.confidence}")


DEFAULT = SpikeSettings()


class Spike(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The detector's state for one story. ``next_ms``: begin of the next bucket to be counted, 0 before the first.

    ``calm``: counts outside alarms, the oldest first; ``recent``: the last hour's counts, alarms included;
    ``alarm_ms``: begin of the bucket that raised the alarm, 0 if it is off; ``alarmed``: counts since then.
    """

    next_ms: int = 0
    calm: tuple[int, ...] = ()
    recent: tuple[int, ...] = ()
    alarm_ms: int = 0
    alarmed: tuple[int, ...] = ()

    def merged(self, other: Spike) -> Spike:
        """Return the detector of the story that both are parts of: what is usual of it is the sum of both.

        The alarm is this one's. If it is off and the other's is on, the joint counts raise it at the next look, with
        evidence of their own; to adopt it would be an alarm that nobody was told of.

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

    ``at_ms``: end of the bucket that decided; ``counted`` items in the last ``span_ms`` where ``expected`` were
    expected, and up to ``limit`` would have been no surprise.
    """

    on: bool
    at_ms: int
    span_ms: int
    counted: int
    expected: float
    limit: float

    @property
    def velocity_per_hour(self) -> float:
        """What was counted, per hour."""
        return self.counted * HOUR_MS / self.span_ms

    @property
    def expected_per_hour(self) -> float:
        """What was expected, per hour."""
        return self.expected * HOUR_MS / self.span_ms


def upper_limit(expectation: float, confidence: float) -> float:
    """Return the upper end of the Poisson interval: a count lies above it with a chance of at most 1 - ``confidence``.

    Exact up to an expectation of 500, beyond by the normal approximation (within 1 %).

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
    """What is usual: items in a bucket (above 0), and the variance of that rate as a share of its square."""

    rate: float
    dispersion: float

    def limit(self, buckets: int, settings: SpikeSettings, widths: float) -> float:
        """Return how many items in so many buckets are no surprise."""
        expectation = self.rate * buckets
        width = upper_limit(expectation, settings.confidence) - expectation
        return expectation + widths * width * math.sqrt(1.0 + self.dispersion * expectation)


def baseline(calm: Sequence[int], settings: SpikeSettings = DEFAULT) -> Baseline:
    """Return what is usual, given the counts outside alarms.

    >>> baseline([0] * 20 + [40]).rate < baseline([1] * 21).rate < baseline([2] * 21).rate
    True
    """
    prior_buckets = settings.prior_hours * BUCKETS_PER_HOUR
    prior = settings.prior_per_hour * settings.prior_hours
    middle = median(calm) if calm else 0.0
    cut = middle + max(1.0, settings.outlier_mads * _deviation(calm, middle))
    rate = (prior + math.fsum([min(count, cut) for count in calm])) / (prior_buckets + len(calm))
    rate = max(rate, settings.prior_per_hour / BUCKETS_PER_HOUR)
    hours = [
        sum(calm[end - BUCKETS_PER_HOUR : end]) for end in range(len(calm), BUCKETS_PER_HOUR - 1, -BUCKETS_PER_HOUR)
    ]
    usual = median(hours) if hours else 0.0
    excess = (_deviation(hours, usual) ** 2 - usual) / usual**2 if usual else 0.0
    return Baseline(rate, min(max(excess, settings.dispersion_least), settings.dispersion_most))


def step(
    spike: Spike,
    bucket_ms: int,
    counts: Sequence[int | None],
    settings: SpikeSettings = DEFAULT,
) -> tuple[Spike, tuple[SpikeChange, ...]]:
    """Return the detector after the closed buckets ``counts``, of which the first begins at ``bucket_ms``.

    A count of None is a bucket nobody watched. Buckets before ``spike.next_ms`` were seen already and are skipped; a
    gap after it counts as unwatched.

    >>> spike, changes = step(Spike(), 0, [0] * 12 + [9])
    >>> changes[0].on, changes[0].counted, changes[0].at_ms == 13 * BUCKET_MS
    (True, 9, True)
    """
    changes: list[SpikeChange] = []
    for count in counts:
        if bucket_ms >= spike.next_ms:
            if spike.next_ms and bucket_ms > spike.next_ms:
                spike = msgspec.structs.replace(spike, recent=())
            spike, change = _take(spike, bucket_ms, count, settings)
            if change is not None:
                changes.append(change)
        bucket_ms += BUCKET_MS
    return spike, tuple(changes)


def _take(spike: Spike, bucket_ms: int, count: int | None, settings: SpikeSettings) -> tuple[Spike, SpikeChange | None]:
    next_ms = bucket_ms + BUCKET_MS
    if count is None:
        return msgspec.structs.replace(spike, next_ms=next_ms, recent=()), None
    recent = (*spike.recent[1 - max(settings.spans) :], count)
    if spike.alarm_ms:
        return _under_alarm(spike, next_ms, recent, settings)
    found = _surprise(spike.calm, recent, next_ms, settings)
    if found is None:
        calm = (*spike.calm[1 - settings.history :], count)
        return Spike(next_ms=next_ms, calm=calm, recent=recent), None
    return Spike(next_ms=next_ms, calm=spike.calm, recent=recent, alarm_ms=bucket_ms, alarmed=(count,)), found


def _under_alarm(
    spike: Spike, next_ms: int, recent: tuple[int, ...], settings: SpikeSettings
) -> tuple[Spike, SpikeChange | None]:
    usual = baseline(spike.calm, settings)
    alarmed = (*spike.alarmed, recent[-1])
    latest = alarmed[-settings.over_after :]
    limit = max(usual.limit(len(latest), settings, 1.0), settings.min_count - 1)
    counted = sum(latest)
    worn = len(alarmed) >= settings.longest_alarm
    if not worn and (counted > limit or len(alarmed) <= settings.over_after):
        return Spike(next_ms, spike.calm, recent, spike.alarm_ms, alarmed), None
    calm = alarmed if worn else (*spike.calm, *latest)
    change = SpikeChange(False, next_ms, len(latest) * BUCKET_MS, counted, usual.rate * len(latest), limit)
    return Spike(next_ms=next_ms, calm=calm[-settings.history :]), change


def _surprise(calm: Sequence[int], recent: Sequence[int], at_ms: int, settings: SpikeSettings) -> SpikeChange | None:
    """Return the alarm of the shortest span whose sum is a surprise; a bucket without items raises none."""
    if not recent[-1] or sum(recent) < settings.min_count:
        return None
    usual = baseline(calm[: max(0, len(calm) + 1 - len(recent))], settings)
    young = len(calm) < settings.prior_hours * BUCKETS_PER_HOUR
    for span in settings.spans:
        counted = sum(recent[-span:])
        limit = max(usual.limit(span, settings, settings.widths), settings.min_count - 1)
        if young and span == BUCKETS_PER_HOUR and usual.rate * span <= settings.young_hour / 3:
            limit = min(limit, settings.young_hour - 1)
        if counted > limit:
            return SpikeChange(True, at_ms, span * BUCKET_MS, counted, usual.rate * span, limit)
    return None


def _deviation(counts: Sequence[float], middle: float) -> float:
    """Return the median absolute deviation from ``middle``, scaled to a standard deviation."""
    return 1.4826 * median([abs(count - middle) for count in counts]) if counts else 0.0


def _added(counts: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    """Add up counts of which the last are of the same time."""
    length = max(len(counts), len(others))
    mine, theirs = ((0,) * (length - len(some)) + some for some in (counts, others))
    return tuple(map(sum, zip(mine, theirs, strict=True)))
