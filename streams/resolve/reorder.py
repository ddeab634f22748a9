"""Signals of known threads that wait until all decisions before them are known.

Owns their order. While recordings are replayed, a source is read ahead of the decisions; which story a signal belongs
to may depend on one, since stories are merged. Pure.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import NamedTuple

from streams.records.story_activity import RawEntry

__all__ = ["Hold", "Place"]


class Place(NamedTuple):
    """Where in its source a router may begin: at ``offset``, when the time there was ``stream_ms``."""

    offset: int
    stream_ms: int


Owner = tuple[str, tuple[str, ...]]
"""A thread and its stories."""


class Hold:
    """What waits, by time. Most of it comes in the order of time, and is kept cheaply."""

    def __init__(self) -> None:
        self._line: deque[tuple[Owner, RawEntry]] = deque()
        self._others: list[tuple[int, int, Place, Owner, RawEntry]] = []

    def __len__(self) -> int:
        return len(self._line) + len(self._others)

    @property
    def first_ms(self) -> int | None:
        """The time of the first that waits, None if nothing does."""
        firsts = [self._line[0][1].at_ms] if self._line else []
        if self._others:
            firsts.append(self._others[0][0])
        return min(firsts, default=None)

    @property
    def place(self) -> Place | None:
        """A place before everything that waits, None if nothing does."""
        places = [other[2] for other in self._others]
        if self._line:
            first = self._line[0][1]
            places.append(Place(first.offset, first.at_ms))
        return min(places, default=None)

    def add(self, owner: Owner, entry: RawEntry, place: Place) -> None:
        """Let ``entry`` wait, which is read again if one begins at ``place``."""
        last = self._line[-1][1] if self._line else None
        here = place == (entry.offset, entry.at_ms)
        if here and (last is None or (last.at_ms <= entry.at_ms and last.offset < entry.offset)):
            self._line.append((owner, entry))
        else:
            heapq.heappush(self._others, (entry.at_ms, entry.offset, place, owner, entry))

    def release(self, until_ms: float) -> list[tuple[Owner, RawEntry]]:
        """Return what has waited for no time after ``until_ms``, and forget it."""
        released = []
        while self._line and self._line[0][1].at_ms <= until_ms:
            released.append(self._line.popleft())
        while self._others and self._others[0][0] <= until_ms:
            *_, owner, entry = heapq.heappop(self._others)
            released.append((owner, entry))
        return released
