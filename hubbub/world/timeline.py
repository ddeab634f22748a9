"""Timelines: items in the order in which they appeared, and pages of them.

Owns the index behind every "newest first" list. A page costs O(items on it), whatever the size of the world.
Must never know what a page looks like on the wire.
"""

import heapq
from bisect import bisect_left
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

    __slots__ = ("items",)

    def __init__(self, items: Iterable[T]) -> None:
        self.items: Sequence[T] = sorted(items, key=place)

    def __len__(self) -> int:
        return len(self.items)

    def until(self, now_ms: int) -> int:
        """Return how many items have appeared by ``now_ms``."""
        return self.below((now_ms + 1, ""))

    def below(self, anchor: Place) -> int:
        """Return how many items stand before ``anchor``."""
        return bisect_left(self.items, anchor, key=place)


def newest(timelines: Sequence[Timeline[T]], now_ms: int) -> Iterator[T]:
    """Walk what has appeared by ``now_ms`` in all the ``timelines``, newest first."""
    return _backwards(timelines, [timeline.until(now_ms) for timeline in timelines])


def newest_page(
    timelines: Sequence[Timeline[T]], now_ms: int, shown: Callable[[T], bool], limit: int, *, after: Place | None = None
) -> list[T]:
    """Return up to ``limit`` items that are ``shown``, newest first; only those older than the place ``after``."""
    ends = [timeline.until(now_ms) for timeline in timelines]
    room = DEPTH
    if after is not None:
        starts = [timeline.below(after) for timeline in timelines]
        room -= sum(max(0, end - start) for start, end in zip(starts, ends, strict=True))
        ends = [min(start, end) for start, end in zip(starts, ends, strict=True)]
    return list(islice(filter(shown, islice(_backwards(timelines, ends), max(0, room))), limit))


def _backwards(timelines: Sequence[Timeline[T]], ends: Sequence[int]) -> Iterator[T]:
    walks = (map(t.items.__getitem__, range(end - 1, -1, -1)) for t, end in zip(timelines, ends, strict=True))
    return heapq.merge(*walks, key=place, reverse=True)
