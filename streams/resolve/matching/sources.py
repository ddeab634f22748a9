"""What sources say anyway: how often each author and each community uses each term.

Owns the posts of the last days by author and by community, and their mean meaning. Must never know what a match is.

A community counts only posts older than ``usage_hours``, and an author those older than ``author_hours``: an event is
a burst against what is usual, and must not become usual while it lasts. An author's posts in the story that a post is
compared with do not count either, by the share of other authors in it: an eyewitness speaks of one thing all day.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from scoring.settings import HOUR_MS
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.embedding import Embedding, Tokens, Vector
from streams.resolve.matching.story import IndexedPost, LiveStory, Term, current

MAX_POSTS_OF_AUTHOR = 40
"""Bounds the posts kept of an author: what somebody says anyway shows in fewer."""
SAMPLED = 4
"""One in so many stories counts towards the subject of the stream. Its words decide which."""
UNIT = 2.0**20
"""Vectors are summed as integers in this unit, so that sums are the same in any order."""


@dataclass(slots=True, eq=False, repr=False)
class _Said:
    """A post: when it was decided, by and where, and its stems. ``tokens``: its meaning, if it counts towards the
    subject."""

    at_ms: int
    story: LiveStory
    author: str
    community: str
    stems: tuple[str, ...]
    tokens: Tokens


@dataclass(slots=True)
class _Usage:
    """How many posts a community has, and how many of them have each stem."""

    posts: int = 0
    stems: Counter[str] = field(default_factory=Counter)


class Usual(NamedTuple):
    """How usual each term is for one source: ``general`` times its usual share, plus the source's own, by stem."""

    general: float
    shares: Mapping[str, float]


EVERYBODY = Usual(1.0, {})
"""A source that nothing is known of."""


class Sources:
    """The authors and communities of the last days."""

    def __init__(self, config: MatcherConfig, embedding: Embedding) -> None:
        weights = config.weights
        self._community_posts, self._author_posts = weights.community_posts, weights.author_posts
        self._subject_stories = weights.subject_stories / SAMPLED
        self._usage_ms, self._author_ms = int(config.usage_hours * HOUR_MS), int(config.author_hours * HOUR_MS)
        self._forget_ms = int(config.forget_hours * HOUR_MS)
        self._embedding = embedding
        self._fresh: deque[_Said] = deque()
        self._counted: deque[_Said] = deque()
        self._communities: dict[str, _Usage] = {}
        self._authors: dict[str, deque[_Said]] = {}
        self._sum: npt.NDArray[np.int64] = np.zeros(embedding.dimensions, np.int64)
        self._stories = 0
        self._subject: Vector | None = None

    def advance(self, at_ms: int) -> None:
        """Age the posts: count those that are old enough at ``at_ms``, and drop those that are too old."""
        while self._fresh and self._fresh[0].at_ms + self._usage_ms <= at_ms:
            said = self._fresh.popleft()
            self._counted.append(said)
            if said.community:
                usage = self._communities.setdefault(said.community, _Usage())
                usage.posts += 1
                usage.stems.update(said.stems)
        while self._counted and self._counted[0].at_ms + self._forget_ms <= at_ms:
            self._forget(self._counted.popleft())

    def add(self, post: IndexedPost, story: LiveStory, at_ms: int) -> None:
        """Take in a ``post`` of ``story``, which may be its first."""
        tokens = b"" if story.posts or crc32(post.tokens) % SAMPLED else post.tokens
        stems = tuple([term.stem for term in post.terms])
        if post.filed:
            stems = tuple(dict.fromkeys((*stems, *post.filed)))
        said = _Said(at_ms, story, post.author, post.community, stems, tokens)
        self._fresh.append(said)
        if post.author:
            self._authors.setdefault(post.author, deque(maxlen=MAX_POSTS_OF_AUTHOR)).append(said)
        if tokens:
            self._move_subject(tokens, 1)

    def move(self, post: IndexedPost, story: LiveStory, into: LiveStory) -> None:
        """Note that a post of ``story`` belongs to ``into``."""
        stems = {term.stem for term in post.terms}.union(post.filed)
        for said in self._authors.get(post.author, ()):
            if current(said.story) is story and stems == set(said.stems):
                said.story = into
                return

    @property
    def subject(self) -> Vector:
        """The mean meaning of the stories that began in the last days; near 0 if there are few of them."""
        if self._subject is None:
            self._subject = (self._sum / ((self._stories + self._subject_stories) * UNIT)).astype(np.float32)
        return self._subject

    def usual(
        self, author: str, community: str, terms: Iterable[Term], at_ms: int, without: Collection[LiveStory] = ()
    ) -> Usual:
        """Return how usual ``terms`` are for this author in this community.

        The author's posts in the stories ``without`` count less, by the share of others in these.
        """
        general, own = 1.0, {}
        usage = self._communities.get(community) if community else None
        if usage is not None:
            total, said = usage.posts + self._community_posts, usage.stems
            general = self._community_posts / total
            own = {term.stem: said[term.stem] / total for term in terms if term.stem in said}
        counts, posts = self._of_author(author, terms, at_ms, without)
        if posts:
            total = posts + self._author_posts
            rest = self._author_posts / total
            own = {stem: own.get(stem, 0.0) * rest + counts.get(stem, 0.0) / total for stem in own.keys() | counts}
            general *= rest
        return Usual(general, own) if general < 1.0 else EVERYBODY

    def stories_of(self, author: str) -> dict[LiveStory, None]:
        """Return the stories with recent posts by ``author``, oldest post first."""
        return dict.fromkeys([current(said.story) for said in self._authors.get(author, ())]) if author else {}

    def _of_author(
        self, author: str, terms: Iterable[Term], at_ms: int, without: Collection[LiveStory]
    ) -> tuple[dict[str, float], float]:
        """Return how many posts by ``author`` have each of ``terms``, and how many there are."""
        counts: dict[str, float] = {}
        posts = 0.0
        recent = self._authors.get(author) if author else None
        if not recent:
            return counts, posts
        stems = {term.stem for term in terms}
        for said in recent:
            if not self._author_ms <= at_ms - said.at_ms <= self._forget_ms:
                continue
            weight = 1.0
            if (story := current(said.story)) in without:
                by_author = story.sources.get(author, 0)
                weight = max(0, by_author - 1) / max(1, story.posts)
            if weight:
                posts += weight
                for stem in stems.intersection(said.stems):
                    counts[stem] = counts.get(stem, 0.0) + weight
        return counts, posts

    def _forget(self, said: _Said) -> None:
        if said.community:
            usage = self._communities[said.community]
            usage.posts -= 1
            for stem in said.stems:
                usage.stems[stem] -= 1
                if not usage.stems[stem]:
                    del usage.stems[stem]
            if not usage.posts:
                del self._communities[said.community]
        recent = self._authors.get(said.author)
        if recent and recent[0] is said:
            recent.popleft()
            if not recent:
                del self._authors[said.author]
        if said.tokens:
            self._move_subject(said.tokens, -1)

    def _move_subject(self, tokens: Tokens, stories: int) -> None:
        vector = np.rint(self._embedding.vector(tokens) * np.float32(UNIT)).astype(np.int64)
        self._sum += stories * vector
        self._stories += stories
        self._subject = None
