"""Early items: replies that a firehose gave before the root post of their thread.

Owns how long and how many of them wait. Must never know a platform, nor what an item is.
"""

from collections import OrderedDict
from itertools import count
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Waiting(NamedTuple, Generic[T]):
    thread: str
    since_ms: int
    item: T


class EarlyItems(Generic[T]):
    """Items by thread. Each waits for ``wait_ms``; at most ``max_items`` wait, the latest."""

    def __init__(self, max_items: int, wait_ms: int) -> None:
        self._max_items = max_items
        self._wait_ms = wait_ms
        self._numbers = count()
        self._items: OrderedDict[int, _Waiting[T]] = OrderedDict()
        self._by_thread: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._items)

    @property
    def oldest(self) -> T | None:
        """The item that has waited longest."""
        return next(iter(self._items.values())).item if self._items else None

    def add(self, thread: str, item: T, now_ms: int) -> None:
        """Let ``item`` wait for the root post of ``thread``."""
        number = next(self._numbers)
        self._items[number] = _Waiting(thread, now_ms, item)
        self._by_thread.setdefault(thread, []).append(number)

    def take(self, thread: str) -> list[T]:
        """Return what waits for ``thread``, oldest first; it waits no longer."""
        return [self._items.pop(number).item for number in self._by_thread.pop(thread, ())]

    def drop_late(self, now_ms: int) -> int:
        """Drop the items that waited too long, and the oldest beyond the limit; return how many."""
        dropped = 0
        while self._items:
            number, waiting = next(iter(self._items.items()))
            if waiting.since_ms >= now_ms - self._wait_ms and len(self._items) <= self._max_items:
                break
            del self._items[number]
            siblings = self._by_thread[waiting.thread]
            siblings.remove(number)
            if not siblings:
                del self._by_thread[waiting.thread]
            dropped += 1
        return dropped
