"""How well the stories found agree with the truth of a simulated world.

Owns the comparison, and nothing of how either side came about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import correlation

import msgspec

from hubbub.world.truth import Truth
from streams.records.noise_score import NoiseScore

__all__ = ["Agreement", "FoundStory", "agree"]

PIECE_POSTS = 2
"""A stray post is a miss of the matcher; from two posts on it is a piece of the story."""


class FoundStory(msgspec.Struct, frozen=True):
    """A story of the world and what became of it. ``pieces``: stories with some of it; ``missing``: posts in none."""

    id: str
    title: str
    expected: float
    noise: float | None
    story: str | None
    posts: int
    together: int
    missing: int
    pieces: int


class Agreement(msgspec.Struct, frozen=True):
    """The comparison of all stories. ``spearman``: rank correlation of expected and measured noise, -1 to 1."""

    spearman: float | None
    stories: int
    found_once: int
    split_in_three: int
    found: list[FoundStory]


def agree(truth: Truth, threads: Mapping[str, Sequence[str]], scores: Mapping[str, NoiseScore]) -> Agreement:
    """Compare. ``threads``: the stories of each thread; ``scores``: by story."""
    holders: Counter[str] = Counter()
    found: list[FoundStory] = []
    for story in truth.stories:
        shares = Counter(held for post in story.posts for held in threads.get(post, ())[:1])
        main, together = shares.most_common(1)[0] if shares else (None, 0)
        if main is not None:
            holders[main] += 1
        score = scores.get(main) if main is not None else None
        found.append(
            FoundStory(
                id=story.id,
                title=story.title,
                expected=story.loudness,
                noise=None if score is None else score.noise,
                story=main,
                posts=len(story.posts),
                together=together,
                missing=len(story.posts) - shares.total(),
                pieces=sum(1 for held, posts in shares.items() if held == main or posts >= PIECE_POSTS),
            )
        )
    once = [item for item in found if item.story is not None and item.pieces == 1 and holders[item.story] == 1]
    return Agreement(
        spearman=_spearman([(item.expected, item.noise) for item in found if item.noise is not None]),
        stories=len(found),
        found_once=len(once),
        split_in_three=sum(item.pieces >= 3 for item in found),
        found=found,
    )


def _spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the rank correlation, None where there is too little to rank."""
    if len(pairs) < 3:
        return None
    expected, measured = ([pair[side] for pair in pairs] for side in (0, 1))
    if len(set(expected)) == 1 or len(set(measured)) == 1:
        return None
    return correlation(_ranks(expected), _ranks(measured))


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equals share the mean of theirs."""
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) - 1) / 2 for value in values]
