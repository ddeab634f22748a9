"""Context: whether a name that is found in a text is meant there.

Owns what speaks for and against a name: its letter case, the words next to it, and the words near by. Must never know
which figures there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from scoring.figures.letter_case import Line
from scoring.figures.registry import Figure, Lists, expanded
from scoring.figures.whole_words import Match, WholeWords

NEAR_CHARS = 150
"""How far from a name a word still belongs to its context: about two lines."""

MAX_WORD = 40
"""Characters of the longest word that counts next to a name."""

_BEFORE = re.compile(r"(?:(?<!\w)([^\W\d_][\w']*) )?((?:(?<!\w)[^\W\d_]\. ?)*)$")
"""A word and initials. Between them and the name there is one space and no punctuation."""
_AFTER = re.compile(rf" ([^\W\d_]\w{{0,{MAX_WORD}}})")
_CERTAIN = 1_000
"""Outweighs all hints that are near a name."""


class Name(NamedTuple):
    """One name of a figure, as it is written, with spaces for hyphens.

    ``cased``: it counts only as written. ``alone``: it is one word of a person's name. ``certain``: it never means
    anything else.
    """

    figure: str
    written: str
    cased: bool
    needs_hint: bool
    alone: bool
    certain: bool


class Text(NamedTuple):
    """A text: as it is, with a space for each hyphen, and that in lower case, all of one length."""

    raw: str
    spaced: str
    lower: str


class _Rules(NamedTuple):
    """What the registry says of a figure. ``phrases``: the numbers of all its ``hints``, ``unless`` and ``not_in``.

    ``first_names``: a person's own.
    """

    phrases: frozenset[int]
    hints: frozenset[int]
    unless: frozenset[int]
    not_in: frozenset[int]
    person: bool
    first_names: frozenset[str]


class Context:
    """The words that speak for and against figures.

    >>> context = Context({"a": Figure(id="a", name="Acme", tier="C", hints=("share",))}, {})
    >>> name = Name("a", "Acme", cased=False, needs_hint=True, alone=False, certain=False)
    >>> at = Match(0, 0, 4, plural=False)
    >>> [context.is_meant(name, at, Text(text, text, text.lower())) for text in ("Acme shares", "Acme is reached")]
    [True, False]
    """

    def __init__(self, figures: Mapping[str, Figure], words: Lists) -> None:
        phrases: dict[str, int] = {}

        def numbers(listed: tuple[str, ...], names: frozenset[str] = frozenset()) -> frozenset[int]:
            return frozenset(phrases.setdefault(p, len(phrases)) for p in expanded(listed, words) if p not in names)

        def rules(figure: Figure) -> _Rules:
            names = frozenset(name.lower() for name in (*figure.any_case(), *figure.as_written()))
            hints = numbers(figure.hints, names)  # a name does not speak for itself
            unless, not_in = numbers(figure.unless), numbers(figure.not_in)
            first_names = figure.own_first_names()
            return _Rules(hints | unless | not_in, hints, unless, not_in, figure.person, first_names)

        self._rules = {id_: rules(figure) for id_, figure in figures.items()}
        self._phrases = WholeWords(phrases, fast=False)
        self._first_names = frozenset(words.get("first_names", ()))
        self._titles = frozenset(words.get("titles", ()))
        self._articles = frozenset(words.get("articles", ()))
        self._compounds = frozenset(words.get("compounds", ()))

    def is_meant(self, name: Name, at: Match, text: Text) -> bool:
        """Return whether ``name``, found ``at`` a place of ``text``, is meant there."""
        rules = self._rules[name.figure]
        begin = max(0, at.start - NEAR_CHARS)
        near = self._phrases.find(text.lower[begin : at.stop + NEAR_CHARS], rules.phrases)
        first, stop = at.start - begin, at.stop - begin
        if any(match.phrase in rules.not_in and match.start <= first and match.stop >= stop for match in near):
            return False
        line = Line(text.spaced, at.start, at.stop)
        hinting = [match for match in near if match.phrase in rules.hints]
        hints = len({match.phrase for match in hinting})
        against = len({match.phrase for match in near} & rules.unless)
        is_hint_after = any(match.start <= stop + 1 < match.stop for match in hinting)
        if rules.person:
            is_hint_before = any(match.start < first - 1 <= match.stop for match in hinting)
            against += self._is_of_another(rules.first_names, is_hint_before or not name.alone, at, text, line)
            if not is_hint_after:
                after = _AFTER.match(text.spaced, at.stop)
                against += after is not None and line.is_sentence and self._is_name(after[1])
        elif name.cased or name.needs_hint:
            if not is_hint_after:
                against += 2 * self._is_compound(at, text)
            hints += self._is_told_by_capital(at, text, line)
        return hints > against if _needs_hint(name, at, text, line) else hints >= against

    def _is_of_another(self, own: frozenset[str], other: bool, at: Match, text: Text, line: Line) -> int:
        """Return how much the word before a person's name tells that somebody else is meant.

        ``other``: the word cannot be another name of the person, unless it is known as a first name.
        """
        before = _BEFORE.search(text.spaced[max(0, at.start - MAX_WORD) : at.start])
        if before is None or (before[1] or "").lower() in own:
            return 0
        word, initials = (before[1] or "").lower(), before[2].lower()
        if word in self._first_names or (initials and initials[0] not in {name[0] for name in own}):
            return _CERTAIN
        if not word or other or line.begins_sentence(at.start - len(before[0])):
            return 0
        return line.is_sentence and self._is_name(before[1])

    def _is_name(self, word: str) -> bool:
        """Return whether ``word``, next to a name and in a sentence, is another name of the same person."""
        return word.istitle() and word.lower() not in self._titles

    def _is_compound(self, at: Match, text: Text) -> bool:
        """Return whether the name is the first half of another word, as in "Meta-analysis"."""
        after = _AFTER.match(text.lower, at.stop)
        return after is not None and text.raw[at.stop] != " " and after[1] not in self._compounds

    def _is_told_by_capital(self, at: Match, text: Text, line: Line) -> bool:
        """Return whether only the capital letter of a name is left to explain by its being one."""
        shown = text.spaced[at.start : at.end]
        if shown.isupper() or not shown[0].isupper() or line.begins_sentence(at.start) or not line.is_sentence:
            return False
        before = _BEFORE.search(text.lower[max(0, at.start - MAX_WORD) : at.start])
        return before is None or before[1] not in self._articles


def _needs_hint(name: Name, at: Match, text: Text, line: Line) -> bool:
    """Return whether ``name`` needs a hint: always, or in this letter case."""
    if name.needs_hint or not name.cased:
        return name.needs_hint
    shown = text.spaced[at.start : at.end]
    if at.plural or not (shown.islower() or shown.isupper()):
        return at.plural
    return shown.islower() or (shown == name.written) == line.is_all_capitals
