"""Names: companies, people, products, places, outlets and accounts of a generated world, all invented.

Owns the names (``words/names.toml``) and how more are made up. Must never know what their bearers do.
"""

import random
from collections.abc import Iterator

from hubbub.world.words import read_toml

NAMES = read_toml("names.toml", dict[str, tuple[str, ...]])
"""By what they name; then the parts that other names are made of."""
OUTLETS = NAMES["outlets"]


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
