"""Whole words: where names and other phrases stand in a text, in one pass.

Owns what a whole word is, in any script, and which spellings are the same. Must never know what a phrase stands for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Soft hyphens and characters without a width: readers do not see them in a name."""
_FIRST_IDEOGRAPH = "\u2e80"
"""Scripts from here on have no spaces between words, so their letters and Latin ones do not continue each other."""


class Match(NamedTuple):
    """A phrase found. ``end``: before the "s" of a ``plural``, or of a genitive in German."""

    phrase: int
    start: int
    end: int
    plural: bool

    @property
    def stop(self) -> int:
        """The end, with the "s"."""
        return self.end + self.plural


def compatible(text: str, max_chars: int) -> str:
    """Return ``text`` without compatibility forms (NFKC) and invisible characters, of at most ``max_chars``.

    >>> compatible("Ｅｌｏｎ M\u200busk", 99)
    'Elon Musk'
    """
    text = text[:max_chars]
    if text.isascii():
        return text
    for char in _INVISIBLE:
        text = text.replace(char, "")
    return unicodedata.normalize("NFKC", text)[:max_chars]


def spaced(text: str) -> str:
    """Return ``text`` with a space for each hyphen and with straight apostrophes, of the same length.

    >>> spaced("Open-AI’s")
    "Open AI's"
    """
    return text.replace("-", " ").replace("\u2010", " ").replace("\u2019", "'")


def lowered(text: str) -> str:
    """Return ``text`` in lower case, of the same length: a character whose lower case is longer stays."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


class WholeWords:
    """Phrases, found as whole words in any letter case, with spaces or hyphens (Aho & Corasick, CACM 18, 1975).

    ``fast``: for whole texts; it takes some 2 KiB for each letter of the phrases. Else, for short pieces of them.
    """

    def __init__(self, phrases: Iterable[str], *, fast: bool) -> None:
        self._automaton = AhoCorasick(
            [lowered(spaced(compatible(phrase, len(phrase)))) for phrase in phrases],
            implementation=Implementation.DFA if fast else Implementation.ContiguousNFA,
        )

    def find(self, text: str, wanted: Container[int] | None = None) -> list[Match]:
        """Return each phrase in ``text``, which is spaced and lowered, as often as it occurs, by its end.

        ``wanted``: numbers of the only phrases to return; None: all.

        >>> WholeWords(["chip", "A-I"], fast=True).find("a i chips, chipping")
        [Match(phrase=1, start=0, end=3, plural=False), Match(phrase=0, start=4, end=8, plural=True)]
        """
        found: list[Match] = []
        stop = len(text)
        for phrase, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if wanted is not None and phrase not in wanted:
                continue
            if start and (_continues(text[start - 1], text[start]) or _is_korean(text[start - 1], text[start])):
                continue
            if end == stop or not _continues(text[end], text[end - 1]):
                found.append(Match(phrase, start, end, plural=False))
            elif text[end] == "s" and (end + 1 == stop or not _continues(text[end + 1], "s")):
                found.append(Match(phrase, start, end, plural=True))
        return found


def _continues(char: str, edge: str) -> bool:
    """Return whether a phrase next to ``char`` is only a part of a longer word. ``edge``: its own character there."""
    if char < _FIRST_IDEOGRAPH:
        return edge < _FIRST_IDEOGRAPH and (char.isalnum() or char == "_")
    return _is_katakana(char) and _is_katakana(edge)


def _is_katakana(char: str) -> bool:
    """Return whether ``char`` is a letter of the script in which Japanese writes foreign words."""
    return "\u30a1" <= char <= "\u30fc" and char != "\u30fb"


def _is_korean(before: str, first: str) -> bool:
    """Return whether a Korean word goes on from ``before`` to ``first``. A name begins a word; particles follow it."""
    return "\uac00" <= before <= "\ud7a3" and "\uac00" <= first <= "\ud7a3"
