"""The job of the comparison: which signals are relevant, what a story is, and what its score is.

Owns the arithmetic of the job for peers in Python, with plain values and the standard library alone. Some peers run in
an environment of their own. README.md describes the same job. Must never know how anything is read or sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["BUCKETS", "BUCKET_MS", "WATCHED_SITES", "is_relevant", "new_story", "score", "take"]

WATCHED_SITES = frozenset(f"site{number}.example.org" for number in range(12))
"""A post is relevant if it links to one of these sites."""
BUCKET_MS = 300_000
BUCKETS = 12
"""The windows of a story: its items in each of the latest twelve spans of five minutes."""
DURATION_MS = 72 * 3_600_000
LOUD = {"reddit": 50_000.0, "hackernews": 3_000.0, "mastodon": 10_000.0, "lemmy": 3_000.0}
OTHER_LOUD = 10_000.0

Signal = Mapping[str, Any]
Story = dict[str, Any]
Item = list[int]
"""An item: when it was last observed (ms), and its interactions then."""


def is_relevant(url: str) -> bool:
    """Return whether a post with this link is relevant."""
    return urlsplit(url).hostname in WATCHED_SITES


def new_story() -> Story:
    """Return the state of a new story."""
    return {
        "items": 0,
        "interactions": {},
        "posted": [],
        "communities": {},
        "first_ms": None,
        "last_ms": 0,
        "buckets": {},
    }


def take(story: Story, signal: Signal, old: Item | None) -> Item | None:
    """Add one observation to ``story``. Return the new state of its item, or None if nothing is new.

    ``old``: the state of the item. A later observation replaces its counts. An earlier or equal one changes nothing.
    """
    observed_ms, counts, platform = signal["observed_ms"], signal["counts"], signal["platform"]
    if old is not None and observed_ms <= old[0]:
        return None
    acts = (counts["likes"] or 0) + 2 * (counts["replies"] or 0) + 3 * (counts["shares"] or 0)
    by_platform = story["interactions"]
    by_platform[platform] = by_platform.get(platform, 0) + acts - (old[1] if old is not None else 0)
    if old is None:
        _cover(story, signal["created_ms"])
        community = signal["community"]
        story["communities"][community["name"]] = community["members"]
        if signal["kind"] == "post" and platform not in story["posted"]:
            story["posted"].append(platform)
    return [observed_ms, acts]


def score(name: str, story: Story) -> dict[str, Any]:
    """Return the record to emit for the story ``name``; ``raw`` follows the formulas of the scoring."""
    people = 0.02 * sum(story["communities"].values())
    loud = sum(acts / LOUD.get(platform, OTHER_LOUD) for platform, acts in story["interactions"].items())
    reach = 100 * min(1.0, math.log10(1 + people) / 8)
    engagement = 100 * min(1.0, math.log10(1 + 1e4 * loud) / 4)
    platforms = min(100, 20 * len(story["posted"]))
    duration = 100 * min(1.0, (story["last_ms"] - story["first_ms"]) / DURATION_MS)
    return {
        "story": name,
        "items": story["items"],
        "interactions": sum(story["interactions"].values()),
        "platforms": len(story["posted"]),
        "raw": 0.20 * reach + 0.20 * engagement + 0.15 * platforms + 0.10 * duration + 5 + 5,
        "last_ms": story["last_ms"],
        "buckets": story["buckets"],
    }


def _cover(story: Story, created_ms: int) -> None:
    """Count a new item in the story and in its span of time."""
    story["items"] += 1
    first_ms = story["first_ms"]
    story["first_ms"] = created_ms if first_ms is None else min(first_ms, created_ms)
    story["last_ms"] = max(story["last_ms"], created_ms)
    oldest = story["last_ms"] // BUCKET_MS - BUCKETS + 1
    bucket = created_ms // BUCKET_MS
    buckets = story["buckets"]
    if bucket >= oldest:
        buckets[str(bucket)] = buckets.get(str(bucket), 0) + 1
    for gone in [number for number in buckets if int(number) < oldest]:
        del buckets[gone]
