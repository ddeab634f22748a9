"""The limit on the share of records that are not signals.

Owns the one rule. A publisher that sends garbage should be found before it fills ``dead-letters`` overnight. A few
thousand damaged records among valid ones are no reason to stop.
"""

from transport.errors import UserError


class TooManyDeadError(UserError):
    """Too many of the records read are not signals: a publisher sends something else, or another version."""


class DeadShare:
    """The share of dead records among the last ``records``."""

    def __init__(self, limit: float, records: int) -> None:
        """``limit``: the share, 0 to 1, beyond which resolve stops; 1 for never."""
        self._limit = limit
        self._records = records
        self._read = self._dead = 0

    def count(self, read: int, dead: int) -> None:
        """Take in that ``dead`` of ``read`` records were not signals.

        Raises:
            TooManyDeadError: the share of dead records is above the limit.
        """
        self._read += read
        self._dead += dead
        if self._read < self._records:
            return
        read, dead, self._read, self._dead = self._read, self._dead, 0, 0
        if dead > self._limit * read:
            raise TooManyDeadError(
                f"{dead:,} of the last {read:,} records are not signals; look at them with 'hubbub dead-letters', fix "
                "the publisher, and start resolve again (or raise HUBBUB_RESOLVE__MAX_DEAD_SHARE)"
            )
