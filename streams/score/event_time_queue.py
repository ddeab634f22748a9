"""What waits for the watermark in one partition: signals and merges, in event-time order.

Owns that order. Signals come by (``at_ms``, source, offset). After all signals of a time come its merges, in the order
of the decisions behind them, and merge-outs before transfers and merge-ins. This is one order for all partitions, so
those that wait for each other's transfers never wait in a circle. Between two merges, stories are independent, so there
the order is kept within each story only. Pure.
"""

import heapq
import itertools
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from streams.records.stories import StoryInfo
from streams.records.story_activity import (
    Activity,
    Entry,
    ForwardedSignals,
    MergeIn,
    MergeOut,
    Merging,
    StorySignals,
    TransferArrival,
    WatermarkAdvance,
)

Position = tuple[int, int, int]
"""Of a signal in the order of all: its time, its source and its offset there."""


@dataclass(slots=True)
class PendingRecord:
    """One record of ``story-activity``: applied when none of its parts is left."""

    parts: int = 0


class SignalBatch:
    """The signals that one record has for one story, in order. ``redirected``: meant for a story merged into it."""

    __slots__ = ("_entries", "_next", "record", "redirected", "source", "story")

    def __init__(
        self, record: PendingRecord, source: int, story: StoryInfo, entries: tuple[Entry, ...], *, redirected: bool
    ) -> None:
        self.record = record
        self.source = source
        self.story = story
        self.redirected = redirected
        self._entries = sorted(entries, key=attrgetter("at_ms", "offset"))
        self._next = 0

    def __bool__(self) -> bool:
        """Whether any are left."""
        return self._next < len(self._entries)

    @property
    def position(self) -> Position:
        """The position of the next signal."""
        entry = self._entries[self._next]
        return entry.at_ms, self.source, entry.offset

    def take(self, until_ms: int) -> list[Entry]:
        """Remove and return the signals up to ``until_ms``."""
        entries, begin = self._entries, self._next
        if entries[-1].at_ms <= until_ms:
            self._next = len(entries)
        else:
            self._next = bisect_right(entries, until_ms, begin, key=attrgetter("at_ms"))
        return entries[begin : self._next]


class DueSignals(NamedTuple):
    """Signals of one batch whose time has come.

    ``low``: the source's low-water mark for the story once they are applied. It is 0 while other batches of the source
    wait for the story: an earlier one may hold an offset below it.
    """

    batch: SignalBatch
    entries: list[Entry]
    low: int


@dataclass(slots=True)
class MergeStep:
    """A part of a merge. ``since``: when a merge-in began to wait for its transfer, in monotonic seconds."""

    record: PendingRecord
    activity: MergeOut | MergeIn | TransferArrival
    since: float | None = None


@dataclass(slots=True)
class _Waiting:
    """How many batches of one source wait for one story, and the highest low-water mark of them."""

    batches: int = 0
    low: int = 0


class EventTimeQueue:
    """Everything that waits."""

    def __init__(self) -> None:
        self._batches: dict[str, list[SignalBatch]] = {}
        """By story."""
        self._waiting: dict[tuple[str, int], _Waiting] = {}
        """By story and source."""
        self._first: dict[str, Position] = {}
        """The position of the next signal of each story."""
        self._heads: list[tuple[Position, str]] = []
        """The same as a heap, with positions that are outdated."""
        self._merges: list[tuple[int, int, int, int, int, MergeStep]] = []
        self._count = itertools.count()  # breaks ties, since steps cannot be compared

    def __len__(self) -> int:
        return len(self._batches) + len(self._merges)

    @property
    def next_ms(self) -> int | None:
        """The time of the next signal or merge; None if nothing waits."""
        head = self._head()
        nexts = [] if head is None else [head[0][0]]
        if self._merges:
            nexts.append(self._merges[0][0])
        return min(nexts, default=None)

    def add(self, activity: Activity, record: PendingRecord) -> None:
        """Queue what ``activity``, a part of ``record``, says of stories."""
        match activity:
            case StorySignals(mark=mark, low=low, story=story, entries=entries, redirected=redirected):
                if not entries:
                    return
                self._add_signals(SignalBatch(record, mark.source, story, entries, redirected=redirected), low)
            case ForwardedSignals(story=story, entries=entries, source=source):
                self._add_signals(SignalBatch(record, source, story, entries, redirected=True), 0)
            case WatermarkAdvance():
                return
            case _:
                merging = activity.merging
                is_merge_out, is_merge_in = isinstance(activity, MergeOut), isinstance(activity, MergeIn)
                order = merging.at_ms, merging.sequence, 1 - is_merge_out, 2 * merging.number + is_merge_in
                heapq.heappush(self._merges, (*order, next(self._count), MergeStep(record, activity)))
        record.parts += 1

    def _add_signals(self, batch: SignalBatch, low: int) -> None:
        story = batch.story.id
        self._batches.setdefault(story, []).append(batch)
        waiting = self._waiting.setdefault((story, batch.source), _Waiting())
        waiting.batches += 1
        waiting.low = max(waiting.low, low)
        self._expect(story, batch.position)

    def due_signals(self, until_ms: int) -> Iterator[list[DueSignals]]:
        """Remove and yield, story by story, the signals up to ``until_ms`` and to the next merge."""
        if self._merges:
            until_ms = min(until_ms, self._merges[0][0])
        while (head := self._head()) is not None and head[0][0] <= until_ms:
            story = head[1]
            batches = self._batches.pop(story)
            del self._first[story]
            taken = [(batch, entries) for batch in batches if (entries := batch.take(until_ms))]
            yield [DueSignals(batch, entries, 0 if batch else self._finish(batch)) for batch, entries in taken]
            left = []
            for batch in batches:
                if batch:
                    left.append(batch)
                    self._expect(story, batch.position)
                else:
                    batch.record.parts -= 1
            if left:
                self._batches[story] = left

    def _finish(self, batch: SignalBatch) -> int:
        """Note that ``batch`` is taken completely; return the low-water mark that holds once it is applied, or 0."""
        place = batch.story.id, batch.source
        waiting = self._waiting[place]
        waiting.batches -= 1
        return 0 if waiting.batches else self._waiting.pop(place).low

    def _expect(self, story: str, position: Position) -> None:
        first = self._first.get(story)
        if first is None or position < first:
            self._first[story] = position
            heapq.heappush(self._heads, (position, story))

    def _head(self) -> tuple[Position, str] | None:
        """Return the position of the next signal, and its story."""
        heads = self._heads
        while heads and self._first.get(heads[0][1]) != heads[0][0]:
            heapq.heappop(heads)
        return heads[0] if heads else None

    def due_merge(self, until_ms: int) -> MergeStep | None:
        """Return the next part of a merge if its time has come by ``until_ms`` and no signal comes before it."""
        return self._merges[0][-1] if self._merges and self._merges[0][0] <= until_ms else None

    def drop_merge(self) -> None:
        """Remove the next part of a merge."""
        heapq.heappop(self._merges)[-1].record.parts -= 1

    def drop_merge_ins(self, merging: Merging) -> None:
        """Remove what waits for the transfer of ``merging``, if that comes next."""
        while self._merges and isinstance(activity := self._merges[0][-1].activity, MergeIn):
            if activity.merging.gone.id != merging.gone.id:
                return
            self.drop_merge()
