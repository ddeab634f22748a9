"""Which signals of a source have been applied already, so that what is delivered twice is applied once.

Owns the bookkeeping of exactly-once effect over at-least-once delivery: per source (a partition of ``signals``) a low
water mark below which everything has been applied, and the offsets applied above it, because a story's founding post
takes the longer way and arrives after replies that were read later. The same idea as TCP's selective acknowledgement
(RFC 2018).
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KEPT", "Delivered"]

KEPT = 65_536
"""Offsets remembered above the low water marks, of all sources together: a third of a megabyte in the changelog, of the
loudest of stories while a source is held up for minutes. One that is forgotten may be applied twice. A ledger bears
that while it is exact, being a function of the set of observations; a crowd may count an author who was replaced."""


class Delivered:
    """The applied offsets of every source, for one story."""

    __slots__ = ("_kept", "_sources")

    def __init__(self, sources: dict[int, tuple[int, list[int]]] | None = None) -> None:
        self._sources: dict[int, tuple[int, dict[int, None]]] = {
            source: (low, dict.fromkeys(above)) for source, (low, above) in (sources or {}).items()
        }
        self._kept = sum(len(above) for _, above in self._sources.values())

    def take(self, source: int, offsets: Iterable[int], *, redirected: bool = False) -> list[bool]:
        """Note that ``offsets`` of ``source`` are applied now; say of each whether it is not known to have been before.

        ``redirected``: they were meant for a story that was merged into this one, and may have got lost on that way, so
        the low water mark says nothing of them.
        """
        low, above = self._sources.setdefault(source, (0, {}))
        before = len(above)
        new = []
        for offset in offsets:
            if offset in above or offset < low:
                new.append(redirected and offset not in above)
                continue
            new.append(True)
            above[offset] = None
        self._kept += len(above) - before
        while self._kept > KEPT:
            _, fullest = max(self._sources.values(), key=lambda kept: len(kept[1]))
            del fullest[next(iter(fullest))]  # the one noted first
            self._kept -= 1
        return new

    def raise_low(self, source: int, low: int) -> None:
        """Note that every offset of ``source`` below ``low`` that is this story's has been applied."""
        known, above = self._sources.get(source, (0, {}))
        if low > known:
            left = {offset: None for offset in above if offset >= low}
            self._sources[source] = (low, left)
            self._kept -= len(above) - len(left)

    def dump(self) -> dict[int, tuple[int, list[int]]]:
        """Return the state as plain values, from which the constructor makes it again."""
        return {source: (low, list(above)) for source, (low, above) in self._sources.items()}
