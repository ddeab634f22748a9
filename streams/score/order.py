"""The order in which things happen to the stories of one partition.

Owns what waits for the watermark, by time: signals by (``at_ms``, source, offset), and after all signals of a time the
merges of that time, by the decisions behind them, a story leaving before another takes it in. That is one order for all
partitions together, so those that wait for each other's transfers never wait in a circle.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.signal import Signal
from streams.wire import Activity, Merging, StoryInfo, Transfer

__all__ = ["Held", "Item", "Joining", "Leaving", "Line", "Moving", "Parcel", "of_merges"]


@dataclass(slots=True)
class Parcel:
    """One record of ``story-activity``: done when all it carries is applied."""

    event: object
    left: int = 0


@dataclass(slots=True, frozen=True)
class Held:
    """One signal. ``redirected``: it was meant for a story that was merged into this one."""

    parcel: Parcel
    source: int
    offset: int
    story: StoryInfo
    signal: Signal
    redirected: bool


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


Item = Held | Leaving | Moving | Joining


def of_merges(parcel: Parcel, activity: Activity) -> Iterator[Leaving | Moving | Joining]:
    """Yield what ``activity``, which came in ``parcel``, says of merges."""
    if activity.leaving is not None:
        yield Leaving(parcel, activity.leaving)
    if activity.joining is not None:
        yield Joining(parcel, activity.joining)
    if activity.transfer is not None:
        yield Moving(parcel, activity.transfer)


class Line:
    """What waits, the next first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int, int, int, Item]] = []
        self._count = itertools.count()  # keeps what comes twice from comparing what cannot be compared

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_ms(self) -> int | None:
        """The time of the next, None if nothing waits."""
        return self._heap[0][0] if self._heap else None

    @property
    def next(self) -> Item | None:
        """The next, None if nothing waits."""
        return self._heap[0][-1] if self._heap else None

    def add(self, at_ms: int, item: Item) -> None:
        """Let ``item`` wait for its time."""
        item.parcel.left += 1
        if isinstance(item, Held):
            heapq.heappush(self._heap, (at_ms, -1, 0, item.source, item.offset, next(self._count), item))
            return
        merging = item.merging
        step = 0 if isinstance(item, Leaving) else 1
        number = 2 * merging.number + isinstance(item, Joining)
        heapq.heappush(self._heap, (at_ms, merging.sequence, step, number, 0, next(self._count), item))

    def drop_waits(self, merging: Merging) -> None:
        """Wait no longer for the transfer of ``merging``, if that is what comes next."""
        while isinstance(item := self.next, Joining) and item.merging.gone.id == merging.gone.id:
            self.pop()

    def pop(self) -> tuple[int, Item]:
        """Return the next and its time, and forget it; its parcel has one less to wait for."""
        at_ms, *_, item = heapq.heappop(self._heap)
        item.parcel.left -= 1
        return at_ms, item
