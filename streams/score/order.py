"""The order in which things happen to the stories of one partition.

Owns what waits for the watermark, by time: signals by (``at_ms``, source, offset), and after all signals of a time the
merges of that time, by the decisions behind them, a story leaving before another takes it in. That is one order for all
partitions together, so those that wait for each other's transfers never wait in a circle. Between two merges stories
have nothing to do with each other, so there the order is kept for each story by itself.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from streams.records.stories import StoryInfo
from streams.records.story_activity import Entry, Merging, Transfer

__all__ = ["Joining", "Lane", "Leaving", "Line", "Moving", "Parcel", "Run", "Turn"]

Place = tuple[int, int, int]
"""Of a signal in the order of all: its time, its source and its offset there."""


@dataclass(slots=True)
class Parcel:
    """One record of ``story-activity``: done when all it carries is applied."""

    event: object
    left: int = 0


class Run:
    """The signals that one record brought for one story, in their order: applied together as far as time allows.

    ``redirected``: they were meant for a story that was merged into this one.
    """

    __slots__ = ("_entries", "_next", "parcel", "redirected", "source", "story")

    def __init__(
        self, parcel: Parcel, source: int, story: StoryInfo, entries: Iterable[Entry], *, redirected: bool
    ) -> None:
        self.parcel = parcel
        self.source = source
        self.story = story
        self.redirected = redirected
        self._entries = sorted(entries, key=attrgetter("at_ms", "offset"))
        self._next = 0

    def __bool__(self) -> bool:
        """Whether any are left."""
        return self._next < len(self._entries)

    @property
    def place(self) -> Place:
        """The place of the next in the order of all signals."""
        entry = self._entries[self._next]
        return entry.at_ms, self.source, entry.offset

    def take(self, until_ms: int) -> list[Entry]:
        """Return those up to ``until_ms``, and forget them."""
        entries, begin = self._entries, self._next
        if entries[-1].at_ms <= until_ms:
            self._next = len(entries)
        else:
            self._next = bisect_right(entries, until_ms, begin, key=attrgetter("at_ms"))
        return entries[begin : self._next]


@dataclass(slots=True)
class Lane:
    """How many runs of one source wait for one story, and the low water mark that they brought."""

    runs: int = 0
    low: int = 0


@dataclass(slots=True, frozen=True)
class Leaving:
    """A story of this partition is merged into another."""

    parcel: Parcel
    merging: Merging


@dataclass(slots=True, frozen=True)
class Moving:
    """What a story leaves has arrived at the story that takes it in."""

    parcel: Parcel
    transfer: Transfer

    @property
    def merging(self) -> Merging:
        """The merge that it belongs to."""
        return self.transfer.merging


@dataclass(slots=True)
class Joining:
    """A story of this partition takes another in: nothing later happens before its transfer has come.

    ``since``: when that wait began, in monotonic seconds.
    """

    parcel: Parcel
    merging: Merging
    since: float | None = None


Turn = Leaving | Moving | Joining
"""A part of a merge."""


class Line:
    """What waits."""

    def __init__(self) -> None:
        self._runs: dict[str, list[Run]] = {}
        """By story."""
        self._first: dict[str, Place] = {}
        """The place of the next signal of each story."""
        self._heads: list[tuple[Place, str]] = []
        """The same, and places that have been passed or undercut since."""
        self._turns: list[tuple[int, int, int, int, int, Turn]] = []
        self._count = itertools.count()  # keeps what comes twice from comparing what cannot be compared

    def __len__(self) -> int:
        return len(self._runs) + len(self._turns)

    @property
    def next_ms(self) -> int | None:
        """The time of the next, None if nothing waits."""
        head = self._head()
        nexts = [] if head is None else [head[0][0]]
        if self._turns:
            nexts.append(self._turns[0][0])
        return min(nexts, default=None)

    def add_run(self, run: Run) -> None:
        """Let the signals of ``run``, which is not empty, wait for their time."""
        run.parcel.left += 1
        self._runs.setdefault(run.story.id, []).append(run)
        self._expect(run.story.id, run.place)

    def add_turn(self, turn: Turn) -> None:
        """Let a part of a merge wait for its time."""
        turn.parcel.left += 1
        merging = turn.merging
        step = 0 if isinstance(turn, Leaving) else 1
        number = 2 * merging.number + isinstance(turn, Joining)
        place = merging.at_ms, merging.sequence, step, number
        heapq.heappush(self._turns, (*place, next(self._count), turn))

    def stories(self, until_ms: int) -> Iterator[list[tuple[Run, list[Entry]]]]:
        """Yield, story by story, its runs with their signals up to ``until_ms`` and to the next merge; forget those."""
        if self._turns:
            until_ms = min(until_ms, self._turns[0][0])
        while (head := self._head()) is not None and head[0][0] <= until_ms:
            story = head[1]
            runs = self._runs.pop(story)
            del self._first[story]
            yield [(run, entries) for run in runs if (entries := run.take(until_ms))]
            left = []
            for run in runs:
                if run:
                    left.append(run)
                    self._expect(story, run.place)
                else:
                    run.parcel.left -= 1
            if left:
                self._runs[story] = left

    def _expect(self, story: str, place: Place) -> None:
        first = self._first.get(story)
        if first is None or place < first:
            self._first[story] = place
            heapq.heappush(self._heads, (place, story))

    def _head(self) -> tuple[Place, str] | None:
        """Return the place of the next signal, and its story."""
        heads = self._heads
        while heads and self._first.get(heads[0][1]) != heads[0][0]:
            heapq.heappop(heads)
        return heads[0] if heads else None

    def turn(self, until_ms: int) -> Turn | None:
        """Return the next part of a merge, if its time is up at ``until_ms`` and no signal comes before it."""
        return self._turns[0][-1] if self._turns and self._turns[0][0] <= until_ms else None

    def drop_turn(self) -> None:
        """Forget the next part of a merge."""
        turn = heapq.heappop(self._turns)[-1]
        turn.parcel.left -= 1

    def drop_waits(self, merging: Merging) -> None:
        """Wait no longer for the transfer of ``merging``, if that is what comes next."""
        while (
            self._turns and isinstance(turn := self._turns[0][-1], Joining) and turn.merging.gone.id == merging.gone.id
        ):
            self.drop_turn()
