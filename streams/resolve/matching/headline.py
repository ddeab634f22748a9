"""The title of a story: of its posts' headlines, the one that best covers what all of them say.

Owns what is remembered of headlines for that choice, and when a story changes its title, which is rare. Pure: the same
headlines in the same order give the same titles. Must never know how stories are matched.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from streams.resolve.matching.embedding import stem
from streams.resolve.matching.text import words

CANDIDATES = 6
"""Headlines that may become the title; a new one replaces the worst."""
MAX_STEMS = 64
"""Stems counted for a story; the rarest make room for new ones."""
GROWTH = 1.5
"""Growth of a story between two choices of its title. Later choices rest on more posts, so they are rarer."""
FIRST_CHOICE = 3
"""Posts at which the title is chosen first: two cannot outvote each other."""
BETTER = 1.2
"""How many times better another headline must be than the title that readers know."""
QUESTION = 0.75
"""The weight of a question: it asks what other headlines state."""
MAX_THREADS = 16
"""Threads remembered of a headline. One that more posts have stays, even if these are taken back."""
TAKEN_BACK = "(taken back)"
"""The title of a story whose every remembered headline was taken back."""
MIN_STEMS = 4
"""A headline with fewer stems is an exclamation, and never becomes the title."""


@dataclass(slots=True)
class _Headline:
    """A headline that may become the title: its stems, how many threads have it, and the first of them."""

    stems: frozenset[str]
    threads: tuple[str, ...]
    count: int = 1

    def add(self, threads: tuple[str, ...], count: int) -> None:
        """Take in ``count`` more threads that have it."""
        self.threads = (*self.threads, *threads)[:MAX_THREADS]
        self.count += count


@dataclass(slots=True)
class _TitleChoice:
    """The headlines of one story. ``title``: the current one; ``choose_at``: the number of posts at the next choice."""

    title: str
    posts: int = 0
    choose_at: int = FIRST_CHOICE
    stems: dict[str, int] = field(default_factory=dict)
    candidates: dict[str, _Headline] = field(default_factory=dict)


class Headlines:
    """The headlines of all live stories: one of most; for each of the others a few kilobytes at most."""

    def __init__(self, usual: Callable[[str], float]) -> None:
        """``usual`` returns the share of all posts with a stem, above 0."""
        self._usual = usual
        self._stories: dict[str, tuple[str, str] | _TitleChoice] = {}
        """By story: its only headline and the thread that has it, or the choice among several."""

    def __len__(self) -> int:
        return len(self._stories)

    def add(self, story: str, title: str, thread: str) -> str | None:
        """Add the headline of a new ``thread`` of ``story``; return the new title if it changes.

        The first headline is the title. An empty one, of a post that was taken back, only counts the post.
        """
        if story not in self._stories:
            self._stories[story] = title, thread
            return None
        choice = self._choice_of(story)
        self._add_headline(choice, title, thread)
        return self._choose(choice)

    def withdraw(self, story: str, thread: str) -> str | None:
        """Take away the headline of ``thread``; return the new title if it changes.

        A headline that other threads have too stays.
        """
        if story not in self._stories:
            return None
        choice = self._choice_of(story)
        said = next((one for one, headline in choice.candidates.items() if thread in headline.threads), None)
        if said is None:
            return None
        headline = choice.candidates[said]
        headline.threads = tuple(one for one in headline.threads if one != thread)
        headline.count -= 1
        if headline.count:
            return None
        del choice.candidates[said]
        if said != choice.title:
            return None
        choice.title = max(choice.candidates, key=lambda one: (self._support(choice, one), one), default=TAKEN_BACK)
        return choice.title

    def merge(self, gone: str, into: str) -> None:
        """Give the headlines of ``gone`` to ``into``, which keeps its title until its next choice."""
        if gone not in self._stories or into not in self._stories:
            self.drop(gone)
            return
        left, choice = self._choice_of(gone), self._choice_of(into)
        del self._stories[gone]
        choice.posts += left.posts
        for one, count in left.stems.items():
            choice.stems[one] = choice.stems.get(one, 0) + count
        self._drop_rare(choice)
        for title, headline in left.candidates.items():
            if title in choice.candidates:
                choice.candidates[title].add(headline.threads, headline.count)
            else:
                choice.candidates[title] = headline
        best = sorted(choice.candidates, key=lambda one: (one != choice.title, -self._support(choice, one), one))
        choice.candidates = {one: choice.candidates[one] for one in best[:CANDIDATES]}

    def drop(self, story: str) -> None:
        """Drop the headlines of a story that takes no new posts."""
        self._stories.pop(story, None)

    def _choice_of(self, story: str) -> _TitleChoice:
        choice = self._stories[story]
        if isinstance(choice, tuple):
            title, thread = choice
            choice = self._stories[story] = _TitleChoice(title)
            self._add_headline(choice, title, thread)
        return choice

    def _add_headline(self, choice: _TitleChoice, title: str, thread: str) -> None:
        choice.posts += 1
        if not title:
            return
        if title in choice.candidates:
            choice.candidates[title].add((thread,), 1)
            return  # copies add no support; otherwise the most active poster would choose
        stems = frozenset(stem(word) for word in words(title))
        for one in sorted(stems):
            choice.stems[one] = choice.stems.get(one, 0) + 1
        self._drop_rare(choice)
        if len(stems) >= MIN_STEMS or not choice.candidates:
            choice.candidates[title] = _Headline(stems, (thread,))
        if len(choice.candidates) > CANDIDATES:
            others = (one for one in choice.candidates if one != choice.title)
            del choice.candidates[min(others, key=lambda one: (self._support(choice, one), one))]

    def _choose(self, choice: _TitleChoice) -> str | None:
        if choice.posts < choice.choose_at:
            return None
        choice.choose_at = math.ceil(choice.posts * GROWTH)
        best = max(choice.candidates, key=lambda one: (self._support(choice, one), one), default=choice.title)
        if self._support(choice, best) <= BETTER * self._support(choice, choice.title):
            return None
        choice.title = best
        return best

    def _support(self, choice: _TitleChoice, title: str) -> float:
        """Return how well ``title`` covers the story's headlines: a cosine in which rare stems weigh more.

        So a headline loses both by saying what no other says, and by saying little of what all say.
        """
        headline = choice.candidates.get(title)
        if headline is None or not headline.stems:
            return 0.0
        weights = {one: -math.log(self._usual(one)) for one in headline.stems}
        said = math.fsum(weight * (choice.stems.get(one, 1) - 1) for one, weight in weights.items())
        return (QUESTION if "?" in title else 1.0) * said / math.sqrt(math.fsum(weights.values()))

    def _drop_rare(self, choice: _TitleChoice) -> None:
        if len(choice.stems) > MAX_STEMS:
            kept = sorted(choice.stems, key=lambda one: (-choice.stems[one], one))[:MAX_STEMS]
            choice.stems = {one: choice.stems[one] for one in kept}
