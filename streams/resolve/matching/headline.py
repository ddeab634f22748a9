"""Which of its posts' headlines a story goes by: the one that says best what all of them say.

Owns what is remembered of headlines for that, and when a story is called anew: rarely. Pure: the same headlines in the
same order give the same titles. Must never know how stories are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from streams.resolve.matching.embedding import stem
from streams.resolve.matching.text import words

__all__ = ["Headlines"]

CANDIDATES = 6
"""Headlines that a story may come to go by; a new one takes the place of the worst."""
MAX_STEMS = 64
"""Of the stems that a story's headlines say, so many are counted; what was said once makes room."""
GROWTH = 1.5
"""How much a story grows between two choices: a choice means more when there is more to choose by."""
FIRST_CHOICE = 3
BETTER = 1.2
"""How many times better another headline must be than the one that people know the story by."""
QUESTION = 0.75
"""What a question counts: it asks what others tell."""
MIN_STEMS = 4
"""One that says less is not a headline but an exclamation."""


class _Heard:
    """The headlines of one story. ``title``: what it goes by; ``choose_at``: how many posts make it choose again."""

    __slots__ = ("candidates", "choose_at", "posts", "said", "title")

    def __init__(self, title: str) -> None:
        self.title = title
        self.posts = 0
        self.choose_at = FIRST_CHOICE
        self.said: dict[str, int] = {}
        self.candidates: dict[str, frozenset[str]] = {}


class Headlines:
    """The headlines of all live stories: of most, one; of the others, what takes a few kilobytes at most."""

    def __init__(self, usual: Callable[[str], float]) -> None:
        """``usual``: the share of all posts that say a stem, above 0."""
        self._usual = usual
        self._stories: dict[str, str | _Heard] = {}

    def __len__(self) -> int:
        return len(self._stories)

    def add(self, story: str, title: str) -> str | None:
        """Take in the headline of a new post of ``story``; return what the story is called from now on, if anew.

        The first headline is what it is called at first.
        """
        if story not in self._stories:
            self._stories[story] = title
            return None
        heard = self._heard(story)
        self._take_in(heard, title)
        return self._choose(heard)

    def merge(self, gone: str, into: str) -> None:
        """Make the headlines of ``gone`` those of ``into``, which keeps its title until it next chooses."""
        if gone not in self._stories or into not in self._stories:
            self.drop(gone)
            return
        left, heard = self._heard(gone), self._heard(into)
        del self._stories[gone]
        heard.posts += left.posts
        for one, count in left.said.items():
            heard.said[one] = heard.said.get(one, 0) + count
        self._forget_rare(heard)
        both = {**heard.candidates, **left.candidates}
        best = sorted(both, key=lambda one: (one != heard.title, -self._support(heard, one, both[one]), one))
        heard.candidates = {one: both[one] for one in best[:CANDIDATES]}

    def drop(self, story: str) -> None:
        """Forget the headlines of a story that takes no new posts."""
        self._stories.pop(story, None)

    def _heard(self, story: str) -> _Heard:
        heard = self._stories[story]
        if isinstance(heard, str):
            title = heard
            heard = self._stories[story] = _Heard(title)
            self._take_in(heard, title)
        return heard

    def _take_in(self, heard: _Heard, title: str) -> None:
        heard.posts += 1
        if title in heard.candidates:
            return  # a copy is no further support: whoever posts most would choose
        stems = frozenset(stem(word) for word in words(title))
        for one in sorted(stems):
            heard.said[one] = heard.said.get(one, 0) + 1
        self._forget_rare(heard)
        if len(stems) >= MIN_STEMS or not heard.candidates:
            heard.candidates[title] = stems
        if len(heard.candidates) > CANDIDATES:
            others = (one for one in heard.candidates if one != heard.title)
            del heard.candidates[min(others, key=lambda one: (self._support(heard, one), one))]

    def _choose(self, heard: _Heard) -> str | None:
        if heard.posts < heard.choose_at:
            return None
        heard.choose_at = math.ceil(heard.posts * GROWTH)
        best = max(heard.candidates, key=lambda one: (self._support(heard, one), one))
        if self._support(heard, best) <= BETTER * self._support(heard, heard.title):
            return None
        heard.title = best
        return best

    def _support(self, heard: _Heard, title: str, stems: frozenset[str] | None = None) -> float:
        """Return how well ``title`` says what the story's headlines say: a cosine, rare stems weighing more.

        A headline that says much that no other says is told from one that says little of what all say alike.
        """
        stems = heard.candidates.get(title, frozenset()) if stems is None else stems
        if not stems:
            return 0.0
        weights = {one: -math.log(self._usual(one)) for one in stems}
        said = math.fsum(weight * (heard.said.get(one, 1) - 1) for one, weight in weights.items())
        return (QUESTION if "?" in title else 1.0) * said / math.sqrt(math.fsum(weights.values()))

    def _forget_rare(self, heard: _Heard) -> None:
        if len(heard.said) > MAX_STEMS:
            kept = sorted(heard.said, key=lambda one: (-heard.said[one], one))[:MAX_STEMS]
            heard.said = {one: heard.said[one] for one in kept}
