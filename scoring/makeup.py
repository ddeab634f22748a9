"""Make-up: of whom and what a story consists.

Owns the shares that show a story of few people. Must never know what is concluded from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum

import msgspec

from scoring.ledger import Ledger
from scoring.ledger.item import Item, weight
from scoring.ledger.priority import stands_for
from scoring.ledger.wording import domain


class Makeup(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of whom and what a story consists. Shares are 0 to 1, of all items for which it is known; 0 if it is of none.

    ``copies``: items whose text another item has. ``one_author``: items of the author who has most of them;
    ``one_domain``: links to the domain that has most of them. ``originals``: different texts. ``uncounted``: copies
    that count for neither audience nor interactions.
    """

    copies: float = 0.0
    one_author: float = 0.0
    one_domain: float = 0.0
    originals: int = 0
    uncounted: int = 0


def makeup(ledger: Ledger) -> Makeup:
    """Return of whom and what a story consists. Of a sketched ledger, shares are estimates by its sample."""
    items = ledger.items.values()
    authors, domains, texts = (
        _counted(ledger, ((number, item) for item in items if (number := of(item))))
        for of in (lambda item: item.author, lambda item: domain(item.link), lambda item: item.text)
    )
    dropped = ((key, ledger.items[key]) for key in ledger.sample.copies.dropped)
    told, originals = fsum(texts.values()), float(len(texts))
    if ledger.sketches is not None:
        told, originals = (count.estimate() for count in ledger.sketches.texts)
    return Makeup(
        copies=max(0.0, 1.0 - originals / told) if told else 0.0,
        one_author=_largest(authors),
        one_domain=_largest(domains),
        originals=round(originals),
        uncounted=round(fsum(_counted(ledger, dropped).values())),
    )


def _counted(ledger: Ledger, numbered: Iterable[tuple[int, Item]]) -> dict[int, float]:
    """Return how many items there are of each number."""
    times: dict[int, list[float]] = {}
    for number, item in numbered:
        times.setdefault(number, []).append(stands_for(weight(item), ledger.sample.threshold))
    return {number: fsum(some) for number, some in times.items()}


def _largest(counts: dict[int, float]) -> float:
    return max(counts.values()) / fsum(counts.values()) if counts else 0.0
