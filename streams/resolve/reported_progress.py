"""What was told of each source: where whoever reads it next begins, and what had become of its records by then.

Owns the memory of what ``resolve`` writes to ``progress``. What came last is not always what reaches furthest: a worker
that was taken for dead may tell of a source once more after the one that took it over, who must find what it told
itself. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.records.progress import ResolveProgress
from streams.resolve.reorder import Place

__all__ = ["Told"]

PLACES_KEPT = 64
"""Of each source; two are told a second or so, and one of the last few is what was committed."""


@dataclass(slots=True)
class _Source:
    """``last`` and ``furthest``: the offset after the last record read, and what became of all up to there."""

    last: tuple[int, Mapping[str, int]] = (0, {})
    furthest: tuple[int, Mapping[str, int]] = (0, {})
    places: OrderedDict[int, Place] = field(default_factory=OrderedDict)

    def keep(self, place: Place) -> None:
        self.places[place.offset] = place
        self.places.move_to_end(place.offset)
        if len(self.places) > PLACES_KEPT:
            self.places.popitem(last=False)


class Told:
    """What was told of all sources, to be kept up to date by ``note``."""

    def __init__(self) -> None:
        self._sources: dict[int, _Source] = {}

    def note(self, progress: ResolveProgress) -> None:
        """Take in what a worker says of one source."""
        number = int(progress.instance)
        source = self._sources.setdefault(number, _Source())
        source.last = progress.offsets.get(number, 0), progress.counts
        source.furthest = max(source.furthest, source.last, key=lambda account: account[0])
        source.keep(Place(progress.low, progress.low_ms))
        source.keep(Place(progress.committed, progress.committed_ms))

    def place(self, source: int, offset: int) -> Place:
        """Return where to begin at ``offset``, with the time there if it was told."""
        known = self._sources.get(source)
        return Place(offset, 0) if known is None else known.places.get(offset, Place(offset, 0))

    def account(self, source: int, offset: int) -> Mapping[str, int]:
        """Return what became of all records below ``offset``, and of some above it: the last that was told of those."""
        known = self._sources.get(source, _Source())
        position, counts = known.last
        return counts if position >= offset else known.furthest[1]
