"""Which signals of a source have been applied already, so that what is delivered twice is applied once.

Owns the bookkeeping of exactly-once effect over at-least-once delivery: per source (a partition of ``signals``) a low
water mark below which everything has been applied, and the offsets applied above it, because a story's founding post
takes the longer way and arrives after replies that were read later. The same idea as TCP's selective acknowledgement
(RFC 2018).
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KEPT", "Delivered"]

KEPT = 256
"""Offsets remembered above the low water mark, per source. One that is forgotten may be applied twice, which a ledger
bears: it is a function of the set of observations. So this bounds a story's state, not its exactness."""


class Delivered:
    """The applied offsets of every source, for one story."""

    __slots__ = ("_sources",)

    def __init__(self, sources: dict[int, tuple[int, list[int]]] | None = None) -> None:
        self._sources: dict[int, tuple[int, dict[int, None]]] = {
            source: (low, dict.fromkeys(above)) for source, (low, above) in (sources or {}).items()
        }

    def take(self, source: int, offsets: Iterable[int], *, redirected: bool = False) -> list[bool]:
        """Note that ``offsets`` of ``source`` are applied now; say of each whether it is not known to have been before.

        ``redirected``: they were meant for a story that was merged into this one, and may have got lost on that way, so
        the low water mark says nothing of them.
        """
        low, above = self._sources.setdefault(source, (0, {}))
        new = []
        for offset in offsets:
            if offset in above or offset < low:
                new.append(redirected and offset not in above)
                continue
            new.append(True)
            above[offset] = None
            if len(above) > KEPT:
                del above[next(iter(above))]  # the one noted first
        return new

    def raise_low(self, source: int, low: int) -> None:
        """Note that every offset of ``source`` below ``low`` that is this story's has been applied."""
        known, above = self._sources.get(source, (0, {}))
        if low > known:
            self._sources[source] = (low, {offset: None for offset in above if offset >= low})

    def dump(self) -> dict[int, tuple[int, list[int]]]:
        """Return the state as plain values, from which the constructor makes it again."""
        return {source: (low, list(above)) for source, (low, above) in self._sources.items()}
