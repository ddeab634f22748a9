"""Names of a generated world, all invented.

Owns how more are made up than there are in the word lists. Must never know what their bearers do.
"""

import random
from collections.abc import Iterator

from hubbub.world.words import NAMES


def deal(rng: random.Random, known: tuple[str, ...]) -> Iterator[str]:
    """Yield the known names in random order, then made-up ones without end; never one twice."""
    yield from rng.sample(known, len(known))
    seen = set(known)
    while True:
        name = "".join(
            rng.choice(NAMES["onsets"]).lower() + rng.choice(NAMES["vowels"]) + rng.choice(NAMES["codas"])
            for _ in range(rng.choice((2, 3)))
        ).capitalize()
        if name not in seen:
            seen.add(name)
            yield name


def account(rng: random.Random) -> str:
    """Return the name of an account; the same one may come again."""
    number = rng.choice(("", str(rng.randrange(100))))
    return rng.choice(NAMES["first"]) + rng.choice(("", "_", "-")) + rng.choice(NAMES["second"]) + number
