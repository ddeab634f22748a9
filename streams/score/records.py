"""The records of ``noise-scores`` and ``noise-events`` as the score stage writes them.

Owns their fields; they are a contract with other programs (``docs/contracts.md``). Numbers are rounded here and nowhere
else, to what can be told apart, so that two runs give the same bytes.
"""

from __future__ import annotations

import msgspec

from scoring import Score
from streams.wire import StoryInfo

__all__ = ["event_record", "score_record"]

_encode = msgspec.json.Encoder(order="deterministic").encode


def score_record(info: StoryInfo, scored: Score, state: str, previous: float | None, at_ms: int) -> bytes:
    """Return the NoiseScore of a story: ``noise`` and factors are 0 to 100, times UTC epoch ms."""
    inputs = scored.inputs
    return _encode(
        {
            "v": 1,
            "story": info.id,
            "slug": info.slug,
            "title": info.title,
            "beat": info.beat,
            "category": info.category,
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
            "inputs": inputs,
            "first_seen_ms": scored.first_seen_ms,
            "last_coverage_ms": scored.last_coverage_ms,
            "scored_ms": at_ms,
        }
    )


def event_record(kind: str, info: StoryInfo, at_ms: int, **details: object) -> bytes:
    """Return the NoiseEvent ``kind`` of a story."""
    return _encode({"v": 1, "type": kind, "story": info.id, "slug": info.slug, "at_ms": at_ms, **details})
