"""Names: who lives in a generated world. Companies, people, products, places, outlets, accounts: all invented.

Must never know what they do there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["ORGS", "OUTLETS", "PEOPLE", "PLACES", "PRODUCTS", "RIVALS", "account", "deal"]

ORGS = (
    "Velmora", "Quarnic", "Ostrava Labs", "Brindlecore", "Synthalon", "Kestrix", "Monarill", "Deeplattice",
    "Orrery AI", "Pallantine", "Nimbrook", "Tesselate", "Hexovar", "Luminor Systems", "Zephrion", "Corvanta",
    "Arborick", "Fathomwave", "Glasswing Robotics", "Ironvale", "Junipera", "Northquill", "Paragrove", "Redfern AI",
)  # fmt: skip
RIVALS = (
    "Silvane", "Cobaltry", "Tanglewood Chips", "Ferrivox", "Octavane", "Basaltic", "Wrenlock", "Mirador Silicon",
)  # fmt: skip
PEOPLE = (
    "Ilse Marchetti", "Tobias Okonjo", "Priya Halloran", "Dmitri Valcourt", "Amara Lindqvist", "Renzo Takahara",
    "Noor Whitfield", "Casper Adeyemi", "Liana Brandt", "Mateo Sorensen", "Freya Balogun", "Jonas Castellane",
    "Yuki Ferreira", "Sanna Okafor", "Emil Drummond", "Carys Villanueva", "Hakon Mirza", "Delphine Ostrow",
)  # fmt: skip
PLACES = (
    "Calvera", "Port Ansel", "Norrland", "Vesterholm", "Marisol County", "Tamsin Bay", "Brackwater", "Ostmark",
    "Lake Ivory", "San Telmo", "Kirkhaven", "Montaigue",
)  # fmt: skip
PRODUCTS = (
    "Heron-2", "Quill-70B", "Tundra", "Marlin-Large", "Okapi 3", "Saffron-R1", "Basil-32B", "Petrel",
    "Juniper-V", "Axolotl-9", "Cinder", "Lodestar-XL",
)  # fmt: skip
OUTLETS = (
    "ledger.example.com", "wire.example.org", "technews.example.net", "observer.example.com", "gazette.example.org",
    "bytes.example.net", "courier.example.com", "signalpost.example.org",
)  # fmt: skip

_ONSETS = ("Br", "C", "D", "F", "G", "K", "L", "M", "N", "P", "R", "S", "T", "V", "Z", "Tr", "Gl", "St")
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ia", "o")
_CODAS = ("l", "n", "r", "x", "s", "nd", "rk", "th", "v", "m")

_FIRST = (
    "quiet", "rusty", "solar", "lunar", "mellow", "brisk", "cosmic", "velvet", "arctic", "hidden", "lazy", "electric",
    "salty", "amber", "plaid", "stray", "north", "tiny", "grumpy", "honest", "spare", "dusty", "wired", "late",
)  # fmt: skip
_SECOND = (
    "otter", "falcon", "kettle", "walrus", "maple", "anvil", "badger", "comet", "lantern", "pickle", "raven", "cactus",
    "harbor", "biscuit", "tractor", "violin", "marmot", "pebble", "compiler", "socket", "kernel", "teapot", "glacier",
)  # fmt: skip


def deal(rng: random.Random, known: tuple[str, ...]) -> Iterator[str]:
    """Yield the known names in random order, then made-up ones without end; never one twice."""
    yield from rng.sample(known, len(known))
    seen = set(known)
    while True:
        name = "".join(
            rng.choice(_ONSETS).lower() + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.choice((2, 3)))
        ).capitalize()
        if name not in seen:
            seen.add(name)
            yield name


def account(rng: random.Random) -> str:
    """Return the name of an account; the same may come again, as people do."""
    number = rng.choice(("", str(rng.randrange(100))))
    return rng.choice(_FIRST) + rng.choice(("", "_", "-")) + rng.choice(_SECOND) + number
