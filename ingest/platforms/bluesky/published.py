"""What was published: which threads passed, and which items can be taken back.

Owns the way from an item to its thread, for reposts and deletions. Both memories are bounded: root posts are known by a
key of a few bytes, for long; replies and reposts by their id, for less. Must never know a wire, nor what an item says.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from itertools import islice
from typing import Final

from ingest.memory.threads import PassedThreads
from ingest.platforms.bluesky.addresses import author_of
from ingest.platforms.bluesky.known import Kind, Known
from ingest.signal import Signal

SAVED_THREADS: Final = 10_000
"""Threads in the cursor, 8 bytes each: those of the last hours."""
SAVED_ITEMS: Final = 500
"""Replies and reposts in the cursor, some 100 bytes each. Most deletions come within minutes."""


class Published:
    """Remembers what was published. ``threads``, ``items``: what :meth:`saved` returned."""

    def __init__(
        self, max_threads: int, max_items: int, threads: str = "", items: Iterable[tuple[str, Kind, str]] = ()
    ) -> None:
        self._threads = PassedThreads(max_threads, threads)
        self._max_items = max_items
        self._items: OrderedDict[str, Known] = OrderedDict(
            (id_, Known(id_, kind, thread, None)) for id_, kind, thread in items
        )
        self._authors = Counter(map(author_of, self._items))

    def __contains__(self, id_: str) -> bool:
        return id_ in self._items or id_ in self._threads

    def add(self, signal: Signal) -> None:
        """Record that ``signal`` is published."""
        if signal.is_root:
            self._threads.add(signal.id)
        self._forget(signal.id)
        self._items[signal.id] = Known(signal.id, signal.kind, signal.thread, signal.created_ms)
        self._authors[author_of(signal.id)] += 1
        if len(self._items) > self._max_items:
            self._forget(next(iter(self._items)))

    def passed(self, thread: str) -> bool:
        """Return whether the root post of ``thread`` was published."""
        return thread in self._threads

    def thread_of(self, id_: str) -> str | None:
        """Return the thread of an item that was published; None for any other."""
        if id_ in self._threads:
            return id_
        known = self._items.get(id_)
        return None if known is None else known.thread

    def take_back(self, id_: str) -> Known | None:
        """Return what is known of an item that is deleted, and forget it; None if it was not published.

        Its thread stays: what others say there still counts.
        """
        known = self._forget(id_)
        if known is None and id_ in self._threads:
            return Known(id_, "post", id_, None)
        return known

    def by(self, author: str) -> list[str]:
        """Return the ids of the published items of an author, by DID."""
        if author not in self._authors:  # as almost always: accounts go all the time, and a search takes milliseconds
            return []
        return [id_ for id_ in self._items if author_of(id_) == author]

    def saved(self) -> tuple[str, list[tuple[str, Kind, str]]]:
        """Return the latest threads and the latest replies and reposts, for the cursor."""
        said = (known for known in reversed(self._items.values()) if known.kind != "post")
        latest = [(known.id, known.kind, known.thread) for known in islice(said, SAVED_ITEMS)]
        return self._threads.saved(SAVED_THREADS), latest[::-1]

    def _forget(self, id_: str) -> Known | None:
        """Drop an item that can be taken back; return what was known of it."""
        known = self._items.pop(id_, None)
        if known is not None:
            author = author_of(id_)
            self._authors[author] -= 1
            if not self._authors[author]:
                del self._authors[author]
        return known
