"""Published items: which of the platform's ids became signals.

Owns that memory, in little room: ids are read in sequence, so all of a span are published but for the exceptions. Must
never know what an item is.
"""

from collections.abc import Iterable
from typing import Final

MAX_EXCEPTIONS: Final = 50_000
"""Most ids of each kind that differ from the span: of the items of some days a tenth is dead or deleted at once."""


class Published:
    """The ids from ``since_id`` to below the next one to read, less the ignored ones, and others that were published.

    ``since_id``: None before the first poll. ``ids``: others, of a cursor. After a restart the ignored ids of before
    count as published. It is better to take back an item that no one knows than to keep one that was deleted.
    """

    def __init__(self, since_id: int | None, ids: Iterable[int]) -> None:
        self.since_id = since_id
        self._ignored: dict[int, None] = {}
        self._others = dict.fromkeys(ids)

    def contains(self, id_: int, next_id: int | None) -> bool:
        """Return whether the item became a signal. ``next_id``: all ids below were read."""
        if self.since_id is None or next_id is None or not self.since_id <= id_ < next_id:
            return id_ in self._others
        return id_ not in self._ignored

    def add(self, id_: int) -> None:
        """Record that the item became a signal."""
        self._ignored.pop(id_, None)
        if self.since_id is None or id_ < self.since_id:
            _add(self._others, id_)

    def ignore(self, id_: int) -> None:
        """Record that the item was read and did not become a signal."""
        _add(self._ignored, id_)


def _add(ids: dict[int, None], id_: int) -> None:
    ids[id_] = None
    if len(ids) > MAX_EXCEPTIONS:
        del ids[next(iter(ids))]
