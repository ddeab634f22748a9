"""Tracked items: which known items to poll again, and when, because their counts grow.

Owns the schedule of re-observation; it bounds the items by number and by age. Must never know how an item is fetched,
nor read a clock. Ages and intervals are in the time of the items (``now_ms``, which in a simulated world runs faster).
How many requests a real second may carry is up to the rate limiter.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.signal import MAX_COUNT, Signal

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS

INTERVALS: Final = ((1 * HOUR_MS, 3 * MINUTE_MS), (6 * HOUR_MS, 10 * MINUTE_MS), (24 * HOUR_MS, 30 * MINUTE_MS))
"""(younger than, polled every): a young item grows fastest."""
OLD_INTERVAL_MS: Final = 2 * HOUR_MS
LOUD_PER_HOUR: Final = 60.0
"""An item that gained this many interactions an hour since it was last polled is loud."""
LOUD_FACTOR: Final = 4
"""A loud item is polled this many times as often."""
LEAST_PER_HOUR: Final = 1.0
"""The least that an item is expected to gain, so that a quiet one is asked for in the end, too."""
UNKNOWN_PER_HOUR: Final = 10.0
"""Expected of an item that was observed once, or by an earlier process."""


@dataclass(slots=True)
class _Tracked:
    created_ms: int
    due_ms: int
    observed_ms: int | None = None
    interactions: int = 0
    per_hour: float = UNKNOWN_PER_HOUR

    def expected(self, now_ms: int) -> float:
        """Return how many interactions a poll at ``now_ms`` is expected to find more than are known."""
        since_ms = self.created_ms if self.observed_ms is None else self.observed_ms
        return max(self.per_hour, LEAST_PER_HOUR) * (now_ms - since_ms)


class TrackedItems:
    """Items to poll again until they are ``max_age_ms`` old; at most ``max_items``, those that are due soonest."""

    def __init__(self, max_items: int, max_age_ms: int) -> None:
        self._max_items = max_items
        self._max_age_ms = max_age_ms
        self._items: dict[str, _Tracked] = {}
        self._queue: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._items)

    def ids(self) -> list[str]:
        """Return the ids of all tracked items, longest-tracked first."""
        return list(self._items)

    def restore(self, ids: Iterable[str], now_ms: int) -> None:
        """Track items again whose ids were saved; they are due at once."""
        for id_ in ids:
            if id_ not in self._items:
                self._schedule(id_, _Tracked(created_ms=now_ms, due_ms=now_ms))

    def observe(self, signal: Signal) -> None:
        """Record an observation of an item: it sets when to poll the item again, or that the item is too old."""
        age_ms = signal.observed_ms - signal.created_ms
        if age_ms >= self._max_age_ms:
            self.remove(signal.id)
            return
        item = self._items.get(signal.id)
        if item is None:
            item = _Tracked(created_ms=signal.created_ms, due_ms=0)
        counts = signal.counts  # with the weights by which noise is scored:
        gained = (counts.likes or 0) + 2 * (counts.replies or 0) + 3 * (counts.shares or 0)
        interactions = max(0, min(gained, MAX_COUNT))  # whatever a platform says; readers reject more
        interval_ms = _interval_ms(age_ms)
        # A first observation has nothing to compare with: the item's age stands in for the time since the last one.
        since_ms = signal.observed_ms - (signal.created_ms if item.observed_ms is None else item.observed_ms)
        item.per_hour = (interactions - item.interactions) * HOUR_MS / max(since_ms, MINUTE_MS)
        if item.per_hour >= LOUD_PER_HOUR:
            interval_ms //= LOUD_FACTOR
        item.created_ms = signal.created_ms
        item.observed_ms = signal.observed_ms
        item.interactions = interactions
        item.due_ms = signal.observed_ms + interval_ms
        self._schedule(signal.id, item)

    def due(self, now_ms: int, max_ids: int) -> list[str]:
        """Return the ids of up to ``max_ids`` items that are due: those that are expected to have changed most.

        Of items that grow alike these are the longest overdue. Each is put off by its usual interval. So an item that
        the platform no longer gives is due again, until it is too old. An observation sets the time again.
        """
        due: dict[str, _Tracked] = {}
        while self._queue and self._queue[0][0] <= now_ms:
            due_ms, id_ = heapq.heappop(self._queue)
            item = self._items.get(id_)
            if item is None or item.due_ms != due_ms:
                continue  # removed, or scheduled again since
            if now_ms - item.created_ms >= self._max_age_ms:
                self.remove(id_)
            else:
                due[id_] = item
        chosen = heapq.nsmallest(max_ids, due, key=lambda id_: (-due[id_].expected(now_ms), due[id_].due_ms, id_))
        for id_ in chosen:
            item = due.pop(id_)
            item.due_ms = now_ms + _interval_ms(now_ms - item.created_ms)
            self._schedule(id_, item)
        for id_, item in due.items():
            heapq.heappush(self._queue, (item.due_ms, id_))
        return chosen

    def remove(self, id_: str) -> None:
        """Stop tracking an item."""
        self._items.pop(id_, None)

    def _schedule(self, id_: str, item: _Tracked) -> None:
        self._items[id_] = item
        heapq.heappush(self._queue, (item.due_ms, id_))
        if len(self._items) > self._max_items or len(self._queue) > 4 * self._max_items:
            self._trim()

    def _trim(self) -> None:
        """Keep the nine tenths that are due soonest, and one entry in the queue for each."""
        urgent = sorted(self._items.items(), key=lambda entry: (entry[1].due_ms, entry[0]))
        keep = {id_ for id_, _ in urgent[: max(1, self._max_items * 9 // 10)]}
        self._items = {id_: item for id_, item in self._items.items() if id_ in keep}
        self._queue = [(item.due_ms, id_) for id_, item in self._items.items()]
        heapq.heapify(self._queue)


def _interval_ms(age_ms: int) -> int:
    """Return the time between two polls of an item of that age."""
    return next((interval_ms for limit_ms, interval_ms in INTERVALS if age_ms < limit_ms), OLD_INTERVAL_MS)
