"""The similarity of a post to a story, or of two stories: the evidence that they belong together, summed.

Owns the measure. Reads the index and changes nothing in it. Must never know what the result is used for.

A post of a story has each of its terms either because of the story, or as any post might; both are equally likely.
So a term that the story has x times as often as other posts counts log((1 + x) / 2). The other posts include those of
a story yet to begin, which may have any term (``any_story``). Without that, a large story would attract each new one
that is a little like it. Terms are not independent, so the sum grows only with the root of a post's length, and each
term is limited. Words that the post's author or community use anyway are usual for it. Three things add to the sum: a
link in both texts, a sudden term in both, and the cosine of the post and the story's mean post. A story counts less if
it has faded, is young, or consists of papers: a single post does not show its subject, and a paper is its own work.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from heapq import nlargest, nsmallest
from typing import NamedTuple

from scoring.settings import HOUR_MS
from streams.resolve.matching.config import EvidenceWeights
from streams.resolve.matching.index import StoryIndex
from streams.resolve.matching.sources import EVERYBODY, Usual
from streams.resolve.matching.story import IndexedPost, LiveStory, Term

LOG_2 = math.log(2)
MAX_WALK = 40
"""Bounds the stories that become candidates through a post's terms, rarest first. Later terms only add evidence."""
MAX_WEIGHED = 12
"""Bounds the candidates whose cosine is computed; the best is almost always among the first three."""
BISECTED = 12
"""The ratio of set sizes from which a binary search for each number is faster than an intersection."""


class Near(NamedTuple):
    """A story near a post. ``by_link``: the part of the similarity that is due to links in the texts of both."""

    similarity: float
    story: LiveStory
    by_link: float = 0.0


class Similarity:
    """The evidence for belonging together, from none (below 0) to overwhelming (above 20)."""

    def __init__(self, index: StoryIndex, weights: EvidenceWeights) -> None:
        self._index = index
        self._weights = weights

    def nearest(self, post: IndexedPost, at_ms: int, least: float) -> list[Near]:
        """Return the stories with a similarity of at least ``least`` to a post at ``at_ms``, the most similar first."""
        weights, index = self._weights, self._index
        length = self._length(post.strength)
        young = weights.young / length
        absent = LOG_2 * post.strength
        most = weights.max_by_meaning + weights.burst * weights.max_burst
        candidates = self._candidates(post, at_ms, young, (least - most) / length + absent)
        links = {story: keys for story, keys in index.linked(post).items() if post.series not in story.series}
        for story in links:
            if story not in candidates:
                candidates[story] = self._words(post, story, at_ms) - young / math.sqrt(story.posts)
        bursts = {term: weights.burst * burst for term in post.terms if (burst := self._telling_burst(term))}
        likely = []
        for story, words in candidates.items():
            by_link = weights.link * math.sqrt(min(1.0, len(links.get(story, ())) / max(1, post.links_in_text)))
            score = length * (words - absent) + by_link
            score -= self._past(story, at_ms) + self._by_source(post.author, post.work, story)
            if score + most >= least:
                said, posts = story.said(), story.posts
                score += max(
                    [by * math.sqrt(said[term] / posts) for term, by in bursts.items() if term in said] or [0.0]
                )
                if score + weights.max_by_meaning >= least:
                    likely.append(Near(score, story, by_link))
        if not likely:
            return []
        cosines = index.cosines([near.story for near in likely], post)
        found = [
            Near(score, near.story, near.by_link)
            for near, cosine in zip(likely, cosines, strict=True)
            if (score := near.similarity + self._meaning(cosine)) >= least
        ]
        found.sort(key=lambda near: (-near.similarity, near.story.number))
        return found

    def shared(self, post: IndexedPost, story: LiveStory, at_ms: int, most: int) -> list[str]:
        """Return the stems that tell most that ``post`` at ``at_ms`` belongs to ``story``: at most ``most``."""
        usual = self._index.sources.usual(post.author, post.community, post.terms, at_ms, (story,))
        said = story.said()
        told = [(-self._term(term, said[term], story, usual), term.stem) for term in post.terms if term in said]
        return [stem for evidence, stem in nsmallest(most, told) if evidence < 0]

    def most_alike(self, story: LiveStory, most: int) -> list[LiveStory]:
        """Return the stories that share the most frequent terms of ``story``."""
        top = nlargest(24, story.said().items(), key=lambda item: (item[1], item[0].stem))
        by_one, by_more = self._evidence(self._rarest_first(term for term, _ in top), 0.0, EVERYBODY)
        by_more.pop(story, None)
        near = [(-words, number) for number, words in by_one.items()]
        near += [(-words, other.number) for other, words in by_more.items()]
        return [self._index.numbered[number] for _, number in nsmallest(most, near)]

    def larger(self, story: LiveStory, least: float, lead: float, most: int) -> list[tuple[float, LiveStory]]:
        """Return larger stories that share terms of ``story``, each with the similarity to it, the most similar first.

        Only those that may reach ``least``. A similarity below ``least - lead`` may be reported too high.
        """
        terms = story.only if story.terms is None else self._rarest_first(story.terms)
        strength = story.strength / story.posts
        length = self._length(strength)
        enough = (least - self._weights.max_by_meaning) / length + LOG_2 * strength
        said = self._evidence(terms, self._weights.young / length, EVERYBODY, of_one=False)[1].items()
        larger = [(-words, to.number, to) for to, words in said if words >= enough and to.posts > story.posts]
        near = [(self.between_stories(story, to, least - lead), to) for _, _, to in nsmallest(most, larger)]
        near.sort(key=lambda item: (-item[0], item[1].number))
        return near

    def between_stories(self, few: LiveStory, many: LiveStory, least: float) -> float:
        """Return the mean similarity of the posts of ``few`` to ``many``; below ``least``, an upper bound of it."""
        weights, index = self._weights, self._index
        size = max(0.0, index.size - few.share * few.posts - many.share * many.posts) + weights.expected_posts
        ours, theirs = few.said(), many.said()
        common = [t for t in ours if t in theirs] if len(ours) <= len(theirs) else [t for t in theirs if t in ours]
        author, community = few.main_source()
        at_ms = max(few.last_ms, many.last_ms)
        source = index.sources.usual(author, community, common, at_ms, (few, many))
        said = burst = shared = 0.0
        for term in common:
            count, has = ours[term], theirs[term]
            elsewhere = index.background_count(term) - few.share * count - many.share * has
            said += count * self._by_term(
                term, (has - weights.discount) / (many.posts + weights.doubt), elsewhere, size, source
            )
            burst += count * self._telling_burst(term)
            shared += count
        words, strength = said / few.posts, few.strength / few.posts
        gap_ms = max(0, few.first_ms - many.last_ms, many.first_ms - few.last_ms)
        past = self._silence(gap_ms) + weights.young / math.sqrt(many.posts)
        past += self._by_source(author, few.works / few.posts, many, few.posts)
        if few.first_ms > many.first_ms and few.last_ms >= many.last_ms:
            past += weights.fading * many.faded(few.last_ms, index.decay_hours)
        similarity = (
            self._length(strength) * (words - LOG_2 * strength) + weights.burst * burst / (shared or 1.0) - past
        )
        if similarity + weights.max_by_meaning < least:
            return similarity + weights.max_by_meaning
        cosine = index.cosine(few, many) * min(1.0, few.length / few.posts)
        return similarity + self._meaning(cosine)

    def _candidates(self, post: IndexedPost, at_ms: int, young: float, enough: float) -> dict[LiveStory, float]:
        """Return the most likely stories of ``post`` by its words, with the evidence of these, at least ``enough``."""
        index = self._index
        usual = index.sources.usual(post.author, post.community, post.terms, at_ms)
        by_one, by_more = self._evidence(post.terms, young, usual)
        likely = [(words, index.numbered[number]) for number, words in by_one.items() if words >= enough]
        likely += [(words, story) for story, words in by_more.items() if words >= enough]
        own = index.sources.stories_of(post.author)
        if own:  # of these, the author's own posts are no usage
            likely = [(words, story) for words, story in likely if story not in own]
            again = [story for story in own if story.number in by_one or story in by_more]
            own_words = [(self._words(post, story, at_ms) - young / math.sqrt(story.posts), story) for story in again]
            likely += [(words, story) for words, story in own_words if words >= enough]
        if post.series is not None:  # the items of a series are not one story
            likely = [(words, story) for words, story in likely if post.series not in story.series]
        likely.sort(key=lambda item: (-item[0], item[1].number))
        return {story: words for words, story in likely[:MAX_WEIGHED]}

    def _words(self, post: IndexedPost, story: LiveStory, at_ms: int) -> float:
        """Return the evidence of the words of ``post`` for ``story``, given what its author says outside of that."""
        said = story.said()
        shared = [term for term in post.terms if term in said]
        usual = self._index.sources.usual(post.author, post.community, shared, at_ms, (story,))
        return sum(self._term(term, said[term], story, usual) for term in shared)

    def _term(self, term: Term, count: int, story: LiveStory, source: Usual) -> float:
        """Return the evidence of ``term``, which ``count`` posts of ``story`` have, in a post of ``source``."""
        weights, index = self._weights, self._index
        size = max(0.0, index.size - story.share * story.posts) + weights.expected_posts
        rate = (count - weights.discount) / (story.posts + weights.doubt)
        return self._by_term(term, rate, index.background_count(term) - story.share * count, size, source)

    def _by_term(self, term: Term, rate: float, elsewhere: float, size: float, source: Usual) -> float:
        """Return the evidence of ``term`` at a ``rate`` in a story, and in ``elsewhere`` of ``size`` other posts."""
        weights = self._weights
        usual = source.general * (max(0.0, elsewhere) + weights.expected_posts * term.prior) / size
        usual += source.shares.get(term.stem, 0.0) + weights.any_story
        return term.weight * min(weights.max_by_term, math.log1p(rate / usual))

    def _evidence(
        self, terms: list[Term], young: float, source: Usual, *, of_one: bool = True
    ) -> tuple[dict[int, float], dict[LiveStory, float]]:
        """Return the evidence of ``terms``, rarest first, for each story that has them, less its penalty for youth.

        The first result is for stories of one post, by number: most are such, and a term counts the same for all that
        are equally fresh. The second is for the others. Without ``of_one``, the first stays empty.
        """
        weights, index, log1p = self._weights, self._index, math.log1p
        discount, doubt, most = weights.discount, weights.doubt, weights.max_by_term
        expected, any_story = weights.expected_posts, weights.any_story
        all_posts, fresh_discount, grown = index.size, index.fresh_discount, index.grown
        size, share_of_fresh, rate_of_one = all_posts + expected, 1 - fresh_discount, (1 - discount) / (1 + doubt)
        general, own = source.general, source.shares
        by_one: dict[int, float] = {}
        by_more: dict[LiveStory, float] = {}
        walked = 0
        for term in terms:
            alone, stories = term.alone, term.stories
            if not alone and not stories:
                continue
            is_walked = not walked or walked + len(alone) + len(stories) <= MAX_WALK
            walked += len(alone) + len(stories)
            if not (of_one or stories) or not (is_walked or by_one or by_more):
                continue
            heard, prior, weight = term.posts - fresh_discount * term.fresh, expected * term.prior, term.weight
            more = own.get(term.stem, 0.0) + any_story if own else any_story
            if alone and of_one:
                old = fresh = 0.0
                if alone[0] <= grown:
                    usual = ((heard - 1 if heard > 1 else 0.0) + prior) / (size - 1)
                    old = weight * min(most, log1p(rate_of_one / (general * usual + more)))
                if alone[-1] > grown:
                    usual = ((heard - share_of_fresh if heard > share_of_fresh else 0.0) + prior) / (
                        size - share_of_fresh
                    )
                    fresh = weight * min(most, log1p(rate_of_one / (general * usual + more)))
                for number in alone if is_walked else _among(by_one, alone):
                    by_one[number] = by_one.get(number, -young) + (fresh if number > grown else old)
            for story, count in stories.items() if is_walked else [(s, stories[s]) for s in by_more if s in stories]:
                posts, share = story.posts, story.share
                usual, others = heard - share * count, all_posts - share * posts
                usual = ((usual if usual > 0 else 0.0) + prior) / ((others if others > 0 else 0.0) + expected)
                evidence = log1p((count - discount) / (posts + doubt) / (general * usual + more))
                before = by_more[story] if story in by_more else -young / math.sqrt(posts)
                by_more[story] = before + weight * min(most, evidence)
        return by_one, by_more

    def _rarest_first(self, terms: Iterable[Term]) -> list[Term]:
        return sorted(terms, key=lambda term: (self._index.background_count(term) + 1_000 * term.prior, term.stem))

    def _by_source(self, author: str, works: float, story: LiveStory, posts: int = 1) -> float:
        """Return what counts against ``posts`` by ``author``, ``works`` of them papers, in ``story``: the sources."""
        weights = self._weights
        against = weights.work * (works + story.works / story.posts)
        if by_author := story.sources.get(author, 0):
            repeated = weights.repeated * math.log(max(1, by_author + posts - 1))
            against += by_author / story.posts * (repeated - weights.same_author)
        return against

    def _telling_burst(self, term: Term) -> float:
        """Return the logarithm of how much more often than usual ``term`` came in the last day; less if it is usual."""
        weights, index = self._weights, self._index
        if not term.fresh:
            return 0.0
        before = max(0, term.posts - term.fresh) + weights.expected_posts * term.prior
        usual = before / (max(0, index.posts - index.fresh) + weights.expected_posts)
        burst = math.log((term.fresh + 1) / (usual * index.fresh + 1))
        if burst <= 0:
            return 0.0
        share = (max(0.0, index.background_count(term)) + weights.expected_posts * term.prior) / (
            index.size + weights.expected_posts
        )
        telling = -term.weight * math.log(share + weights.any_story) / weights.telling
        return min(weights.max_burst, burst) * min(1.0, telling)

    def _length(self, strength: float) -> float:
        return math.sqrt(self._weights.words / max(self._weights.least_words, strength))

    def _meaning(self, cosine: float) -> float:
        return min(self._weights.max_by_meaning, self._weights.meaning * (cosine - self._weights.usual_cosine))

    def _past(self, story: LiveStory, at_ms: int) -> float:
        faded = self._weights.fading * story.faded(at_ms, self._index.decay_hours)
        return faded + self._silence(max(0, at_ms - story.last_ms))

    def _silence(self, gap_ms: int) -> float:
        return self._weights.silence * math.log1p(gap_ms / (self._weights.silence_hours * HOUR_MS))


def _among(numbers: dict[int, float], sorted_numbers: array[int]) -> Iterable[int]:
    """Return which of ``numbers`` are among ``sorted_numbers``, which may be many."""
    if len(sorted_numbers) < BISECTED * len(numbers):
        return numbers.keys() & sorted_numbers
    places = [(number, bisect_left(sorted_numbers, number)) for number in numbers]
    return [number for number, at in places if at < len(sorted_numbers) and sorted_numbers[at] == number]
