"""The index of live stories of one beat: which story says what, and how usual words are outside it.

Owns stories and terms, their counts, what ages and what is forgotten. Must never decide where a post belongs.

A *term* is the stem of a word. How usual a term is, is what posts outside a story say; but posts of the last day count
little for that (``quiet``), or a story that has just begun in pieces would make its own words usual.
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
from streams.records.stories import StoryInfo
from streams.resolve.matching.activity import HOUR_MS, Activity
from streams.resolve.matching.embedding import Embedding, Vector, stem
from streams.resolve.matching.features import Features, copy_key, link_key
from streams.resolve.matching.story import Post, Reading, Story, Term

__all__ = ["Index"]

BUCKETS = 4
"""Posts grow old in so many steps."""
REMEMBERED_WEIGHTS = 20_000
MAX_TERMS = 3_000
"""A story that says more than this forgets what was said in it but once."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Posts of about the same age: the story of each, and its terms."""

    number: int
    stories: list[Story]
    terms: list[list[Term]]


class Index:
    """The live stories."""

    def __init__(
        self,
        embedding: Embedding,
        *,
        common: float,
        telling: float,
        quiet: float,
        grown_hours: float,
        reach_hours: float,
        max_stories: int,
    ) -> None:
        """A term says nothing if it is to be expected in ``common`` of all posts, and all it can if in ``telling``.

        Posts count 1 - ``quiet`` for what is usual until they are ``grown_hours`` old. ``reach_hours``: see
        :class:`Activity`. ``max_stories``: past it, the story that has had no new post for longest is forgotten.
        """
        self._embedding = embedding
        self._common, self._span = common, math.log(common / telling)
        self.quiet = quiet
        self.reach_hours = reach_hours
        self._bucket_ms = int(grown_hours * HOUR_MS / BUCKETS)
        self._max_stories = max_stories
        self.posts = 0
        self.fresh = 0
        self.stories: OrderedDict[str, Story] = OrderedDict()  # least recently posted first
        self.numbered: dict[int, Story] = {}
        self.grown = 0
        """Of the stories of one post, those up to this number are not fresh."""
        self.slugs: set[str] = set()
        self._gone: list[str] = []
        self._terms: dict[str, Term] = {}
        self._weights = LookupCache(self._weigh, capacity=REMEMBERED_WEIGHTS)
        self._keys: dict[int, Story] = {}
        self._fresh: deque[_Bucket] = deque()
        self._sums: npt.NDArray[np.float32] = np.zeros((64, embedding.dimensions), np.float32)
        self._free: list[int] = []
        self._asked: tuple[Post | None, Vector] = None, self._sums[0]
        self._rows = self._founded = 0

    def heard(self, term: Term) -> float:
        """Return how many posts say ``term``, of those that count for what is usual."""
        return term.posts - self.quiet * term.fresh

    @property
    def size(self) -> float:
        """How many posts count for what is usual."""
        return self.posts - self.quiet * self.fresh

    def read(self, features: Features) -> Reading:
        """Return what there is to know of the post of these features, whatever else is in the index."""
        said = dict.fromkeys(features.words + features.linked)
        stems = tuple(dict.fromkeys([stem(word) for word in said]))
        links = tuple([link_key(link) for link in features.links])
        return Reading(features, stems, self._embedding.tokens(said), links, copy_key(features.words))

    def post(self, reading: Reading) -> Post:
        """Return the post that was read, its rarest terms first."""
        known, quiet = self._terms, self.quiet
        terms = [known.get(text) or self._term(text) for text in reading.stems]
        rarity = [
            (term.posts - quiet * term.fresh + 1_000 * term.prior, term.stem, term)
            for term in terms
            if term is not None
        ]
        rarity.sort()
        telling = [term for _, _, term in rarity]
        keys = reading.links
        if telling and reading.copy is not None:
            keys = (*keys, reading.copy)
        return Post(telling, sum([term.weight for term in telling]), reading.tokens, keys)

    def by_key(self, keys: Iterable[int]) -> tuple[int, Story] | None:
        """Return the first of ``keys`` that a story has, and the story."""
        for key in keys:
            story = self._keys.get(key)
            if story is not None:
                return key, self.last(story)
        return None

    def last(self, story: Story) -> Story:
        """Return the story that ``story`` became by merges."""
        while story.into is not None:
            story = story.into
        return story

    def cosines(self, stories: list[Story], post: Post) -> npt.NDArray[np.float32]:
        """Return how alike the mean post of each of ``stories`` is to ``post``, -1 to 1."""
        rows = [self._row(story) for story in stories]
        products: npt.NDArray[np.float32] = self._sums[rows] @ self._vector(post)
        lengths = np.array([story.length or 1.0 for story in stories], np.float32)
        alike: npt.NDArray[np.float32] = products / lengths
        return alike

    def cosine(self, one: Story, other: Story) -> float:
        """Return how alike the mean posts of two stories are, -1 to 1."""
        ours, theirs = self._row(one), self._row(other)
        product = float(self._sums[ours] @ self._sums[theirs])
        return product / ((one.length or 1.0) * (other.length or 1.0))

    def found(self, info: StoryInfo, at_ms: int) -> Story:
        """Take in a new story, without posts yet."""
        self._founded += 1
        story = self.stories[info.id] = self.numbered[self._founded] = Story(info, self._founded, at_ms)
        self.slugs.add(info.slug)
        if len(self.stories) > self._max_stories:
            self._forget(next(iter(self.stories.values())))
        return story

    def add(self, story: Story, post: Post, at_ms: int) -> None:
        """Give ``post`` to ``story``."""
        if story.posts or story.terms is not None:
            said, activity = self._open(story)
            for term in post.terms:
                term.posts += 1
                term.fresh += 1
                said[term] = term.stories[story] = said.get(term, 0) + 1
            self._mean(story, self._vector(post))
            activity.add(at_ms, self.reach_hours)
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
        self._share(story)
        if new := tuple([key for key in post.keys if key not in self._keys]):
            self._keys.update(dict.fromkeys(new, story))
            story.keys += new
        story.last_ms = max(story.last_ms, at_ms)
        self.stories.move_to_end(story.info.id)
        if story.terms is not None and len(story.terms) > MAX_TERMS:
            self._prune(story, story.terms)

    def move(self, post: Post, story: Story, into: Story, at_ms: int) -> None:
        """Take ``post`` from ``story``, which says all that it says, and give it to ``into`` at ``at_ms``.

        Outside these two it counts as before.
        """
        said, _ = self._open(story)
        told, activity = self._open(into)
        for term in post.terms:
            if said[term] > 1:
                said[term] = term.stories[story] = said[term] - 1
            else:
                del said[term], term.stories[story]
            told[term] = term.stories[into] = told.get(term, 0) + 1
        vector = self._vector(post)
        for one, sign in ((story, -1), (into, 1)):
            self._mean(one, sign * vector)
            one.posts += sign
            one.strength = max(0.0, one.strength + sign * post.strength)
        self._move_fresh(post, story, into)
        keys = {key for key in post.keys if key in story.keys}
        self._keys.update(dict.fromkeys(keys, into))
        story.keys = tuple([key for key in story.keys if key not in keys])
        into.keys += tuple(keys)
        activity.add(at_ms, self.reach_hours)
        into.last_ms = max(into.last_ms, at_ms)
        self.stories.move_to_end(into.info.id)

    def merge(self, into: Story, gone: Story) -> Story:
        """Make ``gone`` part of ``into``, and return that."""
        said, activity = self._open(into)
        left, left_activity = self._open(gone)
        for term, count in left.items():
            del term.stories[gone]
            term.stories[into] = said[term] = said.get(term, 0) + count
        left.clear()
        into.posts += gone.posts
        into.fresh += gone.fresh
        into.strength += gone.strength
        self._share(into)
        row = self._row(gone)
        self._mean(into, self._sums[row])
        activity.take_in(left_activity, self.reach_hours)
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
        """Let time pass: what was fresh grows old."""
        while self._fresh and (self._fresh[0].number + 1 + BUCKETS) * self._bucket_ms <= at_ms:
            self._grow_old(self._fresh.popleft())

    def forget_before(self, before_ms: int) -> list[str]:
        """Forget the stories without a new post since ``before_ms``; return them, and those there was no room for."""
        while self.stories and (story := next(iter(self.stories.values()))).last_ms < before_ms:
            self._forget(story)
        gone, self._gone = self._gone, []
        return gone

    def _move_fresh(self, post: Post, story: Story, into: Story) -> None:
        for bucket in self._fresh:
            for place, (one, terms) in enumerate(zip(bucket.stories, bucket.terms, strict=True)):
                if self.last(one) is story and set(terms) == set(post.terms):
                    bucket.stories[place] = into
                    story.fresh -= 1
                    into.fresh += 1
                    self._share(story)
                    self._share(into)
                    return
        self._share(story)
        self._share(into)

    def _open(self, story: Story) -> tuple[dict[Term, int], Activity]:
        """Make ready for a second post."""
        if story.terms is None or story.activity is None:
            self._row(story)
            story.terms = dict.fromkeys(story.only, 1)
            story.activity = Activity(story.last_ms, posts=story.posts)
            for term in story.only:
                _remove(term.alone, story.number)
                term.stories[story] = 1
            story.only, story.tokens = [], b""
        return story.terms, story.activity

    def _row(self, story: Story) -> int:
        """Return where the sum of the vectors of its posts is: that of a single post is worked out when it is asked."""
        if story.row is None:
            row = story.row = self._free.pop() if self._free else self._rows
            if row == self._rows:
                self._rows += 1
                if row == len(self._sums):
                    self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            if story.tokens:
                self._mean(story, self._embedding.vector(story.tokens))
        return story.row

    def _vector(self, post: Post) -> Vector:
        """Return what ``post`` means: it is asked for when stories are held against it, and when it joins one."""
        if self._asked[0] is not post:
            self._asked = post, self._embedding.vector(post.tokens)
        return self._asked[1]

    def _mean(self, story: Story, vector: Vector) -> None:
        row = self._row(story)
        total = self._sums[row]
        total += vector
        story.length = float(np.sqrt(total @ total))

    def _grow_old(self, bucket: _Bucket) -> None:
        self.fresh -= len(bucket.stories)
        for story, terms in zip(bucket.stories, bucket.terms, strict=True):
            for term in terms:
                term.fresh -= 1
                if not term.fresh and not term.posts:
                    del self._terms[term.stem]
            now = self.last(story)
            if now.terms is None:
                self.grown = now.number
            now.fresh -= 1
            self._share(now)

    def _share(self, story: Story) -> None:
        story.share = 1 - self.quiet * story.fresh / max(1, story.posts)

    def _bucket(self, at_ms: int) -> _Bucket:
        number = at_ms // self._bucket_ms
        if not self._fresh or self._fresh[-1].number < number:
            self._fresh.append(_Bucket(number, [], []))
        return self._fresh[-1]

    def _term(self, text: str) -> Term | None:
        """Return a term that is new; None if it says nothing: no story has it, so it would never be forgotten."""
        prior, weight = self._weights[text]
        if weight == 0:
            return None
        term = self._terms[text] = Term(text, prior, weight)
        return term

    def _weigh(self, text: str) -> tuple[float, float]:
        """Return how usual a word is in all language, and what it says by that, 0 to 1."""
        prior = self._embedding.usual(text)
        return prior, min(1.0, max(0.0, math.log(self._common / prior) / self._span))

    def _prune(self, story: Story, said: dict[Term, int]) -> None:
        for term in [term for term, count in said.items() if count == 1]:
            del said[term], term.stories[story]
            story.strength -= term.weight
            self._unsay(term, 1)

    def _unsay(self, term: Term, count: int) -> None:
        term.posts -= count
        if not term.posts and not term.fresh:
            del self._terms[term.stem]

    def _forget(self, story: Story) -> None:
        for term, count in story.said().items():
            if story.terms is None:
                _remove(term.alone, story.number)
            else:
                del term.stories[story]
            self._unsay(term, count)
        self.posts -= story.posts
        for key in story.keys:
            del self._keys[key]
        self.slugs.difference_update((story.info.slug, *story.slugs))
        self._gone.append(story.info.id)
        self._drop(story)

    def _drop(self, story: Story) -> None:
        del self.stories[story.info.id], self.numbered[story.number]
        if story.row is not None:
            self._sums[story.row] = 0
            self._free.append(story.row)


def _remove(numbers: array[int], number: int) -> None:
    del numbers[bisect_left(numbers, number)]
