"""How much of what is read may be no signal before reading on would only bury more.

Owns the one rule. A publisher that sends rubbish should be found before a night's worth of signals lies in
``dead-letters``; a few thousand damaged records among good ones are nothing to stop for.
"""

from __future__ import annotations

__all__ = ["DeadShare", "TooManyDeadError"]


class TooManyDeadError(RuntimeError):
    """Most of what is read is no signal: somebody publishes something else, or in a form of another version."""


class DeadShare:
    """Watches the share of dead records, ``records`` at a time."""

    def __init__(self, limit: float, records: int) -> None:
        """``limit``: the share, 0 to 1, beyond which to stop; 1 for never."""
        self._limit = limit
        self._records = records
        self._read = self._dead = 0

    def count(self, read: int, dead: int) -> None:
        """Take in that ``dead`` of ``read`` records were no signals.

        Raises:
            TooManyDeadError: of the last records, more were dead than the limit allows.
        """
        self._read += read
        self._dead += dead
        if self._read < self._records:
            return
        read, dead, self._read, self._dead = self._read, self._dead, 0, 0
        if dead > self._limit * read:
            raise TooManyDeadError(
                f"{dead:,} of the last {read:,} records are no signals; look at them with 'hubbub dead-letters', mend "
                "what publishes them, and start resolve again (or raise HUBBUB_RESOLVE__MAX_DEAD_SHARE)"
            )
