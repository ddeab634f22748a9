"""The records of ``story-activity`` that one source sends at one flush.

Owns the partition of each story's part, the order of the parts and the size of records. A record holds many small
parts, because a record costs more on its way to the score stage than most parts do. Pure.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from streams.records import encode
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import NOWHERE, StoryInfo
from streams.records.story_activity import MergeIn, MergeOut, Merging, RawEntry, RawStorySignals, WatermarkAdvance
from transport.partitioning import partition_of

T = TypeVar("T")

MAX_BATCH_BYTES = 600_000
"""Bounds a record, unless one signal alone is larger. It keeps records far below the broker's limit of 1 MiB."""


class ActivityBatch:
    """The records of one flush."""

    def __init__(self, partitions: int) -> None:
        """``partitions``: the number of partitions of ``story-activity``."""
        self._parts: list[list[bytes]] = [[] for _ in range(partitions)]

    def add_story(
        self, info: StoryInfo, entries: list[RawEntry], low: int, mark: SourceWatermark, *, redirected: bool = False
    ) -> None:
        """Add signals of a story. ``low`` goes with the last of them, and not before."""
        parts = self._parts[self._partition(info.id)]
        whole = encode(RawStorySignals(mark, low, info, entries, redirected))
        if len(whole) <= MAX_BATCH_BYTES:
            parts.append(whole)
            return
        *first, last = _split(entries, lambda entry: len(bytes(entry.signal)))
        for chunk in first:
            parts.append(encode(RawStorySignals(mark, 0, info, chunk, redirected)))
        parts.append(encode(RawStorySignals(mark, low, info, last, redirected)))

    def add_merge(self, merging: Merging, mark: SourceWatermark) -> None:
        """Add a merge for both stories. The source's watermark does not pass its time before both have it."""
        gone, into = merging.gone.id, merging.into.id
        self._parts[self._partition(gone)].append(encode(MergeOut(mark, merging)))
        if into != NOWHERE:
            self._parts[self._partition(into)].append(encode(MergeIn(mark, merging)))

    def add_mark(self, mark: SourceWatermark) -> None:
        """Add the source's watermark for every partition. It covers everything added before."""
        encoded = encode(WatermarkAdvance(mark))
        for parts in self._parts:
            parts.append(encoded)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield partitions and records. The parts of a partition keep the order in which they were added."""
        for partition, parts in enumerate(self._parts):
            for chunk in _split(parts, len):
                yield partition, b"[" + b",".join(chunk) + b"]"

    def _partition(self, story: str) -> int:
        return partition_of(story.encode(), len(self._parts))


def _split(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Split ``items``, in order, into lists that fill a record; an item that is larger is a list of its own."""
    chunk: list[T] = []
    size = 0
    for item in items:
        length = size_of(item)
        if chunk and size + length > MAX_BATCH_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk
