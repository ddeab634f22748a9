"""Lexicon: words that show what a headline is about.

Owns the reading of ``lexicon.toml`` and the search for its terms. Must never know what they say about a story: that is
learnt (:mod:`scoring.impact.assessor`).
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from ahocorasick_rs import AhoCorasick, Implementation

MAX_TERMS = 3
"""Terms of one group that count in one headline: a longer list says nothing more."""


class Lexicon:
    """Groups of terms, found in a text in one pass (Aho & Corasick, CACM 18, 1975).

    >>> lexicon = Lexicon.default()
    >>> found = dict(zip(lexicon.groups, lexicon.read("Bank lays off 2,000 employees"), strict=True))
    >>> found["dismissal"], found["war"]
    (1.0, 0.0)
    """

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        """``groups``: the terms of each group; see the header of ``lexicon.toml``."""
        self.groups = tuple(groups)
        self._terms = [(place, term) for place, terms in enumerate(groups.values()) for term in terms]
        self._automaton = AhoCorasick([_words(term) for _, term in self._terms], implementation=Implementation.DFA)

    @classmethod
    @cache
    def default(cls) -> Lexicon:
        """Return the lexicon of this package."""
        text = files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
        return cls({group: terms for theme in tomllib.loads(text).values() for group, terms in theme.items()})

    def read(self, text: str) -> list[float]:
        """Return, for each group, the root of how many of its terms are in ``text``; each term counts once."""
        spaced = " ".join(text.lower().replace("\u2019", "'").split())
        found = [0.0] * len(self.groups)
        matches = self._automaton.find_matches_as_indexes(spaced, overlapping=True)
        terms = {index for index, start, end in matches if self._fits(index, spaced, start, end)}
        for place, count in Counter(self._terms[index][0] for index in terms).items():
            found[place] = math.sqrt(min(count, MAX_TERMS))
        return found

    def _fits(self, index: int, text: str, start: int, end: int) -> bool:
        """Return whether the term begins a word there and, where it must, ends one."""
        term = self._terms[index][1]
        begins = not term[0].isalnum() or start == 0 or not _is_letter(text[start - 1])
        return begins and not (term.endswith("$") and end < len(text) and _is_letter(text[end]))


def _words(term: str) -> str:
    return " ".join(term.removesuffix("$").lower().split())


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"
