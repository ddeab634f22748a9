"""Changes: whether a signal says anything new about its item.

Owns a digest of the last signal of each of the latest items. Must never know a platform, nor what a change means.

Listings repeat their items. One that says what it said before is not worth a record.
"""

from ingest.signal import Signal


class Changes:
    """Remembers the latest ``max_items`` items, by a number each."""

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._digests: dict[str, int] = {}

    def observe(self, signal: Signal) -> bool:
        """Remember ``signal`` as the last one of its item; return whether it differs from the one before."""
        digest = hash((signal.title, signal.text, signal.url, signal.deleted, signal.counts))
        changed = self._digests.pop(signal.id, None) != digest
        if len(self._digests) >= self._max_items:
            del self._digests[next(iter(self._digests))]
        self._digests[signal.id] = digest
        return changed

    def __contains__(self, id_: object) -> bool:
        return id_ in self._digests

    def __len__(self) -> int:
        return len(self._digests)
