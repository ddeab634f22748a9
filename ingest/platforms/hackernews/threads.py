"""Threads: which post is at the root of the thread that a comment is in.

Owns the walk from a comment up to its post, which an item does not name, and a bounded memory of walks done. Must
never know what becomes of an item.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ingest.memory.recent import Recent
from ingest.platforms.hackernews.client import HackerNewsClient, Item
from ingest.platforms.hackernews.convert import parent_id

__all__ = ["Threads"]

MAX_ROOTS: Final = 200_000
MAX_DEPTH: Final = 200
"""A comment deeper than that has no root as far as we are concerned. The deepest threads have some 60 levels."""


class Threads:
    """The roots of items, as far as they are known; see :class:`ingest.memory.recent.Recent`."""

    def __init__(self, kept_ms: int, now_ms: Callable[[], int]) -> None:
        self._roots: Recent[int, int] = Recent(MAX_ROOTS, kept_ms, now_ms)

    def remember(self, id_: int, root_id: int) -> None:
        """Keep in mind that ``id_`` is in the thread of ``root_id``."""
        self._roots.put(id_, root_id)

    def is_known_comment(self, id_: int) -> bool:
        """True for an item that is known to hang on another."""
        return self._roots.get(id_) not in {None, id_}

    def root_id(self, id_: int, items: dict[int, Item]) -> int | None:
        """Return the root of the thread that ``id_`` is in; None if the way to it is broken or too long."""
        last, known = self._climb(id_, items)
        if known:
            return self._roots.get(last)
        at_the_top = last in items and items[last].raw is not None and parent_id(items[last].raw) is None
        return last if at_the_top else None

    async def fetch_ancestors(self, items: dict[int, Item], client: HackerNewsClient) -> set[int]:
        """Add to ``items`` what its comments hang on, up to their roots; return the ids for which that failed."""
        unreachable: set[int] = set()
        for _ in range(MAX_DEPTH):
            needed = {id_ for id_ in self._ends(items).values() if id_ not in items} - unreachable
            if not needed:
                break
            fetched = await client.items(sorted(needed))
            items.update(fetched.items)
            unreachable.update(fetched.failed)
        return {id_ for id_, end in self._ends(items).items() if end in unreachable}

    def _ends(self, items: dict[int, Item]) -> dict[int, int]:
        """Return where the way up from each item ends, leaving out ways that end at a known item."""
        climbs = {id_: self._climb(id_, items) for id_ in items}
        return {id_: last for id_, (last, known) in climbs.items() if not known}

    def _climb(self, id_: int, items: dict[int, Item]) -> tuple[int, bool]:
        """Go up from ``id_`` as far as possible; return where that ended, and whether its root is remembered."""
        for _ in range(MAX_DEPTH):
            if id_ in self._roots:
                return id_, True
            parent = parent_id(items[id_].raw) if id_ in items else None
            if parent is None:
                break
            id_ = parent
        return id_, False
