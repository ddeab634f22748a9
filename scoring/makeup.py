"""Make-up: of whom and what a story consists.

Owns the shares that show a story of few people. Must never know what is concluded from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum

import msgspec

from scoring.ledger import Ledger
from scoring.ledger.item import weight
from scoring.ledger.priority import stands_for
from scoring.ledger.sample import Sample
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
    sample, sketches = ledger.sample, ledger.sketches
    items = sample.items
    if sketches is None:
        told, originals = float(sum(sample.said.values())), float(len(sample.said))
        uncounted = float(len(sample.copies.dropped))
    else:
        told, originals = (count.estimate() for count in sketches.texts)
        uncounted = fsum(stands_for(weight(items[key]), sample.threshold) for key in sample.copies.dropped)
    return Makeup(
        copies=max(0.0, 1.0 - originals / told) if told else 0.0,
        one_author=_largest_share([item.author for item in items.values()], sample),
        one_domain=_largest_share([domain(item.link) for item in items.values()], sample),
        originals=round(originals),
        uncounted=round(uncounted),
    )


def _largest_share(numbers: Sequence[int], sample: Sample) -> float:
    """Return the share of the items that have the most frequent of ``numbers``, one for each item; 0: unknown."""
    if sample.threshold:
        times: dict[int, list[float]] = {}
        for number, item in zip(numbers, sample.items.values(), strict=True):
            times.setdefault(number, []).append(stands_for(weight(item), sample.threshold))
        counts: dict[int, float] = {number: fsum(some) for number, some in times.items()}
    else:
        counts = dict(Counter(numbers))
    counts.pop(0, None)
    return max(counts.values()) / fsum(counts.values()) if counts else 0.0
