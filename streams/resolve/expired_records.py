"""The records that are left of expired stories, and when each is removed.

Owns the choice of their keys. They stay for a while, because a source that is read again must come to the same result.
Pure. Must never write.
"""

from collections.abc import Iterator
from itertools import islice

from streams.resolve.threads import ThreadIndex

SCANNED_AT_ONCE = 20_000
"""Records scanned in one call, which takes about 10 ms between two steps; there may be a million."""


class ExpiredRecords:
    """Scans the thread index for records of stories that expired long enough ago, a part of it at a time."""

    def __init__(self, threads: ThreadIndex, keep_seconds: float) -> None:
        """``keep_seconds``: how long the records of an expired story stay."""
        self._threads = threads
        self._keep_seconds = keep_seconds
        self._expired_at: dict[str, float] = {}
        self._scan: Iterator[bytes | None] | None = None

    def restart(self) -> None:
        """Drop a scan under way: what it found may be outdated when this worker decides again."""
        self._scan = None

    def next_keys(self, monotonic: float) -> list[bytes]:
        """Return the keys of the next records to remove at ``monotonic`` seconds; often none."""
        expired = self._threads.expired
        self._expired_at = {story: self._expired_at.get(story, monotonic) for story in expired}
        if self._scan is None:
            due = {story for story, since in self._expired_at.items() if monotonic - since >= self._keep_seconds}
            if not due:
                return []
            self._scan = self._threads.expired_keys(due, min(expired[story] for story in due))
        scanned = list(islice(self._scan, SCANNED_AT_ONCE))
        if len(scanned) < SCANNED_AT_ONCE:
            self._scan = None
        return [key for key in scanned if key is not None]
