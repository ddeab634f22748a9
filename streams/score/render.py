"""Making the NoiseScore of a story from its score and the evidence for it.

Owns what ``inputs`` holds for each factor. Must never know when a score is emitted.
"""

import msgspec

from scoring import Evidence, EvidenceSet, Makeup, Score, State
from scoring.ledger.evidence import AGAINST, AUDIENCE, FAVOUR, FIGURE, FIRST, VOTES
from streams.records.noise_score import NoiseScore, PlatformShare, Post, encode_score
from streams.records.stories import StoryInfo

PEOPLE = "people"
"""Of the inputs, besides the factors: of whom and what a story consists."""
UNKNOWN = Makeup()


def score_record(
    info: StoryInfo,
    scored: Score,
    evidence: EvidenceSet,
    *,
    state: State,
    previous: float | None,
    at_ms: int,
    makeup: Makeup = UNKNOWN,
) -> bytes:
    """Return the NoiseScore of a story: ``noise`` and factors are 0 to 100, times UTC epoch ms.

    ``makeup``: of whom and what the story consists.
    """
    score = NoiseScore(
        band=scored.band,
        beat=info.beat,
        category=scored.category,
        decay=scored.decay,
        factors=scored.factors,
        figures=scored.figures,
        first_seen_ms=scored.first_seen_ms,
        inputs={**_by_factor(scored, evidence), PEOPLE: _people(scored, makeup)},
        last_coverage_ms=scored.last_coverage_ms,
        noise=scored.noise,
        platforms={name: PlatformShare(tally.items, tally.interactions) for name, tally in scored.platforms.items()},
        previous=previous,
        raw=scored.raw,
        scored_ms=at_ms,
        slug=info.slug,
        state=state,
        story=info.id,
        title=info.title,
        top=[Post(top.id, top.platform, top.title, top.permalink, top.interactions) for top in scored.top],
        velocity_per_hour=scored.velocity_per_hour,
        windows=scored.windows,
    )
    return encode_score(score)


def _people(scored: Score, makeup: Makeup) -> dict[str, object]:
    return {
        "last_hour": scored.velocity_per_hour,
        "original_texts": makeup.originals,
        "share_of_copies": makeup.copies,
        "share_of_one_author": makeup.one_author,
        "share_of_one_domain": makeup.one_domain,
        "copies_not_counted": makeup.uncounted,
    }


def _by_factor(scored: Score, evidence: EvidenceSet) -> dict[str, dict[str, object]]:
    """Return the raw numbers behind each factor, and the signals that gave most of them.

    ``exact`` is False where a large story's numbers are estimates. The posts in ``top`` are the source of engagement,
    and the text that was read for the impact.
    """
    inputs = scored.inputs
    return {
        "reach": {
            "audience": inputs.people,
            **msgspec.to_builtins(inputs.audience),
            "exact": inputs.exact,
            "widest": [{**_told(one), "people": one.amount, "of": one.detail} for one in evidence.of(AUDIENCE)],
        },
        "engagement": {
            "loudness": inputs.loudness,
            "interactions": {name: tally.interactions for name, tally in scored.platforms.items()},
            "exact": inputs.exact,
        },
        "star_power": {"figures": scored.figures, "first_named_in": _first(evidence, FIGURE)},
        "cross_platform": {"platforms_with_posts": inputs.posted_platforms, "first_posts": _first(evidence, FIRST)},
        "duration": {
            "run_ms": inputs.run_ms,
            "run_began_ms": scored.last_coverage_ms - inputs.run_ms,
            "silence_ms": inputs.silence_ms,
        },
        "polarity": {
            "items_with_vote_ratio": inputs.votes,
            "positive_replies": inputs.positive_replies,
            "negative_replies": inputs.negative_replies,
            "most_voted": [
                {**_told(one), "likes": one.amount, "like_ratio": float(one.detail)} for one in evidence.of(VOTES)
            ],
            "most_liked_for": [{**_told(one), "likes": one.amount} for one in evidence.of(FAVOUR)],
            "most_liked_against": [{**_told(one), "likes": one.amount} for one in evidence.of(AGAINST)],
        },
        "industry_impact": {
            "assessed": bool(inputs.assessed_ms),
            **({"category": scored.category, "assessed_ms": inputs.assessed_ms} if inputs.assessed_ms else {}),
        },
    }


def _told(one: Evidence) -> dict[str, object]:
    return {"id": one.id, "platform": one.platform, "title": one.title, "permalink": one.permalink}


def _first(evidence: EvidenceSet, what: str) -> dict[str, str]:
    """Return the id of the earliest signal of each platform, or figure."""
    return {
        name.removeprefix(what): kept.id
        for name in evidence.kept
        if name.startswith(what)
        for kept in evidence.of(name)
    }
