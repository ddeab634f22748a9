"""Score: how loud a story is at one time, and out of what.

Owns the way from a ledger to factors, noise and windows. Must never know where ledgers are kept or scores are sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from scoring.band import Band, band
from scoring.composite import Factors, raw
from scoring.decay import decay
from scoring.factors.cross_platform import cross_platform
from scoring.factors.duration import duration
from scoring.factors.engagement import engagement, loudness
from scoring.factors.polarity import Evidence, polarity, replies_evidence, vote_evidence
from scoring.factors.reach import reach
from scoring.factors.star_power import star_power
from scoring.figures import FigureIndex
from scoring.item import POST, REPLY, Item
from scoring.ledger import Ledger
from scoring.lifecycle import Measures
from scoring.settings import DEFAULT, HOUR_MS, WINDOWS_MS, Settings, Tier
from scoring.tally import Tally, tally

__all__ = ["SHOWN", "Inputs", "PlatformTally", "Score", "Top", "Window", "score"]

SHOWN = 5
"""How many of the loudest signals a score names."""


class PlatformTally(msgspec.Struct, frozen=True, gc=False):
    """What a story has on one platform."""

    items: int
    interactions: int


class Window(msgspec.Struct, frozen=True):
    """The items covered in a span of time that ends at the time of scoring, with their latest counts.

    ``authors``: distinct ones, where known; ``audience``: estimated, in people.
    """

    items: int
    authors: int
    audience: int
    interactions: int
    platforms: dict[str, PlatformTally]


class Top(msgspec.Struct, frozen=True, gc=False):
    """One of the loudest signals. ``title`` and ``permalink`` are a stranger's words: escape them; "" is unknown."""

    id: str
    platform: str
    title: str
    permalink: str
    interactions: int


class Inputs(msgspec.Struct, frozen=True):
    """The raw numbers behind the factors.

    ``views`` to ``likes``: the audience by where it is known from, in people (likes: likes, by platform); ``run_ms``:
    length of the current run of coverage; ``posted_platforms``: platforms with at least one post; ``hour_begins_ms``:
    when the oldest item of the last hour was covered, 0 if there is none.
    """

    audience: float
    views: int
    members: int
    followers: int
    likes: dict[str, int]
    loudness: float
    run_ms: int
    posted_platforms: int
    votes: int
    vote_weight: float
    positive_replies: int
    negative_replies: int
    silence_ms: int
    hour_begins_ms: int


class Score(msgspec.Struct, frozen=True):
    """A story's score at one time. ``first_seen_ms`` and ``last_coverage_ms`` are 0 while nothing was covered."""

    noise: float
    raw: float
    decay: float
    band: Band
    factors: Factors
    velocity_per_hour: float
    windows: dict[str, Window]
    platforms: dict[str, PlatformTally]
    figures: tuple[str, ...]
    top: tuple[Top, ...]
    first_seen_ms: int
    last_coverage_ms: int
    inputs: Inputs

    def measures(self, alarmed: bool) -> Measures:
        """Return what the lifecycle looks at; ``alarmed``: the spike detector's alarm is on."""
        return Measures(
            noise=self.noise,
            velocity_per_hour=self.velocity_per_hour,
            platforms=self.inputs.posted_platforms,
            alarmed=alarmed,
            last_coverage_ms=self.last_coverage_ms,
            hour_begins_ms=self.inputs.hour_begins_ms,
        )


def score(
    ledger: Ledger,
    t_ms: int,
    settings: Settings = DEFAULT,
    tiers: Mapping[str, Tier] | None = None,
) -> Score:
    """Score a story at ``t_ms``.

    Pure: the same ledger and time give the same score. An item covered after ``t_ms`` does not count yet.
    ``tiers``: of the public figures, by id; the default registry's if None. A figure not in it gives nothing.
    """
    if tiers is None:
        tiers = FigureIndex.default().tiers
    items = [item for item in ledger.items.values() if item.covered_ms <= t_ms]
    replies_seen = Counter([item.thread for item in items if item.kind == REPLY])
    life = tally(items, ledger.platforms, replies_seen)
    windows = {
        name: _window(_recent(items, ledger, t_ms - length_ms, replies_seen), settings)
        for name, length_ms in WINDOWS_MS.items()
    }
    windows["life"] = _window(life, settings)
    audience = life.audience(settings)
    story_loudness = loudness({name: s.interactions(settings) for name, s in life.platforms.items()}, settings)
    votes = [vote_evidence(i.like_ratio, i.likes or 0, settings) for i in items if i.like_ratio is not None]
    feelings = Counter([item.sentiment for item in items if item.sentiment])
    posted_platforms = len({item.platform for item in items if item.kind == POST})
    run_ms = ledger.runs[-1][1] - ledger.runs[-1][0] if ledger.runs else 0
    last_ms = ledger.runs[-1][1] if ledger.runs else 0
    silence_ms = max(0, t_ms - last_ms)
    evidence: list[Evidence] = [*votes, replies_evidence(feelings[1], feelings[-1], settings)]
    factors = Factors(
        reach=reach(audience, settings),
        engagement=engagement(story_loudness, settings),
        star_power=star_power([tiers[figure] for figure in ledger.figures if figure in tiers], settings),
        duration=duration(run_ms, settings),
        cross_platform=cross_platform(posted_platforms, settings),
        polarity=polarity(evidence, settings),
        industry_impact=settings.unassessed_impact if ledger.assessment is None else ledger.assessment.impact,
    )
    raw_noise = raw(factors, settings)
    left = decay(silence_ms, settings) if items else 0.0
    return Score(
        noise=raw_noise * left,
        raw=raw_noise,
        decay=left,
        band=band(raw_noise * left),
        factors=factors,
        velocity_per_hour=float(windows["1h"].items),
        windows=windows,
        platforms=windows["life"].platforms,
        figures=tuple(sorted(ledger.figures)),
        top=_top(ledger, replies_seen, settings),
        first_seen_ms=ledger.runs[0][0] if ledger.runs else 0,
        last_coverage_ms=last_ms,
        inputs=Inputs(
            audience=audience,
            views=life.views,
            members=life.members,
            followers=life.followers,
            likes=life.likes,
            loudness=story_loudness,
            run_ms=run_ms,
            posted_platforms=posted_platforms,
            votes=len(votes),
            vote_weight=sum(weight for weight, _ in votes),
            positive_replies=feelings[1],
            negative_replies=feelings[-1],
            silence_ms=silence_ms,
            hour_begins_ms=min((i.covered_ms for i in items if i.covered_ms > t_ms - HOUR_MS), default=0),
        ),
    )


def _recent(items: list[Item], ledger: Ledger, after_ms: int, replies_seen: Mapping[int, int]) -> Tally:
    return tally([item for item in items if item.covered_ms > after_ms], ledger.platforms, replies_seen)


def _window(counted: Tally, settings: Settings) -> Window:
    platforms = {name: PlatformTally(s.items, s.interactions(settings)) for name, s in counted.platforms.items()}
    return Window(
        items=sum(platform.items for platform in platforms.values()),
        authors=counted.authors,
        audience=round(counted.audience(settings)),
        interactions=sum(platform.interactions for platform in platforms.values()),
        platforms=platforms,
    )


def _top(ledger: Ledger, replies_seen: Mapping[int, int], settings: Settings) -> tuple[Top, ...]:
    shown = []
    for kept in ledger.loudest.values():
        item = ledger.items.get(kept.key)
        now = kept.peak
        if item is not None:
            now = (
                settings.interactions_per_like * (item.likes or 0)
                + settings.interactions_per_reply * max(item.replies or 0, replies_seen.get(item.key, 0))
                + settings.interactions_per_share * (item.shares or 0)
            )
        shown.append(Top(kept.id, kept.platform, kept.title, kept.permalink, now))
    shown.sort(key=lambda top: (-top.interactions, top.id))
    return tuple(shown[:SHOWN])
