"""The registry: the public figures of a beat, their names, and the rules that tell where a name is meant.

Owns the form of a registry file. Must never know how a name is searched for.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from scoring.settings import Tier

MAX_ID_BYTES = 64
"""A ledger keeps no more of an id."""

_LIST = re.compile(r"(?<!\S)@(\w+)")
Lists = Mapping[str, tuple[str, ...]]
"""The lists of words that figures share, by name."""


class FigureFileError(ValueError):
    """A registry that cannot be used; the message says what to fix."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or an organisation, and the names it goes by; the header of ``ai.toml`` says what each field is."""

    id: str
    name: str
    tier: Tier
    person: bool = False
    aliases: tuple[str, ...] = ()
    cased: tuple[str, ...] = ()
    name_cased: bool = False
    handles: dict[str, tuple[str, ...]] = {}
    needs_hint: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()

    def any_case(self) -> tuple[str, ...]:
        """Return the names that count in any letter case."""
        return self.aliases if self.name_cased else (self.name, *self.aliases)

    def as_written(self) -> tuple[str, ...]:
        """Return the names that count only as they are written."""
        return (self.name, *self.cased) if self.name_cased else self.cased

    def own_first_names(self) -> frozenset[str]:
        """Return what may stand before a person's surname: the other words of the longer names, in lower case."""
        longer = (name.lower().split()[:-1] for name in (self.name, *self.aliases))
        return frozenset(itertools.chain.from_iterable(longer))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: dict[str, tuple[str, ...]] = {}
    figure: tuple[Figure, ...] = ()


class Registry(NamedTuple):
    """Figures by id, and the lists of words that they share, by name."""

    figures: Mapping[str, Figure]
    words: Lists


def read_registry(*texts: str) -> Registry:
    """Return what registry files with the contents ``texts`` say; a later figure or list replaces an earlier one.

    Raises:
        FigureFileError: a text is not TOML, or an entry is invalid. An entry needs all required fields and no
            unknown ones. Its id is unique and not too long, its names are not empty, and its lists exist.
    """
    figures: dict[str, Figure] = {}
    words: dict[str, tuple[str, ...]] = {}
    for text in texts:
        try:
            file = msgspec.convert(tomllib.loads(text), _File)
        except tomllib.TOMLDecodeError as error:
            raise FigureFileError(f"registry of public figures: not TOML: {error}") from error
        except msgspec.ValidationError as error:
            raise FigureFileError(f"registry of public figures: {error}") from error
        own: set[str] = set()
        for figure in file.figure:
            if figure.id in own:
                raise FigureFileError(f"registry of public figures: {figure.id!r} is listed twice")
            own.add(figure.id)
            figures[figure.id] = figure
        words |= file.words
    for name, listed in words.items():
        if not all(word.strip() for word in listed):
            raise FigureFileError(f"registry of public figures: list {name!r} has an empty word")
    for figure in figures.values():
        _check(figure, words)
    return Registry(figures, words)


def expanded(phrases: tuple[str, ...], words: Lists) -> Iterator[str]:
    """Return ``phrases``, those that name a list by "@list" once for each of its words.

    >>> list(expanded(("pie", "@states's court"), {"states": ("Ohio", "Texas")}))
    ['pie', "Ohio's court", "Texas's court"]
    """
    for phrase in phrases:
        parts = _LIST.split(phrase)
        choices = [words[part] if place % 2 else (part,) for place, part in enumerate(parts)]
        yield from map("".join, itertools.product(*choices))


def _check(figure: Figure, words: Lists) -> None:
    names = (*figure.any_case(), *figure.as_written())
    rules = (*figure.hints, *figure.unless, *figure.not_in)
    lists = [name for phrase in rules for name in _LIST.findall(phrase)]
    if len(figure.id.encode()) > MAX_ID_BYTES:
        problem = f"id {figure.id!r} has over {MAX_ID_BYTES} bytes"
    elif not all(name.strip() for name in (figure.id, *names)):
        problem = f"{figure.id or figure.name!r} has an empty name"
    elif not all(phrase.strip() for phrase in rules):
        problem = f"{figure.id!r} has an empty hint or phrase"
    elif unnamed := set(figure.needs_hint) - set(names):
        problem = f"{figure.id!r}: {min(unnamed)!r} needs a hint and is not one of its names"
    elif unknown := set(lists) - set(words):
        problem = f"{figure.id!r}: there is no list {min(unknown)!r} in [words]"
    else:
        return
    raise FigureFileError(f"registry of public figures: {problem}")
