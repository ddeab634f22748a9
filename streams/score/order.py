"""The order in which things happen to the stories of one partition.

Owns what waits for the watermark, by time: signals by (``at_ms``, source, offset), and after all signals of a time the
merges of that time, by the decisions behind them, a story leaving before another takes it in. That is one order for all
partitions together, so those that wait for each other's transfers never wait in a circle. Between two merges stories
have nothing to do with each other, so there the order is kept for each story by itself.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from streams.wire import Activity, Entry, Merging, StoryInfo, Transfer

__all__ = ["Joining", "Lane", "Leaving", "Line", "Moving", "Parcel", "Run", "Turn", "of_merges"]

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
        return self._place(self._entries[self._next])

    def take(self, before: Place) -> list[Entry]:
        """Return the next and all whose place is before that one, and forget them."""
        begin = self._next
        self._next = bisect_left(self._entries, before, begin + 1, key=self._place)
        return self._entries[begin : self._next]

    def _place(self, entry: Entry) -> Place:
        return entry.at_ms, self.source, entry.offset


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


def of_merges(parcel: Parcel, activity: Activity) -> Iterator[Turn]:
    """Yield what ``activity``, which came in ``parcel``, says of merges."""
    if activity.leaving is not None:
        yield Leaving(parcel, activity.leaving)
    if activity.joining is not None:
        yield Joining(parcel, activity.joining)
    if activity.transfer is not None:
        yield Moving(parcel, activity.transfer)


class Line:
    """What waits."""

    def __init__(self) -> None:
        self._runs: list[tuple[Place, int, Run]] = []
        self._of: Counter[str] = Counter()
        """How many runs wait, by story."""
        self._turns: list[tuple[int, int, int, int, int, Turn]] = []
        self._count = itertools.count()  # keeps what comes twice from comparing what cannot be compared

    def __len__(self) -> int:
        return len(self._runs) + len(self._turns)

    @property
    def next_ms(self) -> int | None:
        """The time of the next, None if nothing waits."""
        nexts = [self._runs[0][0][0]] if self._runs else []
        if self._turns:
            nexts.append(self._turns[0][0])
        return min(nexts, default=None)

    def add_run(self, run: Run) -> None:
        """Let the signals of ``run``, which is not empty, wait for their time."""
        run.parcel.left += 1
        self._of[run.story.id] += 1
        heapq.heappush(self._runs, (run.place, next(self._count), run))

    def add_turn(self, turn: Turn) -> None:
        """Let a part of a merge wait for its time."""
        turn.parcel.left += 1
        merging = turn.merging
        step = 0 if isinstance(turn, Leaving) else 1
        number = 2 * merging.number + isinstance(turn, Joining)
        place = merging.at_ms, merging.sequence, step, number
        heapq.heappush(self._turns, (*place, next(self._count), turn))

    def runs(self, until_ms: int) -> Iterator[tuple[Run, list[Entry]]]:
        """Yield runs with their signals up to ``until_ms`` and to the next merge, and forget those.

        Of one story, signals come in their order; of several, a whole run of one may come before what is between.
        """
        if self._turns:
            until_ms = min(until_ms, self._turns[0][0])
        end = (until_ms + 1, 0, 0)
        runs = self._runs
        while runs and runs[0][0] < end:
            run = heapq.heappop(runs)[-1]
            # It may not overtake another run of its story, none of which is before the head of the line.
            yield run, run.take(end if self._of[run.story.id] == 1 else min(end, runs[0][0]))
            if run:
                heapq.heappush(runs, (run.place, next(self._count), run))
                continue
            run.parcel.left -= 1
            self._of[run.story.id] -= 1
            if not self._of[run.story.id]:
                del self._of[run.story.id]

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
