"""The wording of a generated world, as data files: plots, chatter, names, remarks, hostile texts.

Owns reading the files. Must never know what a world does with the words. The order of a file's words is part of a
world: a seed draws from them by position.
"""

import json
import tomllib
from importlib.resources import files
from typing import TypeVar

import msgspec

__all__ = ["ASIDES", "CHATTER", "HOSTILE", "NAMES", "PLOTS", "REMARKS", "SMALL_TALK", "Corner", "Figure", "Plot"]

T = TypeVar("T")


class Plot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of event. The first of the ``headlines`` is the story's title; the file's header lists their slots.

    ``praise``, ``blame``: shares of replies that praise and that condemn, 0 to 1. ``up_votes``: share of votes that are
    up, 0 to 1.
    """

    slug: str
    praise: float
    blame: float
    up_votes: float
    headlines: tuple[str, ...]


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public figure that people ask about. ``points``: of its tier, in SCORING.md."""

    name: str
    points: int


class Asides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public figures, and what people say about a figure in a post on a story that is not the figure's.

    ``in_headlines``: further figures that headlines of plots name.
    """

    figure: tuple[Figure, ...]
    in_headlines: tuple[Figure, ...]
    asides: tuple[str, ...]


class Corner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people talk about in one place. ``community``: a subreddit with ``members``; None: Hacker News.

    A title is one of the ``templates`` with one word of ``first`` and one of ``second`` put in.
    """

    templates: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    community: str | None = None
    members: int = 0


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _toml(name: str, shape: type[T]) -> T:
    return msgspec.convert(tomllib.loads(_text(name)), shape)


PLOTS = _toml("plots.toml", dict[str, tuple[Plot, ...]])["plot"]
CHATTER = _toml("chatter.toml", dict[str, tuple[Corner, ...]])["corner"]
NAMES = _toml("names.toml", dict[str, tuple[str, ...]])
"""Invented names by what they name; then the parts that other names are made of."""
ASIDES = _toml("figures.toml", Asides)
SMALL_TALK = _toml("smalltalk.toml", dict[str, Corner])
"""By platform."""
REMARKS = _toml("remarks.toml", dict[str, tuple[str, ...]])
HOSTILE: tuple[tuple[str, str], ...] = tuple(
    (row.get("title", "") * row.get("title_times", 1), row.get("text", "") * row.get("text_times", 1))
    for row in json.loads(_text("hostile.json"))
)
"""Titles and texts that break readers that trust them, as platforms really carry them. (TOML cannot hold half a
surrogate pair: valid JSON on the wire, but not valid Unicode.)"""
