"""What one source has for the stories of each partition at one flush, as records of ``story-activity``.

Owns which partition each story's part goes to, their order there and the size of records: many small parts in one
record, since what a record costs, from here to the score stage, is more than what most parts do. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from streams.records import encode
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import NOWHERE, StoryInfo
from streams.records.story_activity import MergeIn, MergeOut, Merging, RawEntry, RawStorySignals, WatermarkAdvance
from transport.partitioning import partition_of

__all__ = ["Parcels"]

T = TypeVar("T")

ENOUGH_BYTES = 600_000
"""What a record may hold, unless it is one signal that is larger: none nears the broker's limit."""


class Parcels:
    """The records of one flush."""

    def __init__(self, partitions: int) -> None:
        """``partitions``: how many ``story-activity`` has."""
        self._parts: list[list[bytes]] = [[] for _ in range(partitions)]

    def add_story(
        self, info: StoryInfo, entries: list[RawEntry], low: int, mark: SourceWatermark, *, redirected: bool = False
    ) -> None:
        """Add signals of a story; ``low`` is told with the last of them, and not before."""
        parts = self._parts[self._target(info.id)]
        whole = encode(RawStorySignals(mark, low, info, entries, redirected))
        if len(whole) <= ENOUGH_BYTES:
            parts.append(whole)
            return
        *first, last = _cut(entries, lambda entry: len(bytes(entry.signal)))
        for chunk in first:
            parts.append(encode(RawStorySignals(mark, 0, info, chunk, redirected)))
        parts.append(encode(RawStorySignals(mark, low, info, last, redirected)))

    def add_merge(self, merging: Merging, mark: SourceWatermark) -> None:
        """Tell both stories; this source's time does not pass that of the merge before they know."""
        gone, into = merging.gone.id, merging.into.id
        self._parts[self._target(gone)].append(encode(MergeOut(mark, merging)))
        if into != NOWHERE:
            self._parts[self._target(into)].append(encode(MergeIn(mark, merging)))

    def add_mark(self, mark: SourceWatermark) -> None:
        """Tell every partition how far the source has come: what was added before is covered by it."""
        bare = encode(WatermarkAdvance(mark))
        for parts in self._parts:
            parts.append(bare)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield partitions and records, those of a partition in the order in which their parts were added."""
        for target, parts in enumerate(self._parts):
            for some in _cut(parts, len):
                yield target, b"[" + b",".join(some) + b"]"

    def _target(self, story: str) -> int:
        return partition_of(story.encode(), len(self._parts))


def _cut(things: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut things, in their order, into lists that fill a record; a thing that is larger is a list by itself."""
    some: list[T] = []
    size = 0
    for thing in things:
        length = size_of(thing)
        if some and size + length > ENOUGH_BYTES:
            yield some
            some, size = [], 0
        some.append(thing)
        size += length
    if some:
        yield some
