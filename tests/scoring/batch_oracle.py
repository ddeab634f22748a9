"""SCORING.md once more, straight from the list of signals: what ``scoring`` is held against.

Written without it and slow on purpose: no increments, no sums kept, every number spelled out here again.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from ingest.signal import Signal
from scoring import Reading, Tier

HOUR = 3_600_000
WEIGHTS = {
    "reach": 0.20,
    "engagement": 0.20,
    "star_power": 0.15,
    "duration": 0.10,
    "cross_platform": 0.15,
    "polarity": 0.10,
    "industry_impact": 0.10,
}
LOUD = {
    "reddit": 50_000,
    "hackernews": 3_000,
    "x": 200_000,
    "bluesky": 30_000,
    "mastodon": 10_000,
    "youtube": 200_000,
    "lemmy": 3_000,
    "news": 1_000,
}
VIEWS_PER_LIKE = {
    "reddit": 50,
    "hackernews": 40,
    "x": 100,
    "bluesky": 40,
    "mastodon": 40,
    "youtube": 30,
    "lemmy": 30,
    "news": 50,
}
POINTS = {"S": 30, "A": 20, "B": 10, "C": 5}

Seen = tuple[Signal, Reading]


@dataclass
class Answer:
    """What a score should be."""

    noise: float
    raw: float
    decay: float
    factors: dict[str, float]
    windows: dict[str, dict[str, object]]
    first_seen_ms: int
    last_coverage_ms: int
    figures: tuple[str, ...]
    interactions: dict[str, int] = field(default_factory=dict)


def counted(signal: Signal) -> bool:
    counts = signal.counts
    return any(
        value is not None for value in (counts.likes, counts.replies, counts.shares, counts.views, counts.like_ratio)
    )


def answer(seen: list[Seen], t_ms: int, tiers: dict[str, Tier], impact: float = 50.0) -> Answer:
    """Score the story of the observations ``seen`` at ``t_ms``; all of them are observed by then."""
    observations: dict[str, list[Seen]] = defaultdict(list)
    for signal, reading in seen:
        observations[signal.id].append((signal, reading))
    latest = {
        id_: max(found, key=lambda pair: (counted(pair[0]), pair[0].observed_ms)) for id_, found in observations.items()
    }
    covered = {
        id_: min(min(signal.created_ms, signal.observed_ms) for signal, _ in found)
        for id_, found in observations.items()
    }
    replies: dict[str, int] = defaultdict(int)
    for signal, _ in latest.values():
        if signal.kind == "reply":
            replies[signal.thread] += 1

    def interactions_of(id_: str) -> int:
        counts = latest[id_][0].counts
        return (counts.likes or 0) + 2 * max(counts.replies or 0, replies[id_]) + 3 * (counts.shares or 0)

    def audience_of(ids: list[str]) -> float:
        sources: dict[tuple[str, ...], float] = {}
        for id_ in ids:
            key: tuple[str, ...]
            signal = latest[id_][0]
            counts, platform = signal.counts, signal.platform
            if counts.views is not None:
                key, people = ("item", id_), float(counts.views)
            elif signal.community and signal.community.name is not None and signal.community.members is not None:
                key, people = ("community", platform, signal.community.name), signal.community.members * 0.02
            elif signal.author and signal.author.name is not None and signal.author.followers is not None:
                key, people = ("author", platform, signal.author.name), signal.author.followers * 0.05
            elif counts.likes is not None:
                key, people = ("item", id_), counts.likes * float(VIEWS_PER_LIKE.get(platform, 50))
            else:
                continue
            sources[key] = max(sources.get(key, 0.0), people)
        return math.fsum(sources.values())

    windows: dict[str, dict[str, object]] = {}
    for name, length_ms in (("5m", HOUR / 12), ("1h", HOUR), ("24h", 24 * HOUR), ("life", math.inf)):
        ids = [id_ for id_ in latest if covered[id_] > t_ms - length_ms]
        by_platform: dict[str, list[str]] = defaultdict(list)
        for id_ in ids:
            by_platform[latest[id_][0].platform].append(id_)
        windows[name] = {
            "items": len(ids),
            "authors": len(
                {
                    (latest[id_][0].platform, author.name)
                    for id_ in ids
                    if (author := latest[id_][0].author) and author.name is not None
                }
            ),
            "audience": audience_of(ids),
            "interactions": sum(interactions_of(id_) for id_ in ids),
            "platforms": {
                platform: (len(there), sum(interactions_of(id_) for id_ in there))
                for platform, there in by_platform.items()
            },
        }

    by_platform_interactions: dict[str, int] = defaultdict(int)
    for id_, (signal, _) in latest.items():
        by_platform_interactions[signal.platform] += interactions_of(id_)
    loudness = sum(count / LOUD.get(platform, 10_000) for platform, count in by_platform_interactions.items())

    weight = divided = 0.0
    for signal, _ in latest.values():
        ratio = signal.counts.like_ratio
        if ratio is not None:
            vote_weight = min(10.0, 2 * math.log10(1 + (signal.counts.likes or 0)))
            weight += vote_weight
            divided += vote_weight * (1 - abs(2 * ratio - 1))
    feelings = [reading.sentiment for signal, reading in latest.values() if signal.kind == "reply"]
    for_, against = feelings.count(1), feelings.count(-1)
    if for_ + against:
        reply_weight = 0.5 * min(for_ + against, 200)
        weight += reply_weight
        divided += reply_weight * 2 * min(for_, against) / (for_ + against)

    times = sorted({min(signal.created_ms, signal.observed_ms) for signal, _ in seen})
    start_ms = end_ms = times[-1]
    for earlier_ms in reversed(times):
        if start_ms - earlier_ms > 24 * HOUR:
            break
        start_ms = earlier_ms

    figures = sorted({figure for _, reading in seen for figure in reading.figures})
    factors = {
        "reach": 100 * min(1.0, math.log10(1 + audience_of(list(latest))) / 8),
        "engagement": 100 * min(1.0, math.log10(1 + 10_000 * loudness) / 4),
        "star_power": min(100.0, sum(POINTS[tiers[figure]] for figure in figures if figure in tiers)),
        "duration": 100 * min(1.0, (end_ms - start_ms) / HOUR / 72),
        "cross_platform": min(
            100.0, 20.0 * len({signal.platform for signal, _ in latest.values() if signal.kind == "post"})
        ),
        "polarity": 100 * (20 * 0.5 + divided) / (20 + weight),
        "industry_impact": impact,
    }
    raw = sum(WEIGHTS[name] * value for name, value in factors.items())
    decay = 0.5 ** ((t_ms - end_ms) / (7 * 24 * HOUR))
    return Answer(
        noise=raw * decay,
        raw=raw,
        decay=decay,
        factors=factors,
        windows=windows,
        first_seen_ms=times[0],
        last_coverage_ms=end_ms,
        figures=tuple(figures),
        interactions=dict(by_platform_interactions),
    )
