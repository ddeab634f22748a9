"""Public figures: who is involved in a story.

Owns the search for the figures of a registry in a signal. Must never know what a tier is worth. Data files of its own
packages are all that :mod:`scoring` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from scoring.figures.context import Context, Name, Text
from scoring.figures.registry import Figure, FigureFileError, Lists, expanded, read_registry
from scoring.figures.whole_words import Match, WholeWords, compatible, lowered, spaced
from scoring.observation import Signal
from scoring.settings import Tier

__all__ = ["Figure", "FigureFileError", "FigureIndex"]

MAX_CHARS = 5_000
"""The part of a text that is read: figures that matter are named early."""

MAX_CONTEXTS = 30
"""Names whose context is read in one text. A context takes some 20 us, and a text can be a row of such names."""

_LINK = re.compile(r"https?://\S+")
_HANDLE = re.compile(r"(?<!\w)@([\w.@-]{0,99}\w)")
"""At most a hundred characters: else a text of "@" alone would take the square of its length."""


class FigureIndex:
    """The public figures, found in a text in one pass. If a name can mean something else, its context decides.

    >>> index = FigureIndex.from_toml('''
    ... [[figure]]
    ... id = "ada"
    ... name = "Ada Lovelace"
    ... tier = "B"
    ... aliases = ["lovelace"]
    ... not_in = ["lovelace hospital"]
    ... handles = { x = ["ada"] }
    ... ''')
    >>> index.find("ADA LOVELACE's notes"), index.find("loveless"), index.find("thanks @Ada", "x")
    (('ada',), (), ('ada',))
    >>> index.find("the Lovelace Hospital")
    ()
    """

    def __init__(self, figures: Mapping[str, Figure], words: Lists | None = None) -> None:
        self.figures = dict(figures)
        """By id."""
        self.tiers: dict[str, Tier] = {id_: figure.tier for id_, figure in figures.items()}
        """The tier of each figure, by id, as :func:`scoring.score` takes them."""
        self._by_handle = {
            (platform, handle.lower()): figure.id
            for figure in figures.values()
            for platform, handles in figure.handles.items()
            for handle in handles
        }
        self._platforms = {platform for platform, _ in self._by_handle}
        self._names = [name for figure in figures.values() for name in _names(figure, words or {})]
        self._phrases = WholeWords((name.written for name in self._names), fast=True)
        self._context = Context(figures, words or {})

    @classmethod
    def from_toml(cls, *texts: str) -> FigureIndex:
        """Return the index of the figures in ``texts`` (contents of registry files); later entries replace earlier.

        Raises:
            FigureFileError: a text is not a valid registry.
        """
        return cls(*read_registry(*texts))

    @classmethod
    @cache
    def default(cls, *more: str) -> FigureIndex:
        """Return the index of the default registry (the AI beat), with ``more``, an operator's own files, on top."""
        return cls.from_toml(files(__name__).joinpath("ai.toml").read_text(encoding="utf-8"), *more)

    def match(self, signal: Signal) -> tuple[str, ...]:
        """Return the ids of the figures who wrote ``signal`` or are named in it, in alphabetical order."""
        title, text, author, platform = signal.title, signal.text, signal.author, signal.platform
        by = None
        if author is not None and author.name and platform in self._platforms:
            by = self._by_handle.get((platform, author.name.removeprefix("@").lower()))
        if not title and not text:
            return () if by is None else (by,)
        text = (text or "")[:MAX_CHARS]
        found = self.find(f"{title[:MAX_CHARS]}\n{text}" if title else text, platform)
        return found if by is None or by in found else tuple(sorted((*found, by)))

    def find(self, text: str, platform: str = "") -> tuple[str, ...]:
        """Return the ids of the figures meant in ``text``, by a name or by "@handle" on ``platform``.

        Of a text, the first 10 000 characters are read.
        """
        text = compatible(text, 2 * MAX_CHARS)
        if "://" in text:
            text = _LINK.sub(" ", text)
        shown = spaced(text)
        lower = lowered(shown)
        found: set[str] = set()
        if matches := self._phrases.find(lower):
            found = self._meant(matches, Text(text, shown, lower))
        if "@" in text:
            handles = [(platform, handle.lower()) for handle in _HANDLE.findall(text)]
            found |= {self._by_handle[handle] for handle in handles if handle in self._by_handle}
        return tuple(sorted(found)) if found else ()

    def _meant(self, matches: list[Match], text: Text) -> set[str]:
        """Return the ids of the figures whose names are ``matches`` of ``text`` and meant there."""
        found: set[str] = set()
        contexts = 0
        for match in _longest(matches):
            name = self._names[match.phrase]
            if name.figure in found or not _may_be_name(name, match, text):
                continue
            if name.certain:
                found.add(name.figure)
            elif contexts < MAX_CONTEXTS:
                contexts += 1
                if self._context.is_meant(name, match, text):
                    found.add(name.figure)
        return found


def _names(figure: Figure, words: Lists) -> Iterator[Name]:
    """Return the names of ``figure``, with what its rules say of each.

    One that only ever means the figure is certain.
    """
    every = (*figure.any_case(), *figure.as_written())
    alone = {name for name in every if figure.person and " " not in name and name.lower() != name.upper()}
    not_in = [phrase.lower() for phrase in expanded(figure.not_in, words)]
    doubtful = {*figure.as_written(), *figure.needs_hint, *alone} or (set(every) if figure.unless else set[str]())
    for names, cased in ((figure.any_case(), False), (figure.as_written(), True)):
        for name in names:
            certain = name not in doubtful and not any(name.lower() in phrase for phrase in not_in)
            yield Name(figure.id, spaced(name), cased, name in figure.needs_hint, name in alone, certain)


def _longest(matches: list[Match]) -> Iterator[Match]:
    """Return the ``matches`` that are no part of a longer one."""
    reached = begun = -1
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        if match.end > reached or (match.start, match.end) == (begun, reached):
            reached, begun = match.end, match.start
            yield match


def _may_be_name(name: Name, match: Match, text: Text) -> bool:
    """Return whether letter case lets ``match`` be ``name``. All letters or none in capitals tell nothing."""
    shown = text.spaced[match.start : match.end]
    if match.plural:
        return shown[0].isupper() and (not name.cased or shown == name.written)
    if not name.cased or shown == name.written or shown.isupper():
        return True
    return shown.islower() and text.lower == text.spaced
