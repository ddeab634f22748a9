"""Threads: which post is at the root of the thread that a comment is in.

Owns the walk from a comment up to its post, which an item does not name. It caches the results, bounded by number and
by age. Must never know what becomes of an item.
"""

from collections.abc import Callable
from typing import Final

from cachetools import TTLCache

from ingest.http import Answer
from ingest.platforms.hackernews.client import HackerNewsClient
from ingest.platforms.hackernews.convert import parent_id

MAX_ROOTS: Final = 200_000
"""Most items whose root is cached, in at most 64 MB; three days have some 40 000."""
MAX_DEPTH: Final = 200
"""Longest walk; a deeper comment counts as one without a root. The deepest threads have some 60 levels."""


class Threads:
    """The roots of items, each cached for ``kept_ms`` after it was last seen."""

    def __init__(self, kept_ms: int, now_ms: Callable[[], int]) -> None:
        self._roots: TTLCache[int, int] = TTLCache(MAX_ROOTS, kept_ms, timer=now_ms)

    def remember(self, id_: int, root_id: int) -> None:
        """Cache that ``id_`` is in the thread of ``root_id``."""
        self._roots[id_] = root_id

    def root_id(self, id_: int, items: dict[int, Answer]) -> int | None:
        """Return the root of the thread that ``id_`` is in; None if the way to it is broken or too long."""
        last, root_id = self._climb(id_, items)
        if root_id is not None:
            return root_id
        at_the_top = last in items and items[last].json is not None and parent_id(items[last].json) is None
        return last if at_the_top else None

    async def fetch_ancestors(self, items: dict[int, Answer], client: HackerNewsClient) -> set[int]:
        """Add the ancestors of comments to ``items``, up to their roots; return the ids for which that failed."""
        unreachable: set[int] = set()
        for _ in range(MAX_DEPTH):
            needed = {id_ for id_ in self._ends(items).values() if id_ not in items} - unreachable
            if not needed:
                break
            fetched = await client.items(sorted(needed))
            items.update(fetched.items)
            unreachable.update(fetched.failed)
        return {id_ for id_, end in self._ends(items).items() if end in unreachable}

    def _ends(self, items: dict[int, Answer]) -> dict[int, int]:
        """Return where the way up from each item ends, leaving out ways that end at a cached root."""
        climbs = {id_: self._climb(id_, items) for id_ in items}
        return {id_: last for id_, (last, root_id) in climbs.items() if root_id is None}

    def _climb(self, id_: int, items: dict[int, Answer]) -> tuple[int, int | None]:
        """Go up from ``id_`` as far as possible; return where that ended, and the root if it is cached."""
        for _ in range(MAX_DEPTH):
            if (root_id := self._roots.get(id_)) is not None:
                return id_, root_id
            parent = parent_id(items[id_].json) if id_ in items else None
            if parent is None:
                break
            id_ = parent
        return id_, None
