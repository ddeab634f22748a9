"""The index of one beat's live stories: which story has which terms, and how usual a term is elsewhere.

Owns stories and terms, their counts, their ageing and their expiry. Must never decide where a post belongs.

A *term* is the stem of a word. How usual a term is depends on the posts outside a story. Posts of the last day count
little for that (``fresh_discount``); otherwise a story that begins in several pieces would make its own words usual.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.cache import LookupCache
from scoring.settings import HOUR_MS
from streams.records.stories import StoryInfo
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.embedding import Vector, load_embedding, stem
from streams.resolve.matching.features import Features, copy_key, link_key
from streams.resolve.matching.post_rate import PostRate
from streams.resolve.matching.story import IndexedPost, LiveStory, ParsedPost, Term

BUCKETS = 4
"""Steps in which posts age: six hours each, fine enough for a discount that lasts a day."""
REMEMBERED_WEIGHTS = 20_000
"""Bounds the cache of term weights: the vocabulary of a busy day."""
MAX_TERMS = 3_000
"""Bounds the terms of a story; above it, terms with a single post are dropped."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Posts of about the same age: the story and the terms of each."""

    number: int
    stories: list[LiveStory]
    terms: list[list[Term]]


class StoryIndex:
    """The live stories."""

    def __init__(self, config: MatcherConfig) -> None:
        self._embedding = load_embedding()
        self._common, self._span = config.common_share, math.log(config.common_share / config.telling_share)
        self.fresh_discount = config.fresh_discount
        self.decay_hours = config.decay_hours
        self._bucket_ms = int(min(config.fresh_hours, config.forget_hours / 2) * HOUR_MS / BUCKETS)
        self._max_stories = config.max_stories
        self.posts = 0
        self.fresh = 0
        self.stories: OrderedDict[str, LiveStory] = OrderedDict()  # least recently posted first
        self.numbered: dict[int, LiveStory] = {}
        self.grown = 0
        """Stories of one post with numbers up to this one are no longer fresh."""
        self.slugs: set[str] = set()
        self._dropped: list[str] = []
        self._terms: dict[str, Term] = {}
        self._weights = LookupCache(self._weigh, capacity=REMEMBERED_WEIGHTS)
        self._keys: dict[int, LiveStory] = {}
        self._fresh: deque[_Bucket] = deque()
        self._sums: npt.NDArray[np.float32] = np.zeros((64, self._embedding.dimensions), np.float32)
        self._free: list[int] = []
        self._last_vector: tuple[IndexedPost | None, Vector] = None, self._sums[0]
        self._rows = self._created = 0

    def background_count(self, term: Term) -> float:
        """Return the number of posts with ``term``, fresh ones discounted."""
        return term.posts - self.fresh_discount * term.fresh

    @property
    def size(self) -> float:
        """The number of posts, fresh ones discounted."""
        return self.posts - self.fresh_discount * self.fresh

    def read(self, features: Features) -> ParsedPost:
        """Parse the post with these features, independently of what is in the index."""
        said = dict.fromkeys(features.words + features.linked)
        stems = tuple(dict.fromkeys([stem(word) for word in said]))
        links = tuple([link_key(link) for link in features.links])
        return ParsedPost(features, stems, self._embedding.tokens(said), links, copy_key(features.words))

    def post(self, parsed: ParsedPost) -> IndexedPost:
        """Return the parsed post with its terms, the rarest first."""
        known, fresh_discount = self._terms, self.fresh_discount
        terms = [known.get(text) or self._term(text) for text in parsed.stems]
        rarity = [
            (term.posts - fresh_discount * term.fresh + 1_000 * term.prior, term.stem, term)
            for term in terms
            if term is not None
        ]
        rarity.sort()
        known_terms = [term for _, _, term in rarity]
        keys = parsed.links
        if known_terms and parsed.copy is not None:
            keys = (*keys, parsed.copy)
        return IndexedPost(known_terms, sum([term.weight for term in known_terms]), parsed.tokens, keys)

    def by_key(self, keys: Iterable[int]) -> tuple[int, LiveStory] | None:
        """Return the first of ``keys`` that a story has, and that story."""
        for key in keys:
            story = self._keys.get(key)
            if story is not None:
                return key, self.current(story)
        return None

    def current(self, story: LiveStory) -> LiveStory:
        """Return what ``story`` became by merges."""
        while story.into is not None:
            story = story.into
        return story

    def cosines(self, stories: list[LiveStory], post: IndexedPost) -> npt.NDArray[np.float32]:
        """Return the cosine, -1 to 1, between ``post`` and the mean post of each of ``stories``."""
        rows = [self._row(story) for story in stories]
        products: npt.NDArray[np.float32] = self._sums[rows] @ self._vector(post)
        lengths = np.array([story.length or 1.0 for story in stories], np.float32)
        alike: npt.NDArray[np.float32] = products / lengths
        return alike

    def cosine(self, one: LiveStory, other: LiveStory) -> float:
        """Return the cosine, -1 to 1, between the mean posts of two stories."""
        ours, theirs = self._row(one), self._row(other)
        product = float(self._sums[ours] @ self._sums[theirs])
        return product / ((one.length or 1.0) * (other.length or 1.0))

    def create(self, info: StoryInfo, at_ms: int) -> LiveStory:
        """Add a new story, without posts yet."""
        self._created += 1
        story = self.stories[info.id] = self.numbered[self._created] = LiveStory(info, self._created, at_ms, at_ms)
        self.slugs.add(info.slug)
        if len(self.stories) > self._max_stories:
            self._expire(next(iter(self.stories.values())))
        return story

    def add(self, story: LiveStory, post: IndexedPost, at_ms: int) -> None:
        """Add ``post`` to ``story``."""
        if story.posts or story.terms is not None:
            said, post_rate = self._open(story)
            for term in post.terms:
                term.posts += 1
                term.fresh += 1
                said[term] = term.stories[story] = said.get(term, 0) + 1
            self._add_vector(story, self._vector(post))
            post_rate.add(at_ms, self.decay_hours)
        else:
            story.only, story.tokens = post.terms, post.tokens
            for term in post.terms:
                term.posts += 1
                term.fresh += 1
                term.alone.append(story.number)
        bucket = self._bucket(at_ms)
        bucket.stories.append(story)
        bucket.terms.append(post.terms)
        story.posts += 1
        story.fresh += 1
        story.strength += post.strength
        self.posts += 1
        self.fresh += 1
        self._update_share(story)
        if new := tuple([key for key in post.keys if key not in self._keys]):
            self._keys.update(dict.fromkeys(new, story))
            story.keys += new
        story.last_ms = max(story.last_ms, at_ms)
        self.stories.move_to_end(story.info.id)
        if story.terms is not None and len(story.terms) > MAX_TERMS:
            self._prune(story, story.terms)

    def move(self, post: IndexedPost, story: LiveStory, into: LiveStory, at_ms: int) -> None:
        """Move ``post`` from ``story``, which has all its terms, to ``into`` at ``at_ms``.

        For all other stories it counts as before.
        """
        said, _ = self._open(story)
        added, post_rate = self._open(into)
        for term in post.terms:
            if said[term] > 1:
                said[term] = term.stories[story] = said[term] - 1
            else:
                del said[term], term.stories[story]
            added[term] = term.stories[into] = added.get(term, 0) + 1
        vector = self._vector(post)
        for one, sign in ((story, -1), (into, 1)):
            self._add_vector(one, sign * vector)
            one.posts += sign
            one.strength = max(0.0, one.strength + sign * post.strength)
        self._move_fresh(post, story, into)
        self._update_share(story)
        self._update_share(into)
        keys = {key for key in post.keys if key in story.keys}
        self._keys.update(dict.fromkeys(keys, into))
        story.keys = tuple([key for key in story.keys if key not in keys])
        into.keys += tuple(keys)
        post_rate.add(at_ms, self.decay_hours)
        into.last_ms = max(into.last_ms, at_ms)
        self.stories.move_to_end(into.info.id)

    def merge(self, into: LiveStory, gone: LiveStory) -> LiveStory:
        """Merge ``gone`` into ``into``, and return that."""
        said, post_rate = self._open(into)
        left, left_rate = self._open(gone)
        for term, count in left.items():
            del term.stories[gone]
            term.stories[into] = said[term] = said.get(term, 0) + count
        left.clear()
        into.posts += gone.posts
        into.fresh += gone.fresh
        into.strength += gone.strength
        self._update_share(into)
        row = self._row(gone)
        self._add_vector(into, self._sums[row])
        post_rate.merge(left_rate, self.decay_hours)
        into.first_ms = min(into.first_ms, gone.first_ms)
        into.last_ms = max(into.last_ms, gone.last_ms)
        into.keys += gone.keys
        into.slugs += (gone.info.slug, *gone.slugs)
        gone.into = into
        self._drop(gone)
        self.stories.move_to_end(into.info.id)
        if len(said) > MAX_TERMS:
            self._prune(into, said)
        return into

    def advance(self, at_ms: int) -> None:
        """Age the posts that are no longer fresh at ``at_ms``."""
        while self._fresh and (self._fresh[0].number + 1 + BUCKETS) * self._bucket_ms <= at_ms:
            self._age(self._fresh.popleft())

    def expire_before(self, before_ms: int) -> list[str]:
        """Drop the stories without a new post since ``before_ms``; return them and those dropped for lack of room."""
        while self.stories and (story := next(iter(self.stories.values()))).last_ms < before_ms:
            self._expire(story)
        gone, self._dropped = self._dropped, []
        return gone

    def _move_fresh(self, post: IndexedPost, story: LiveStory, into: LiveStory) -> None:
        for bucket in self._fresh:
            for place, (one, terms) in enumerate(zip(bucket.stories, bucket.terms, strict=True)):
                if self.current(one) is story and set(terms) == set(post.terms):
                    bucket.stories[place] = into
                    story.fresh -= 1
                    into.fresh += 1
                    return

    def _open(self, story: LiveStory) -> tuple[dict[Term, int], PostRate]:
        """Prepare a story for its second post."""
        if story.terms is None or story.post_rate is None:
            self._row(story)
            story.terms = dict.fromkeys(story.only, 1)
            story.post_rate = PostRate(story.last_ms, posts=story.posts)
            for term in story.only:
                _remove(term.alone, story.number)
                term.stories[story] = 1
            story.only, story.tokens = [], b""
        return story.terms, story.post_rate

    def _row(self, story: LiveStory) -> int:
        """Return the row with the sum of the story's vectors; a single post's is computed when first needed."""
        if story.row is None:
            row = story.row = self._free.pop() if self._free else self._rows
            if row == self._rows:
                self._rows += 1
                if row == len(self._sums):
                    self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            if story.tokens:
                self._add_vector(story, self._embedding.vector(story.tokens))
        return story.row

    def _vector(self, post: IndexedPost) -> Vector:
        """Return the vector of ``post``. The last one is kept: a post is compared, and then added."""
        if self._last_vector[0] is not post:
            self._last_vector = post, self._embedding.vector(post.tokens)
        return self._last_vector[1]

    def _add_vector(self, story: LiveStory, vector: Vector) -> None:
        row = self._row(story)
        total = self._sums[row]
        total += vector
        story.length = float(np.sqrt(total @ total))

    def _age(self, bucket: _Bucket) -> None:
        self.fresh -= len(bucket.stories)
        for story, terms in zip(bucket.stories, bucket.terms, strict=True):
            for term in terms:
                term.fresh -= 1
                if not term.fresh and not term.posts:
                    del self._terms[term.stem]
            now = self.current(story)
            if now.terms is None:
                self.grown = now.number
            now.fresh -= 1
            self._update_share(now)

    def _update_share(self, story: LiveStory) -> None:
        story.share = 1 - self.fresh_discount * story.fresh / max(1, story.posts)

    def _bucket(self, at_ms: int) -> _Bucket:
        number = at_ms // self._bucket_ms
        if not self._fresh or self._fresh[-1].number < number:
            self._fresh.append(_Bucket(number, [], []))
        return self._fresh[-1]

    def _term(self, text: str) -> Term | None:
        """Return a new term, or None if it weighs nothing: no story would hold it, so it would never be removed."""
        prior, weight = self._weights[text]
        if weight == 0:
            return None
        term = self._terms[text] = Term(text, prior, weight)
        return term

    def _weigh(self, text: str) -> tuple[float, float]:
        """Return how usual a stem is in general language, and its weight, 0 to 1."""
        prior = self._embedding.usual(text)
        return prior, min(1.0, max(0.0, math.log(self._common / prior) / self._span))

    def _prune(self, story: LiveStory, said: dict[Term, int]) -> None:
        for term in [term for term, count in said.items() if count == 1]:
            del said[term], term.stories[story]
            story.strength -= term.weight
            self._remove_posts(term, 1)

    def _remove_posts(self, term: Term, count: int) -> None:
        term.posts -= count
        if not term.posts and not term.fresh:
            del self._terms[term.stem]

    def _expire(self, story: LiveStory) -> None:
        for term, count in story.said().items():
            if story.terms is None:
                _remove(term.alone, story.number)
            else:
                del term.stories[story]
            self._remove_posts(term, count)
        self.posts -= story.posts
        for key in story.keys:
            del self._keys[key]
        self.slugs.difference_update((story.info.slug, *story.slugs))
        self._dropped.append(story.info.id)
        self._drop(story)

    def _drop(self, story: LiveStory) -> None:
        del self.stories[story.info.id], self.numbered[story.number]
        if story.row is not None:
            self._sums[story.row] = 0
            self._free.append(story.row)


def _remove(numbers: array[int], number: int) -> None:
    del numbers[bisect_left(numbers, number)]
