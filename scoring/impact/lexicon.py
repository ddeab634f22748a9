"""Lexicon: words that show what a story is about and how large its consequences are.

Owns the reading of ``lexicon.toml`` and the search for its terms. Must never know how they are weighed with other
evidence.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation

from scoring.assessment import Category


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms that count for a category with ``weight`` and add ``impact`` points each; see the file's header."""

    category: Category
    weight: float
    impact: float
    terms: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """What is found in a text: the weight of each category, and points of impact."""

    categories: dict[Category, float]
    impact: float


NOTHING = Finding({}, 0.0)


class Lexicon:
    """Terms, found in a text in one pass (Aho & Corasick, CACM 18, 1975).

    >>> found = Lexicon.default().read("Bank lays off 2,000 employees")
    >>> max(found.categories, key=found.categories.get), found.impact > 0
    ('labor', True)
    """

    def __init__(self, groups: tuple[Group, ...]) -> None:
        self._terms = [(group, term) for group in groups for term in group.terms]
        self._automaton = AhoCorasick([_words(term) for _, term in self._terms], implementation=Implementation.DFA)

    @classmethod
    @cache
    def default(cls) -> Lexicon:
        """Return the lexicon of this package."""
        text = files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
        return cls(msgspec.convert(tomllib.loads(text), dict[str, tuple[Group, ...]])["group"])

    def read(self, text: str) -> Finding:
        """Return the findings in ``text``; each term counts once."""
        spaced = " ".join(text.lower().split())
        matches = self._automaton.find_matches_as_indexes(spaced, overlapping=True)
        if not matches:
            return NOTHING
        categories: dict[Category, float] = {}
        impact = 0.0
        for index in sorted({index for index, start, end in matches if self._fits(index, spaced, start, end)}):
            group = self._terms[index][0]
            categories[group.category] = categories.get(group.category, 0.0) + group.weight
            impact += group.impact
        return Finding(categories, impact)

    def _fits(self, index: int, text: str, start: int, end: int) -> bool:
        """Return whether the term begins a word there and, where it must, ends one."""
        term = self._terms[index][1]
        begins = not term[0].isalnum() or start == 0 or not _is_letter(text[start - 1])
        return begins and not (term.endswith("$") and end < len(text) and _is_letter(text[end]))


def _words(term: str) -> str:
    return " ".join(term.removesuffix("$").lower().split())


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"
