"""Chatter: what the unrelated posts around the stories say.

Owns their order. Must never know the stories.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import product

from hubbub.world.words import CHATTER, Corner


def openings(rng: random.Random, corners: Iterable[Corner] = CHATTER) -> Iterator[tuple[Corner, str]]:
    """Yield corners and titles in random order: each wording once, then again with a number, without end."""
    every = [
        (corner, template.format(*words)[:1].upper() + template.format(*words)[1:])
        for corner in corners
        for template, *words in product(corner.templates, corner.first, corner.second)
    ]
    part = 1
    while True:
        rng.shuffle(every)
        for corner, title in every:
            yield corner, title if part == 1 else f"{title} (part {part})"
        part += 1
