"""The reorder buffer: signals of known threads that wait until every decision before them is known.

Owns their order. A replay reads a source ahead of the decisions. A later decision may merge stories, and so
change the story that a signal belongs to. Pure.
"""

import heapq
from collections import deque
from typing import NamedTuple

from streams.records.story_activity import RawEntry


class ResumePoint(NamedTuple):
    """Where a router may resume its source: at ``offset``, when the time of the source was ``stream_ms``."""

    offset: int
    stream_ms: int


class ReorderBuffer:
    """Waiting entries by time, each with its thread and the stories of that.

    Most arrive in the order of time, and a deque holds those cheaply.
    """

    def __init__(self) -> None:
        self._in_order: deque[tuple[str, tuple[str, ...], RawEntry]] = deque()
        self._out_of_order: list[tuple[int, int, ResumePoint, str, tuple[str, ...], RawEntry]] = []

    def __len__(self) -> int:
        return len(self._in_order) + len(self._out_of_order)

    @property
    def first_ms(self) -> int | None:
        """The time of the first waiting entry, None if none waits."""
        firsts = [self._in_order[0][-1].at_ms] if self._in_order else []
        if self._out_of_order:
            firsts.append(self._out_of_order[0][0])
        return min(firsts, default=None)

    @property
    def resume_point(self) -> ResumePoint | None:
        """A point before every waiting entry, None if none waits."""
        points = [waiting[2] for waiting in self._out_of_order]
        if self._in_order:
            first = self._in_order[0][-1]
            points.append(ResumePoint(first.offset, first.at_ms))
        return min(points, default=None)

    def add(self, thread: str, stories: tuple[str, ...], entry: RawEntry, resume_point: ResumePoint) -> None:
        """Add ``entry``; a router that resumes at ``resume_point`` reads it again."""
        last = self._in_order[-1][-1] if self._in_order else None
        is_own_point = resume_point == (entry.offset, entry.at_ms)
        if is_own_point and (last is None or (last.at_ms <= entry.at_ms and last.offset < entry.offset)):
            self._in_order.append((thread, stories, entry))
        else:
            heapq.heappush(self._out_of_order, (entry.at_ms, entry.offset, resume_point, thread, stories, entry))

    def release(self, until_ms: float) -> list[tuple[str, tuple[str, ...], RawEntry]]:
        """Remove and return the entries up to ``until_ms``."""
        released = []
        while self._in_order and self._in_order[0][-1].at_ms <= until_ms:
            released.append(self._in_order.popleft())
        while self._out_of_order and self._out_of_order[0][0] <= until_ms:
            released.append(heapq.heappop(self._out_of_order)[3:])
        return released
