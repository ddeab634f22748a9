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

MAX_SOURCES = 3_000
"""Bounds the authors and communities counted of a story; above it, those of a single post are dropped."""
MAX_SERIES = 16
"""Bounds the series remembered of a story."""


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
    """A post as the index sees it.

    ``strength``: the sum of its terms' weights. ``tokens``: its meaning. ``keys``: of its links and its words; ``own``:
    those of its words and its own pages. ``author``, ``community``, ``filed`` (as stems), ``work``: as in
    :class:`Features`. ``series``: a key of the author's series that it is in.
    """

    terms: list[Term]
    strength: float
    tokens: Tokens
    keys: tuple[int, ...]
    own: tuple[int, ...]
    author: str
    community: str
    filed: tuple[str, ...]
    work: bool
    series: int | None

    @property
    def links_in_text(self) -> int:
        """The number of links in its text."""
        return len(self.keys) - len(self.own)


@dataclass(slots=True, eq=False, repr=False)
class LiveStory:
    """A live story: the number of its posts, their terms and their times.

    Most stories have one post. Such a story has ``only`` (the post's terms) and ``tokens`` (its meaning) instead of
    ``terms``, ``post_rate`` and ``row``. ``slugs``: of the stories merged into it. ``into``: the story it merged into.
    ``sources``: the number of its posts by author and by community; ``works``: of those that are papers. ``series``:
    those that it has an item of.
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
    sources: dict[str, int] = field(default_factory=dict)
    works: int = 0
    series: tuple[int, ...] = ()

    def said(self) -> dict[Term, int]:
        """Return the number of its posts with each term."""
        return dict.fromkeys(self.only, 1) if self.terms is None else self.terms

    def faded(self, at_ms: int, decay_hours: float) -> float:
        """Return how far its post rate at ``at_ms`` is below the peak: see :class:`PostRate`."""
        return (self.post_rate or PostRate(self.last_ms, posts=1)).faded(at_ms, decay_hours)

    def count(self, post: IndexedPost, posts: int = 1) -> None:
        """Count ``post`` as one of its own, or (-1) no longer. Its series stay known."""
        self.posts += posts
        self.strength = max(0.0, self.strength + posts * post.strength)
        self.works = max(0, self.works + posts * post.work)
        if posts > 0 and post.series is not None and post.series not in self.series:
            self.series = (*self.series, post.series)[-MAX_SERIES:]
        for source in filter(None, (post.author, post.community)):
            if (number := self.sources.get(source, 0) + posts) > 0:
                self.sources[source] = number
            else:
                self.sources.pop(source, None)
        self._bound_sources()

    def count_all(self, other: LiveStory) -> None:
        """Count all posts of ``other`` as its own."""
        self.posts += other.posts
        self.fresh += other.fresh
        self.strength += other.strength
        self.works += other.works
        self.series = tuple(dict.fromkeys((*self.series, *other.series)))[-MAX_SERIES:]
        for source, posts in other.sources.items():
            self.sources[source] = self.sources.get(source, 0) + posts
        self._bound_sources()

    def main_source(self) -> tuple[str, str]:
        """Return the author of all its posts, and the community of at least half of them; "" if there is none."""
        author = community = ""
        for source, posts in self.sources.items():
            if ":" in source.partition("/")[0]:
                author = source if posts == self.posts else author
            elif 2 * posts >= self.posts and posts > self.sources.get(community, 0):
                community = source
        return author, community

    def _bound_sources(self) -> None:
        if len(self.sources) > MAX_SOURCES:
            self.sources = {source: posts for source, posts in self.sources.items() if posts > 1}


def current(story: LiveStory) -> LiveStory:
    """Return what ``story`` became by merges."""
    while story.into is not None:
        story = story.into
    return story
