"""Missing items: announced by the platform, but not given, or not yet.

Owns when to ask again and when to stop asking. Must never know why an item is missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Missing"]


@dataclass(slots=True)
class _Try:
    tries: int
    due_at: float


class Missing:
    """Ids to ask for again every ``retry_seconds``, at most ``max_tries`` times in all."""

    def __init__(self, retry_seconds: float, max_tries: int, ids: Iterable[int] = ()) -> None:
        self._retry_seconds = retry_seconds
        self._max_tries = max_tries
        self._items = {id_: _Try(0, 0.0) for id_ in ids}

    def __len__(self) -> int:
        return len(self._items)

    def ids(self) -> list[int]:
        """Return the ids in order."""
        return sorted(self._items)

    def due(self) -> list[int]:
        """Return the ids to ask for now."""
        now = time.monotonic()
        return [id_ for id_, item in self._items.items() if item.due_at <= now]

    def add(self, id_: int) -> bool:
        """Note that ``id_`` did not come; return False if it was asked for often enough, and then forget it."""
        tries = self._items[id_].tries + 1 if id_ in self._items else 1
        if tries >= self._max_tries:
            self.discard(id_)
            return False
        self._items[id_] = _Try(tries, time.monotonic() + self._retry_seconds)
        return True

    def discard(self, id_: int) -> None:
        """Note that ``id_`` has come."""
        self._items.pop(id_, None)
