"""The parts of the story index: terms, posts and stories.

Owns what is kept of each, as compactly as possible: there are a hundred thousand of them. Must never update one part
when another changes; that is the index's business.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from streams.records.stories import StoryInfo
from streams.resolve.matching.embedding import Tokens
from streams.resolve.matching.features import Features
from streams.resolve.matching.post_rate import PostRate


@dataclass(slots=True, eq=False, repr=False)
class Term:
    """A stem: the number of live posts with it, how many of those are fresh, and its counts by story.

    ``alone`` holds the numbers of the stories with one post, which are most stories; ``stories`` holds the larger ones.
    """

    stem: str
    prior: float
    weight: float
    posts: int = 0
    fresh: int = 0
    alone: array[int] = field(default_factory=lambda: array("Q"))
    stories: dict[LiveStory, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedPost:
    """A post before it is compared with any other.

    ``links``: keys of its links; ``copy``: a key of its words, None if they are too few to identify copies.
    """

    features: Features
    stems: tuple[str, ...]
    tokens: Tokens
    links: tuple[int, ...]
    copy: int | None


@dataclass(frozen=True, slots=True)
class IndexedPost:
    """A post as the index sees it. ``strength``: the sum of its terms' weights; ``tokens``: its meaning."""

    terms: list[Term]
    strength: float
    tokens: Tokens
    keys: tuple[int, ...]


@dataclass(slots=True, eq=False, repr=False)
class LiveStory:
    """A live story: the number of its posts, their terms and their times.

    Most stories have one post. Such a story has ``only`` (the post's terms) and ``tokens`` (its meaning) instead of
    ``terms``, ``post_rate`` and ``row``. ``slugs``: of the stories merged into it. ``into``: the story it merged into.
    """

    info: StoryInfo
    number: int
    first_ms: int
    last_ms: int
    row: int | None = None
    posts: int = 0
    fresh: int = 0
    share: float = 0.0
    length: float = 0.0
    strength: float = 0.0
    terms: dict[Term, int] | None = None
    post_rate: PostRate | None = None
    keys: tuple[int, ...] = ()
    slugs: tuple[str, ...] = ()
    only: list[Term] = field(default_factory=list)
    tokens: Tokens = b""
    into: LiveStory | None = None

    def said(self) -> dict[Term, int]:
        """Return the number of its posts with each term."""
        return dict.fromkeys(self.only, 1) if self.terms is None else self.terms

    def faded(self, at_ms: int, decay_hours: float) -> float:
        """Return how far its post rate at ``at_ms`` is below the peak: see :class:`PostRate`."""
        return (self.post_rate or PostRate(self.last_ms, posts=1)).faded(at_ms, decay_hours)
