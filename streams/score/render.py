"""The records of ``noise-scores`` and ``noise-events`` as the score stage writes them.

Owns their fields; they are a contract with other programs (``docs/reference/contracts.md``). Keys of maps are sorted,
so that two runs that come to the same numbers write the same bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from scoring import Evidence, EvidenceSet, Score, State
from scoring.ledger.evidence import AGAINST, AUDIENCE, FAVOUR, FIGURE, FIRST, VOTES
from streams.records.internal import StoryInfo

__all__ = ["Event", "event", "score_record"]

_encode = msgspec.json.Encoder(order="deterministic").encode


class Event(NamedTuple):
    """An event of a story: its type (a label from the contract's closed list) and the record."""

    story: str
    type: str
    record: bytes


def score_record(
    info: StoryInfo, scored: Score, evidence: EvidenceSet, *, state: State, previous: float | None, at_ms: int
) -> bytes:
    """Return the NoiseScore of a story: ``noise`` and factors are 0 to 100, times UTC epoch ms."""
    return _encode(
        {
            "v": 1,
            "story": info.id,
            "slug": info.slug,
            "title": info.title,
            "beat": info.beat,
            "category": scored.category,
            "noise": scored.noise,
            "previous": previous,
            "band": scored.band,
            "state": state,
            "raw": scored.raw,
            "decay": scored.decay,
            "factors": scored.factors,
            "velocity_per_hour": scored.velocity_per_hour,
            "windows": scored.windows,
            "platforms": scored.platforms,
            "figures": scored.figures,
            "top": scored.top,
            "inputs": _by_factor(scored, evidence),
            "first_seen_ms": scored.first_seen_ms,
            "last_coverage_ms": scored.last_coverage_ms,
            "scored_ms": at_ms,
        }
    )


def event(kind: str, info: StoryInfo, at_ms: int, **details: object) -> Event:
    """Return the NoiseEvent ``kind`` of a story."""
    record = {"v": 1, "type": kind, "story": info.id, "slug": info.slug, "at_ms": at_ms, **details}
    return Event(info.id, kind, _encode(record))


def _by_factor(scored: Score, evidence: EvidenceSet) -> dict[str, dict[str, object]]:
    """Return the raw numbers behind each factor, and the signals that gave most of them.

    ``exact`` is False where a large story's numbers are estimates. What engagement comes from, and what was read for
    the impact, are the posts in ``top``.
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
