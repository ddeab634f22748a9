"""Public figures: who is involved in a story.

Owns the registry (figures, their tiers and names) and the search for them in a signal. Must never know what a tier is
worth. Data files of its own packages are all that :mod:`scoring` reads.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation

from scoring.observation import Signal
from scoring.settings import Tier

MAX_CHARS = 5_000
"""The part of a text that is read: figures that matter are named early."""

MAX_ID_BYTES = 64
"""A ledger keeps no more of an id."""

_LINK = re.compile(r"https?://\S+")
_HANDLE = re.compile(r"(?<!\w)@([\w.@-]{0,99}\w)")
"""At most a hundred characters: else a text of "@" alone would take the square of its length."""
_FIRST_IDEOGRAPH = "\u2e80"
"""Scripts from here on have no spaces between words, so their letters do not continue a Latin name."""


class FigureFileError(ValueError):
    """A registry that cannot be used; the message says what to fix."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or an organisation, and the names it goes by; the header of ``ai.toml`` says what each field is."""

    id: str
    name: str
    tier: Tier
    aliases: tuple[str, ...] = ()
    cased: tuple[str, ...] = ()
    name_cased: bool = False
    handles: dict[str, tuple[str, ...]] = {}

    def any_case(self) -> tuple[str, ...]:
        """Return the names that count in any letter case."""
        return self.aliases if self.name_cased else (self.name, *self.aliases)

    def as_written(self) -> tuple[str, ...]:
        """Return the names that count only as they are written."""
        return (self.name, *self.cased) if self.name_cased else self.cased


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    figure: tuple[Figure, ...] = ()


class FigureIndex:
    """The public figures, found in a text in one pass (Aho & Corasick, CACM 18, 1975).

    >>> index = FigureIndex.from_toml('''
    ... [[figure]]
    ... id = "ada"
    ... name = "Ada Lovelace"
    ... tier = "B"
    ... aliases = ["lovelace"]
    ... handles = { x = ["ada"] }
    ... ''')
    >>> index.find("ADA LOVELACE's notes"), index.find("lovelaces"), index.find("thanks @Ada", "x")
    (('ada',), (), ('ada',))
    """

    def __init__(self, figures: Mapping[str, Figure]) -> None:
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
        self._folded = _Names((name.lower(), f.id) for f in figures.values() for name in f.any_case())
        self._written = _Names((name, f.id) for f in figures.values() for name in f.as_written())

    @classmethod
    def from_toml(cls, *texts: str) -> FigureIndex:
        """Return the index of the figures in ``texts`` (contents of registry files); later entries replace earlier.

        Raises:
            FigureFileError: a text is not TOML, or an entry is invalid. An entry needs all fields and no others, no
                empty name, and an id that is unique and not too long.
        """
        figures: dict[str, Figure] = {}
        for text in texts:
            try:
                entries = msgspec.convert(tomllib.loads(text), _File).figure
            except tomllib.TOMLDecodeError as error:
                raise FigureFileError(f"registry of public figures: not TOML: {error}") from error
            except msgspec.ValidationError as error:
                raise FigureFileError(f"registry of public figures: {error}") from error
            own: set[str] = set()
            for figure in entries:
                if figure.id in own:
                    raise FigureFileError(f"registry of public figures: {figure.id!r} is listed twice")
                if len(figure.id.encode()) > MAX_ID_BYTES:
                    raise FigureFileError(f"registry of public figures: id {figure.id!r} has over {MAX_ID_BYTES} bytes")
                if not all(name.strip() for name in (figure.id, *figure.any_case(), *figure.as_written())):
                    raise FigureFileError(f"registry of public figures: {figure.id or figure.name!r} has an empty name")
                own.add(figure.id)
                figures[figure.id] = figure
        return cls(figures)

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
        """Return the ids of the figures named in ``text``, by a name or by "@handle" on ``platform``."""
        if "://" in text:
            text = _LINK.sub(" ", text)
        found = self._folded.find(text.lower()) + self._written.find(text)
        if "@" in text:
            handles = [(platform, handle.lower()) for handle in _HANDLE.findall(text)]
            found += [self._by_handle[handle] for handle in handles if handle in self._by_handle]
        return tuple(sorted(set(found))) if found else ()


class _Names:
    """Names, found as whole words."""

    def __init__(self, named: Iterator[tuple[str, str]]) -> None:
        pairs = list(named)
        self._ids = [id_ for _, id_ in pairs]
        self._automaton = AhoCorasick([name for name, _ in pairs], implementation=Implementation.DFA)

    def find(self, text: str) -> list[str]:
        """Return the id of each name in ``text``, as often as it occurs."""
        return [
            self._ids[index]
            for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if not (start > 0 and _continues(text[start - 1])) and not (end < len(text) and _continues(text[end]))
        ]


def _continues(char: str) -> bool:
    """Return whether a name next to ``char`` is only a part of a longer word."""
    return (char.isalnum() and char < _FIRST_IDEOGRAPH) or char == "_"
