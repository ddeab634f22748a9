"""Lexicon: words that tell what a story is about and how much hangs on it.

Owns the reading of ``lexicon.toml`` and the search for its terms. Must never know how much they count against other
evidence.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from scoring.assessment import Category

__all__ = ["Finding", "Lexicon"]


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms that speak for a category with ``weight``, and add ``impact`` points each; the file's header says more."""

    category: Category
    weight: float
    impact: float
    terms: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    group: tuple[Group, ...]


class Finding(msgspec.Struct, frozen=True):
    """What a text says: the weight for each category, and points of impact."""

    categories: dict[Category, float]
    impact: float


class Lexicon:
    """Terms, ready to be looked for.

    >>> found = Lexicon.default().read("Bank lays off 2,000 employees")
    >>> max(found.categories, key=found.categories.get), found.impact > 0
    ('labor', True)
    """

    def __init__(self, groups: tuple[Group, ...]) -> None:
        self._terms = [(group, re.compile(_pattern(term), re.IGNORECASE)) for group in groups for term in group.terms]

    @classmethod
    @cache
    def default(cls) -> Lexicon:
        """Return the lexicon of this package."""
        text = files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
        return cls(msgspec.convert(tomllib.loads(text), _File).group)

    def read(self, text: str) -> Finding:
        """Return what the terms found in ``text`` say, each counted once."""
        categories: dict[Category, float] = {}
        impact = 0.0
        for group, pattern in self._terms:
            if pattern.search(text):
                categories[group.category] = categories.get(group.category, 0.0) + group.weight
                impact += group.impact
        return Finding(categories, impact)


def _pattern(term: str) -> str:
    """Return the regular expression of a term, written as the header of the file says."""
    whole = term.endswith("$")
    words = r"\s+".join(re.escape(word) for word in term.removesuffix("$").split())
    return (r"\b" if term[0].isalnum() else "") + words + (r"\b" if whole else "")
