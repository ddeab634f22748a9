"""The publishers of recorded signals: how far in time each has published, and when a replay ended.

Owns the reading of their records in ``progress``. A replay runs through days in seconds, so silence in a partition
says nothing. Only the publisher knows up to which time a partition is complete.
"""

from streams.records.progress import PublishProgress

PUBLISH = "publish"
"""The stage under which a publisher writes to ``progress``."""
EXPIRY_SECONDS = 10.0
"""The silence after which a publisher counts as dead. It writes every second or so."""


class Publishers:
    """The active publishers by instance, and the last replay that ended."""

    def __init__(self) -> None:
        self._active: dict[str, tuple[PublishProgress, float]] = {}
        self._ended: PublishProgress | None = None

    def note(self, progress: PublishProgress, monotonic: float) -> None:
        """Take in a publisher's report received at ``monotonic`` seconds."""
        if progress.active:
            self._active[progress.instance] = (progress, monotonic)
        else:
            self._active.pop(progress.instance, None)
            self._ended = progress

    def expire(self, monotonic: float) -> None:
        """Remove the publishers that have been silent for too long."""
        self._active = {name: one for name, one in self._active.items() if monotonic - one[1] <= EXPIRY_SECONDS}

    @property
    def active(self) -> tuple[str, ...]:
        """The instances that are publishing recorded signals now."""
        return tuple(sorted(self._active))

    def read_to_end(self, partition: int, position: int) -> bool:
        """Return whether ``position`` is past everything that the last replay published into ``partition``.

        The consumer's own view of the end of the log may be older than that.
        """
        return self._ended is None or position >= self._ended.offsets.get(partition, 0)

    def is_replayed(self, partition: int, offset: int) -> bool:
        """Return whether the record at ``offset`` of ``partition`` may belong to a recording."""
        return bool(self._active) or not self.read_to_end(partition, offset)

    def need_decisions_after(self, decided_ms: int) -> bool:
        """Return whether recordings are being published, or were up to a time after ``decided_ms``."""
        return bool(self._active) or (self._ended is not None and decided_ms < self._ended.mark_ms)

    def published(self, partition: int, position: int) -> tuple[int, str]:
        """Return the time up to which publishers call ``partition`` complete if it is read up to ``position``, or 0.

        And the replay that ended there, "" if none did.
        """
        if self._active:
            marks = [
                progress.mark_ms if position >= progress.offsets.get(partition, 0) else 0
                for progress, _ in self._active.values()
            ]
            return min(marks), ""
        if self._ended is not None and self.read_to_end(partition, position):
            return self._ended.mark_ms, self._ended.instance
        return 0, ""
