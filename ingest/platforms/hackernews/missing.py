"""Missing items: announced by the platform, but not given, or not yet.

Owns when to ask again and when to stop; it bounds the tries for each item. Must never know why an item is missing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class _Try(NamedTuple):
    tries: int
    due_at: float


class MissingItems:
    """Ids to ask for again every ``retry_seconds``, at most ``max_tries`` times in all. ``clock``: real seconds."""

    def __init__(
        self, retry_seconds: float, max_tries: int, clock: Callable[[], float], ids: Iterable[int] = ()
    ) -> None:
        self._retry_seconds = retry_seconds
        self._max_tries = max_tries
        self._clock = clock
        self._items = {id_: _Try(0, 0.0) for id_ in ids}

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._items

    def ids(self) -> list[int]:
        """Return the ids in order."""
        return sorted(self._items)

    def due(self) -> list[int]:
        """Return the ids to ask for now."""
        now = self._clock()
        return [id_ for id_, item in self._items.items() if item.due_at <= now]

    def add(self, id_: int) -> bool:
        """Record that ``id_`` did not come; return False after the last try, and then drop it."""
        tries = self._items[id_].tries + 1 if id_ in self._items else 1
        if tries >= self._max_tries:
            self.discard(id_)
            return False
        self._items[id_] = _Try(tries, self._clock() + self._retry_seconds)
        return True

    def discard(self, id_: int) -> None:
        """Record that ``id_`` has come."""
        self._items.pop(id_, None)
