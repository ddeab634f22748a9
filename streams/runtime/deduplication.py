"""The de-duplication window: a signal that is delivered twice is applied once.

Owns the bookkeeping of exactly-once effect over at-least-once delivery. For each source (a partition of ``signals``) it
keeps a low-water mark and the offsets applied above it; below it, every offset has been applied. The offsets are needed
because the root post of a story takes a longer way than its replies and arrives after them. The idea is that of
TCP's selective acknowledgement (RFC 2018).
"""

from collections.abc import Iterable

MAX_OFFSETS = 65_536
"""Offsets kept above all low-water marks together. They fill a third of a megabyte in the changelog, and
only the loudest story fills them, while a source is held up for minutes. A signal whose offset is dropped may be
applied twice. An exact ledger tolerates that, since it is a function of the set of observations; a sketched ledger may
count a replaced author again."""


class DeduplicationWindow:
    """The applied offsets of every source, for one story."""

    __slots__ = ("_kept", "_sources")

    def __init__(self, sources: dict[int, tuple[int, list[int]]] | None = None) -> None:
        self._sources: dict[int, tuple[int, dict[int, None]]] = {
            source: (low, dict.fromkeys(above)) for source, (low, above) in (sources or {}).items()
        }
        self._kept = sum(len(above) for _, above in self._sources.values())

    def admit(self, source: int, offsets: Iterable[int], *, redirected: bool = False) -> list[bool]:
        """Record that ``offsets`` of ``source`` are applied now; return for each whether it is new.

        ``redirected``: the signals were sent to a story that was merged into this one, and may have been lost on that
        way. The low-water mark says nothing about them.
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
        while self._kept > MAX_OFFSETS:
            _, fullest = max(self._sources.values(), key=lambda kept: len(kept[1]))
            del fullest[next(iter(fullest))]  # the oldest one
            self._kept -= 1
        return new

    def raise_low(self, source: int, low: int) -> None:
        """Record that this story's offsets of ``source`` below ``low`` have all been applied."""
        known, above = self._sources.get(source, (0, {}))
        if low > known:
            left = {offset: None for offset in above if offset >= low}
            self._sources[source] = (low, left)
            self._kept -= len(above) - len(left)

    def dump(self) -> dict[int, tuple[int, list[int]]]:
        """Return the state as plain values, from which the constructor restores it."""
        return {source: (low, list(above)) for source, (low, above) in self._sources.items()}
