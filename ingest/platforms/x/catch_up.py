"""Catching up: which pages of recent search to read after a break, and when that is done.

Owns the place in the search: the query, the page, and how many posts were read. Pure. Must never ask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

MINUTE_MS: Final = 60_000
OVERLAP_MS: Final = 5 * MINUTE_MS
"""How far a search reaches back beyond the last success: X indexes some posts late. A known post costs nothing."""
REACH_MS: Final = 7 * 24 * 60 * MINUTE_MS - 10 * MINUTE_MS
"""How far recent search reaches back, less some minutes for the clocks."""


class CatchUp:
    """One search for each query, from ``since_ms`` to now, in pages; at most ``max_posts`` for each query.

    ``gaps``: how often posts were certainly missed, because a search ended before its beginning was reached. ``first``:
    it is the first start, so nothing was missed.
    """

    def __init__(self, queries: Iterable[str], since_ms: int, now_ms: int, max_posts: int, *, first: bool) -> None:
        self.began_ms = now_ms
        self.gaps = int(since_ms < now_ms - REACH_MS and not first)
        reach_ms = max(since_ms if first else since_ms - OVERLAP_MS, now_ms - REACH_MS)
        self.since = datetime.fromtimestamp(reach_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.token: str | None = None
        self._queries = deque(queries)
        self._max_posts = max_posts
        self._read = 0
        self._first = first

    @property
    def query(self) -> str:
        """The query to search."""
        return self._queries[0]

    @property
    def wanted(self) -> int:
        """How many posts the query may still read."""
        return max(0, self._max_posts - self._read)

    def page_read(self, posts: int, next_token: str | None) -> bool:
        """Record a page; go on with its next one, or with the next query. Return whether all is read."""
        self._read += posts
        there_is_more = next_token is not None and posts > 0
        if there_is_more and self.wanted:
            self.token = next_token
            return False
        self.gaps += int(there_is_more and not self._first)
        self._queries.popleft()
        self.token, self._read = None, 0
        return not self._queries
