"""What publishers of recorded signals say of themselves: how far in time they have published, and when they ended.

Owns the reading of their records in ``progress``. A replay runs through days in seconds, so silence in a partition
tells nothing; only the publisher knows up to which time a partition is complete.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.records.progress import Progress, PublishProgress

__all__ = ["PUBLISH", "Publishers", "Told"]

PUBLISH = "publish"
"""The stage under which a publisher writes to ``progress``."""
FORGET_SECONDS = 10.0
"""A publisher that says nothing for so long has died; nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a partition read up to an offset: complete up to ``mark_ms``, replay ``settle`` ended there."""

    mark_ms: int = 0
    settle: str = ""


class Publishers:
    """The publishers heard of, by instance."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[PublishProgress, float]] = {}
        self._settled: PublishProgress | None = None

    def note(self, progress: Progress, monotonic: float) -> None:
        """Take in a record of ``progress`` heard at ``monotonic`` seconds."""
        if not isinstance(progress, PublishProgress):
            return
        if progress.active:
            self._heard[progress.instance] = (progress, monotonic)
            return
        self._heard.pop(progress.instance, None)
        self._settled = progress

    def tick(self, monotonic: float) -> None:
        """Forget publishers that have been silent for too long."""
        dead = [instance for instance, (_, heard) in self._heard.items() if monotonic - heard > FORGET_SECONDS]
        for instance in dead:
            del self._heard[instance]

    @property
    def heard(self) -> tuple[str, ...]:
        """The publishers at work, by instance."""
        return tuple(sorted(self._heard))

    def active(self) -> bool:
        """Say whether recorded signals are being published now."""
        return bool(self._heard)

    def read_to_end(self, partition: int, position: int) -> bool:
        """Say whether ``position`` is past all that the last replay has published into ``partition``.

        What the consumer knows of the log's end may be older than that.
        """
        return self._settled is None or position >= self._settled.offsets.get(partition, 0)

    def replayed(self, partition: int, offset: int) -> bool:
        """Say whether what is at ``offset`` of ``partition`` may belong to a recording."""
        if self._heard:
            return True
        return self._settled is not None and offset < self._settled.offsets.get(partition, 0)

    def unfinished(self, decided_ms: int) -> bool:
        """Say whether recordings are being published, or were up to a time after ``decided_ms``."""
        return bool(self._heard) or (self._settled is not None and decided_ms < self._settled.mark_ms)

    def told(self, partition: int, position: int) -> Told:
        """Return what is known of ``partition`` when it has been read up to the offset ``position``."""
        if self._heard:
            marks = [
                progress.mark_ms if position >= progress.offsets.get(partition, 0) else 0
                for progress, _ in self._heard.values()
            ]
            return Told(min(marks))
        if self._settled is not None and self.read_to_end(partition, position):
            return Told(self._settled.mark_ms, self._settled.instance)
        return Told()
