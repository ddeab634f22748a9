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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.cache import LookupCache
from scoring.settings import HOUR_MS
from streams.records.stories import StoryInfo
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.embedding import Vector, load_embedding, stem
from streams.resolve.matching.features import Features, copy_key, text_key
from streams.resolve.matching.keys import StoriesByKey
from streams.resolve.matching.post_rate import PostRate
from streams.resolve.matching.sources import Sources
from streams.resolve.matching.story import IndexedPost, LiveStory, ParsedPost, Term, current

BUCKETS = 4
"""Steps in which posts age: six hours each, fine enough for a discount that lasts a day."""
SHORTEST = 1e-9
"""A shorter vector has no direction."""
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
        self.sources = Sources(config, self._embedding)
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
        self._keys, self._own_keys = StoriesByKey(), StoriesByKey()
        """Of all links and words, and of those that are a post's own."""
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
        links = tuple([text_key(link) for link in features.links])
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
        features, keys, own = parsed.features, parsed.links, parsed.links[: parsed.features.own]
        if known_terms and parsed.copy is not None:
            keys, own = (*keys, parsed.copy), (*own, parsed.copy)
        return IndexedPost(
            known_terms,
            sum([term.weight for term in known_terms]),
            parsed.tokens,
            keys,
            own,
            features.author,
            features.community,
            tuple([stem(word) for word in features.filed]),
            features.work,
            text_key(f"{features.author}\n{features.series}") if features.author and features.series else None,
        )

    def same_pages(self, post: IndexedPost) -> list[tuple[int, LiveStory]]:
        """Return those of the post's own keys that other posts have as their own, each with the story of the first."""
        return [(key, story) for key in post.own if (story := self._own_keys.first(key)) is not None]

    def linked(self, post: IndexedPost) -> dict[LiveStory, list[int]]:
        """Return the first story with each link of ``post``, with the keys of these links."""
        found: dict[LiveStory, list[int]] = {}
        for key in post.keys:
            if (story := self._keys.first(key)) is not None:
                found.setdefault(story, []).append(key)
        return found

    def cosines(self, stories: list[LiveStory], post: IndexedPost) -> list[float]:
        """Return the cosine, -1 to 1, between ``post`` and the mean post of each of ``stories``.

        Both are seen from the subject of the stream, where everything is a little alike.
        """
        vector, subject = self._vector(post), self.sources.subject
        own, post_to_subject = float(subject @ subject), float(vector @ subject)
        length = _length_from_subject(float(vector @ vector), 1, post_to_subject, own)
        alike = []
        for story in stories:
            # The vector of a single post is soon computed again, and takes a kilobyte.
            total = self._embedding.vector(story.tokens) if story.row is None else self._sums[story.row]
            to_subject = float(total @ subject)
            product = float(total @ vector) - to_subject - story.posts * (post_to_subject - own)
            square = float(total @ total)
            of_story = _length_from_subject(square, story.posts, to_subject, own)
            alike.append(product / max(SHORTEST, length * of_story) if square and post.tokens else 0.0)
        return alike

    def cosine(self, one: LiveStory, other: LiveStory) -> float:
        """Return the cosine, -1 to 1, between the mean posts of two stories, as in :meth:`cosines`."""
        rows, subject = (self._row(one), self._row(other)), self.sources.subject
        ours, theirs = self._sums[rows[0]], self._sums[rows[1]]
        of_ours, of_theirs, own = float(ours @ subject), float(theirs @ subject), float(subject @ subject)
        product = float(ours @ theirs) - one.posts * of_theirs - other.posts * of_ours + one.posts * other.posts * own
        length = _length_from_subject(one.length**2, one.posts, of_ours, own)
        length *= _length_from_subject(other.length**2, other.posts, of_theirs, own)
        return product / max(SHORTEST, length) if one.length and other.length else 0.0

    def create(self, info: StoryInfo, at_ms: int) -> LiveStory:
        """Add a new story, without posts yet."""
        self._created += 1
        story = self.stories[info.id] = self.numbered[self._created] = LiveStory(info, self._created, at_ms, at_ms)
        self.slugs.add(info.slug)
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
        self.sources.add(post, story, at_ms)
        story.count(post)
        story.fresh += 1
        self.posts += 1
        self.fresh += 1
        self._update_share(story)
        self._hold(story, post)
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
            one.count(post, sign)
        self._move_fresh(post, story, into)
        self.sources.move(post, story, into)
        self._update_share(story)
        self._update_share(into)
        self._keys.drop(post.keys, story)
        self._own_keys.drop(post.own, story)
        story.keys = tuple([key for key in story.keys if key not in post.keys])
        self._hold(into, post)
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
        into.count_all(gone)
        self._update_share(into)
        row = self._row(gone)
        self._add_vector(into, self._sums[row])
        post_rate.merge(left_rate, self.decay_hours)
        into.first_ms = min(into.first_ms, gone.first_ms)
        into.last_ms = max(into.last_ms, gone.last_ms)
        self._own_keys.add(self._own_keys.drop(gone.keys, gone), into)
        into.keys += self._keys.add(self._keys.drop(gone.keys, gone), into)
        into.slugs += (gone.info.slug, *gone.slugs)
        gone.into = into
        self._drop(gone)
        self.stories.move_to_end(into.info.id)
        if len(said) > MAX_TERMS:
            self._prune(into, said)
        return into

    def advance(self, at_ms: int) -> None:
        """Age the posts that are no longer fresh at ``at_ms``."""
        self.sources.advance(at_ms)
        while self._fresh and (self._fresh[0].number + 1 + BUCKETS) * self._bucket_ms <= at_ms:
            self._age(self._fresh.popleft())

    def make_room(self) -> None:
        """Make room for one more story: the one without a new post for longest expires.

        Before a post is compared, so that it has no term that the expired story takes along.
        """
        while len(self.stories) >= self._max_stories:
            self._expire(next(iter(self.stories.values())))

    def expire_before(self, before_ms: int) -> list[str]:
        """Drop the stories without a new post since ``before_ms``; return them and those dropped for lack of room."""
        while self.stories and (story := next(iter(self.stories.values()))).last_ms < before_ms:
            self._expire(story)
        gone, self._dropped = self._dropped, []
        return gone

    def _hold(self, story: LiveStory, post: IndexedPost) -> None:
        if new := self._keys.add(post.keys, story):
            story.keys += new
        self._own_keys.add(post.own, story)

    def _move_fresh(self, post: IndexedPost, story: LiveStory, into: LiveStory) -> None:
        for bucket in self._fresh:
            for place, (one, terms) in enumerate(zip(bucket.stories, bucket.terms, strict=True)):
                if current(one) is story and set(terms) == set(post.terms):
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
            now = current(story)
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
        self._keys.drop(story.keys, story)
        self._own_keys.drop(story.keys, story)
        self.slugs.difference_update((story.info.slug, *story.slugs))
        self._dropped.append(story.info.id)
        self._drop(story)

    def _drop(self, story: LiveStory) -> None:
        del self.stories[story.info.id], self.numbered[story.number]
        if story.row is not None:
            self._sums[story.row] = 0
            self._free.append(story.row)


def _length_from_subject(square: float, posts: int, to_subject: float, own: float) -> float:
    """Return the length of a sum of vectors, each less the subject's, by the products of the sum and of the subject."""
    return math.sqrt(max(0.0, square - 2 * posts * to_subject + posts * posts * own))


def _remove(numbers: array[int], number: int) -> None:
    del numbers[bisect_left(numbers, number)]
