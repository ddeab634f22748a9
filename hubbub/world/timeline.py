"""Timelines: items in the order in which they appeared, and pages of them.

Owns the index behind every "newest first" list. A page costs O(items on it), whatever the size of the world.
Must never know what a page looks like on the wire.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from hubbub.world.items import Item

T = TypeVar("T", bound=Item)

DEPTH = 1000
"""No list of Reddit's reaches deeper than this many items."""

Place = tuple[int, str]
"""Where an item stands in every timeline: (``appears_ms``, ``native``)."""


def place(item: Item) -> Place:
    """Return where ``item`` stands in a timeline."""
    return item.appears_ms, item.native


class Timeline(Generic[T]):
    """Items of one kind and place, sorted by appearance."""

    __slots__ = ("_places", "items")

    def __init__(self, items: Iterable[T]) -> None:
        self.items: Sequence[T] = sorted(items, key=place)
        self._places = [place(item) for item in self.items]

    def __len__(self) -> int:
        return len(self.items)

    def until(self, now_ms: int) -> int:
        """Return how many items have appeared by ``now_ms``."""
        return bisect_left(self._places, (now_ms + 1, ""))

    def below(self, anchor: Place) -> int:
        """Return how many items stand before ``anchor``."""
        return bisect_left(self._places, anchor)

    def above(self, anchor: Place) -> int:
        """Return the index of the first item after ``anchor``."""
        return bisect_right(self._places, anchor)


def newest(timelines: Sequence[Timeline[T]], now_ms: int) -> Iterator[T]:
    """Walk what has appeared by ``now_ms`` in all the ``timelines``, newest first."""
    return _backwards(timelines, [timeline.until(now_ms) for timeline in timelines])


def newest_page(
    timelines: Sequence[Timeline[T]],
    now_ms: int,
    shown: Callable[[T], bool],
    limit: int,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> list[T]:
    """Return up to ``limit`` items that are ``shown``, newest first.

    ``after``: only items older than that place (the next page). ``before``: only newer ones, those nearest to it, as
    Reddit does: who asks for what is newer than the last thing it saw misses nothing if it asks again.
    """
    ends = [timeline.until(now_ms) for timeline in timelines]
    if before is not None:
        starts = [timeline.above(before) for timeline in timelines]
        walks = (
            map(t.items.__getitem__, range(start, end)) for t, start, end in zip(timelines, starts, ends, strict=True)
        )
        return list(islice(filter(shown, heapq.merge(*walks, key=place)), limit))[::-1]
    room = DEPTH
    if after is not None:
        starts = [timeline.below(after) for timeline in timelines]
        room -= sum(max(0, end - start) for start, end in zip(starts, ends, strict=True))
        ends = [min(start, end) for start, end in zip(starts, ends, strict=True)]
    return list(islice(filter(shown, islice(_backwards(timelines, ends), max(0, room))), limit))


def _backwards(timelines: Sequence[Timeline[T]], ends: Sequence[int]) -> Iterator[T]:
    walks = (map(t.items.__getitem__, range(end - 1, -1, -1)) for t, end in zip(timelines, ends, strict=True))
    return heapq.merge(*walks, key=place, reverse=True)
