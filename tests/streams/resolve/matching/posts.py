"""Posts for a matcher, and its decisions on them."""

from __future__ import annotations

import msgspec

from ingest.signal import Author, Community, Signal
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.matcher import Decision, Matcher

START_MS = 1_767_225_600_000
HOUR_MS = 3_600_000


def matcher(**options: float) -> Matcher:
    return Matcher(load_beat("general"), msgspec.convert(options, MatcherConfig))


def post(
    number: int,
    title: str | None,
    *,
    hours: float | None = None,
    author: str | None = None,
    community: str | None = None,
    text: str | None = None,
    url: str | None = None,
) -> Signal:
    """Return a post of a thread of its own; without ``hours``, each number is a minute later."""
    at_ms = START_MS + int(HOUR_MS * (number / 60 if hours is None else hours))
    return Signal(
        id=f"t:{number}", kind="post", platform="t", thread=f"t:{number}", title=title, text=text, url=url,
        author=Author(name=author), community=Community(name=community), created_ms=at_ms, observed_ms=at_ms,
    )  # fmt: skip


def decide(given: Matcher, posts: list[Signal]) -> list[Decision]:
    return [given.decide(signal, signal.observed_ms) for signal in posts]


def final(decisions: list[Decision]) -> list[str]:
    """Return the story of each post after all merges."""
    became: dict[str, str] = {}
    for decision in decisions:
        became.update(decision.merged)
    stories = []
    for decision in decisions:
        story = decision.story
        while story in became:
            story = became[story]
        stories.append(story)
    return stories
