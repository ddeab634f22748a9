"""How far a timeline was read.

Owns the place up to which a timeline is complete, and the decision what to ask for next. Must never fetch, nor know
what a status says.

Local ids begin with the time of creation. A status from another instance arrives seconds or minutes later, and then
stands between others that were read before. So a timeline counts as read only up to some time ago. Each poll reads the
newest page. If that page does not reach back to this time, the statuses between are caught up on, oldest first.
Meanwhile the newest page goes on to be read.
"""

from collections.abc import Iterable
from typing import Final

from ingest.platforms.mastodon.client import PAGE_ITEMS
from ingest.platforms.mastodon.identity import local_id_at

FULL_PAGE: Final = PAGE_ITEMS * 3 // 4
"""A page of so many statuses may have been cut: instances take deleted statuses out of a page after cutting it."""


class Timeline:
    """The timeline at ``path``. ``read_to``: every status with a smaller local id was read.

    ``is_behind``: whether there are statuses to catch up on. ``empty_pages``: in a row. ``late_ms``: how late statuses
    may arrive.
    """

    def __init__(self, path: str, read_to: int, late_ms: int) -> None:
        self.path = path
        self.read_to = read_to
        self.is_behind = False
        self.empty_pages = 0
        self._late_ms = late_ms

    def newest(self, ids: Iterable[int], now_ms: int) -> None:
        """Record the newest page, by the local ids on it.

        An empty page says nothing of what was read: a timeline with statuses does not become empty.
        """
        page = list(ids)
        self.empty_pages = 0 if page else self.empty_pages + 1
        if not page:
            return
        self.is_behind = len(page) >= FULL_PAGE and min(page) > self.read_to
        if not self.is_behind:
            self.complete(now_ms)

    def complete(self, now_ms: int) -> None:
        """Record that everything up to now was read, but what arrives late."""
        self.read_to = max(self.read_to, local_id_at(now_ms - self._late_ms))

    def limit(self, earliest_ms: int) -> bool:
        """Give up what is older than ``earliest_ms``; return whether that leaves a gap."""
        earliest = local_id_at(earliest_ms)
        if self.read_to >= earliest:
            return False
        self.read_to = earliest
        return True

    def next_page(self, now_ms: int) -> tuple[int, int]:
        """Return the ``min_id`` and the ``max_id`` of the next page to catch up on; both are exclusive."""
        return max(0, self.read_to - 1), local_id_at(now_ms - self._late_ms)

    def caught_up(self, ids: Iterable[int], max_id: int) -> None:
        """Record a page that was asked for with ``max_id``, by the local ids on it."""
        page = [id_ for id_ in ids if self.read_to <= id_ < max_id]
        self.is_behind = len(page) >= FULL_PAGE
        self.read_to = max(page) + 1 if self.is_behind else max(self.read_to, max_id)
