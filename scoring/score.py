"""Score: how loud a story is at one time, and the numbers behind it.

Owns the path from a ledger to factors, noise and windows. Must never know where ledgers are kept or scores are sent.
"""

from collections.abc import Mapping

import msgspec

from scoring.assessment import Category
from scoring.band import Band, band
from scoring.composite import Factors, compose, raw
from scoring.decay import decay
from scoring.factors.cross_platform import cross_platform
from scoring.factors.duration import duration
from scoring.factors.engagement import engagement, loudness
from scoring.factors.polarity import polarity, reply_split
from scoring.factors.reach import reach
from scoring.factors.star_power import star_power
from scoring.figures import FigureIndex
from scoring.ledger import Ledger
from scoring.ledger.aggregate import Aggregate
from scoring.ledger.item import POST
from scoring.ledger.top_candidates import TopCandidate
from scoring.lifecycle import Measures
from scoring.settings import DEFAULT, HOUR_MS, Tier
from scoring.windows import Audience, PlatformCounts, Window, lifetime, sketched_windows, windows

SHOWN = 5
"""How many of the loudest signals a score names."""


class TopSignal(msgspec.Struct, frozen=True, gc=False):
    """One of the loudest signals. ``title`` and ``permalink`` are untrusted: escape them; "" is unknown."""

    id: str
    platform: str
    title: str
    permalink: str
    interactions: int


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The raw numbers behind the factors.

    ``people``: the estimated audience. ``loudness``: J of SCORING.md. ``run_ms``: length of the current run of
    coverage; 0 if all of it is by one author. ``posted_platforms``: platforms with at least one post. ``votes``: items
    with a vote ratio. ``hour_begins_ms``: when the oldest item of the last hour was covered, 0 if there is none.
    ``assessed_ms``: when the impact was assessed, 0 if it was not. ``exact``: False once the story is so large that
    numbers are estimates.
    """

    audience: Audience
    people: float
    loudness: float
    run_ms: int
    posted_platforms: int
    votes: int
    positive_replies: int
    negative_replies: int
    silence_ms: int
    hour_begins_ms: int
    assessed_ms: int
    exact: bool


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A story's score at one time. ``first_seen_ms`` and ``last_coverage_ms`` are 0 while nothing was covered.

    ``velocity_per_hour``: how many people spoke in the last hour; see :mod:`scoring.ledger.voices`. ``category``: None
    if the story was not assessed.
    """

    noise: float
    raw: float
    decay: float
    band: Band
    category: Category | None
    factors: Factors
    velocity_per_hour: float
    windows: dict[str, Window]
    platforms: dict[str, PlatformCounts]
    figures: tuple[str, ...]
    top: tuple[TopSignal, ...]
    first_seen_ms: int
    last_coverage_ms: int
    inputs: Inputs

    def measures(self, alarmed: bool) -> Measures:
        """Return the input of the lifecycle; ``alarmed``: the spike detector's alarm is on."""
        return Measures(
            noise=self.noise,
            velocity_per_hour=self.velocity_per_hour,
            platforms=self.inputs.posted_platforms,
            alarmed=alarmed,
            last_coverage_ms=self.last_coverage_ms,
            hour_begins_ms=self.inputs.hour_begins_ms,
        )


def score(ledger: Ledger, t_ms: int, *, tiers: Mapping[str, Tier] | None = None) -> Score:
    """Score a story at ``t_ms``.

    Pure: the same ledger and time give the same score. An item covered after ``t_ms`` (UTC epoch ms) does not count
    yet. ``tiers``: of the public figures, by id; None: those of the default registry. Other figures add nothing.
    """
    ledger.trim()
    ledger = ledger.until(t_ms)
    runs, sketches, assessment = ledger.runs, ledger.sketches, ledger.assessment
    aggregate = ledger.aggregate(t_ms)
    if sketches is None:
        spans, audience = windows(aggregate, ledger.platforms)
    else:
        spans, audience = sketched_windows(aggregate, sketches, ledger, t_ms)
    platforms = spans["life"].platforms
    interactions = {name: platform.interactions for name, platform in platforms.items()}
    factors, left, inputs = _weigh(ledger, aggregate, audience, interactions, t_ms, tiers=tiers)
    undecayed = raw(factors)
    noise = undecayed * left
    return Score(
        noise=noise,
        raw=undecayed,
        decay=left,
        band=band(noise),
        category=None if assessment is None else assessment.category,
        factors=factors,
        velocity_per_hour=_velocity(ledger, aggregate, t_ms),
        windows=spans,
        platforms=platforms,
        figures=tuple(sorted(ledger.figures)),
        top=_top(ledger),
        first_seen_ms=runs[0][0] if runs else 0,
        last_coverage_ms=runs[-1][1] if runs else 0,
        inputs=inputs,
    )


def measure(ledger: Ledger, t_ms: int, *, alarmed: bool, tiers: Mapping[str, Tier] | None = None) -> Measures:
    """Return ``score(ledger, t_ms, tiers=tiers).measures(alarmed)``, without computing the rest of the score."""
    if ledger.sketches is not None:
        return score(ledger, t_ms, tiers=tiers).measures(alarmed)
    ledger = ledger.until(t_ms)
    aggregate = ledger.aggregate(t_ms)
    audience, interactions = lifetime(aggregate, ledger.platforms)
    factors, left, inputs = _weigh(ledger, aggregate, audience, interactions, t_ms, tiers=tiers)
    return Measures(
        noise=compose(factors, left),
        velocity_per_hour=_velocity(ledger, aggregate, t_ms),
        platforms=inputs.posted_platforms,
        alarmed=alarmed,
        last_coverage_ms=ledger.runs[-1][1] if ledger.runs else 0,
        hour_begins_ms=inputs.hour_begins_ms,
    )


def _weigh(
    ledger: Ledger,
    aggregate: Aggregate,
    audience: Audience,
    interactions: Mapping[str, int],
    t_ms: int,
    *,
    tiers: Mapping[str, Tier] | None,
) -> tuple[Factors, float, Inputs]:
    """Return the factors of a story, the share left after decay, and the numbers computed on the way to them.

    ``interactions``: by platform.
    """
    runs, assessment = ledger.runs, ledger.assessment
    first_ms, last_ms = runs[-1] if runs else (0, 0)
    inputs = Inputs(
        audience=audience,
        people=audience.estimate(),
        loudness=loudness(interactions),
        run_ms=0 if first_ms == last_ms or _is_of_one_author(ledger) else last_ms - first_ms,
        posted_platforms=len(aggregate.posted),
        votes=len(aggregate.votes),
        positive_replies=aggregate.positive,
        negative_replies=aggregate.negative,
        silence_ms=max(0, t_ms - last_ms),
        hour_begins_ms=aggregate.hour_begins_ms,
        assessed_ms=0 if assessment is None else assessment.assessed_ms,
        exact=ledger.sketches is None,
    )
    if tiers is None:
        tiers = FigureIndex.default().tiers
    factors = Factors(
        reach=reach(inputs.people),
        engagement=engagement(inputs.loudness),
        star_power=star_power([tiers[figure] for figure in ledger.figures if figure in tiers]),
        duration=duration(inputs.run_ms),
        cross_platform=cross_platform(inputs.posted_platforms),
        polarity=polarity([*aggregate.votes, reply_split(aggregate.positive, aggregate.negative)]),
        industry_impact=DEFAULT.unassessed_impact if assessment is None else assessment.impact,
    )
    return factors, decay(inputs.silence_ms) if runs else 0.0, inputs


def _velocity(ledger: Ledger, aggregate: Aggregate, t_ms: int) -> float:
    """Return how many people spoke in the hour up to ``t_ms``."""
    if ledger.sketches is not None:
        return float(ledger.sketches.people(t_ms - HOUR_MS))
    return float(aggregate.people)


def _is_of_one_author(ledger: Ledger) -> bool:
    """Return whether one author wrote all items that are kept."""
    items = iter(ledger.items.values())
    author = next(items).author
    return bool(author) and all(item.author == author for item in items)


def _top(ledger: Ledger) -> tuple[TopSignal, ...]:
    items, seen = ledger.items, ledger.sample.replies_seen
    like, reply, share = DEFAULT.interactions_per_like, DEFAULT.interactions_per_reply, DEFAULT.interactions_per_share
    shown: list[tuple[int, str, TopCandidate]] = []
    for kept in ledger.shown():
        item = items.get(kept.key)
        now = kept.peak
        if item is not None:
            replies = max(item.replies, seen.get(item.key, 0)) if item.kind == POST else item.replies
            now = item.likes * like + replies * reply + item.shares * share
        shown.append((-now, kept.id, kept))
    shown.sort()
    return tuple(
        [TopSignal(kept.id, kept.platform, kept.title, kept.permalink, -now) for now, _, kept in shown[:SHOWN]]
    )
