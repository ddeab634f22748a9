"""Chatter: the unrelated posts around the stories.

Owns their wording and where they are posted (``words/chatter.toml``). Must never know the stories.
"""

import random
from collections.abc import Iterator
from itertools import product

import msgspec

from hubbub.world.words import read_toml


class Corner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people talk about in one place. ``community``: a subreddit with ``members``; None: Hacker News.

    A title is one of the ``templates`` with one word of ``first`` and one of ``second`` put in.
    """

    templates: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    community: str | None = None
    members: int = 0


CHATTER = read_toml("chatter.toml", dict[str, tuple[Corner, ...]])["corner"]


def openings(rng: random.Random) -> Iterator[tuple[Corner, str]]:
    """Yield corners and titles in random order: each wording once, then again with a number, without end."""
    every = [
        (corner, template.format(*words)[:1].upper() + template.format(*words)[1:])
        for corner in CHATTER
        for template, *words in product(corner.templates, corner.first, corner.second)
    ]
    part = 1
    while True:
        rng.shuffle(every)
        for corner, title in every:
            yield corner, title if part == 1 else f"{title} (part {part})"
        part += 1
