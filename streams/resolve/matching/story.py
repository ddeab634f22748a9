"""What the index of live stories is made of: terms, posts, and stories.

Owns what is kept of each, in as little room as it takes: there are a hundred thousand. Must never change the one when
the other changes, which is the index's business.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from streams.records.stories import StoryInfo
from streams.resolve.matching.activity import Activity
from streams.resolve.matching.embedding import Tokens
from streams.resolve.matching.features import Features

__all__ = ["Post", "Reading", "Story", "Term"]


class Term:
    """A stem: how many live posts say it, how many of them are fresh, and which stories they are in, how often.

    ``alone``: the numbers of the stories of one post, which are most, as they grow; ``stories``: the larger ones.
    """

    __slots__ = ("alone", "fresh", "posts", "prior", "stem", "stories", "weight")

    def __init__(self, text: str, prior: float, weight: float) -> None:
        self.stem = text
        self.prior = prior
        self.weight = weight
        self.posts = 0
        self.fresh = 0
        self.alone = array("Q")
        self.stories: dict[Story, int] = {}


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be known of a post before any other is considered.

    ``links`` and ``copy``: keys of what it links to, and of its words, if they could be anybody's copy.
    """

    features: Features
    stems: tuple[str, ...]
    tokens: Tokens
    links: tuple[int, ...]
    copy: int | None


@dataclass(frozen=True, slots=True)
class Post:
    """A post as the index sees it. ``strength``: how much its terms weigh together; ``tokens``: what it means."""

    terms: list[Term]
    strength: float
    tokens: Tokens
    keys: tuple[int, ...]


class Story:
    """A live story: how many posts it has, what they say, when they came.

    ``only``: the terms of its post, as long as it has no other, and ``tokens`` what it means: most stories stay so, and
    have no ``terms``, no ``activity`` and no ``row`` to themselves. ``slugs``: of the stories that were merged with it.
    ``into``: the story it was merged with.
    """

    __slots__ = (
        "activity", "first_ms", "fresh", "info", "into", "keys", "last_ms", "length", "number", "only", "posts", "row",
        "share", "slugs", "strength", "terms", "tokens",
    )  # fmt: skip

    def __init__(self, info: StoryInfo, number: int, at_ms: int) -> None:
        self.info = info
        self.number = number
        self.row: int | None = None
        self.first_ms = self.last_ms = at_ms
        self.posts = 0
        self.fresh = 0
        self.share = 0.0
        self.length = 0.0
        self.strength = 0.0
        self.terms: dict[Term, int] | None = None
        self.activity: Activity | None = None
        self.keys: tuple[int, ...] = ()
        self.slugs: tuple[str, ...] = ()
        self.only: list[Term] = []
        self.tokens: Tokens = b""
        self.into: Story | None = None

    def said(self) -> dict[Term, int]:
        """Return how many of its posts say each term."""
        return dict.fromkeys(self.only, 1) if self.terms is None else self.terms

    def faded(self, at_ms: int, reach_hours: float) -> float:
        """Return how much less active it is at ``at_ms`` than it was: see :class:`Activity`."""
        return (self.activity or Activity(self.last_ms, posts=1)).faded(at_ms, reach_hours)
