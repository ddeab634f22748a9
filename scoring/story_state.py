"""Story state: everything that scoring remembers of a story, encoded together.

Owns the encoding of ledger, lifecycle and spike detector as one value. Must never know where that value is kept.
"""

from __future__ import annotations

import msgspec

from scoring.ledger import Ledger
from scoring.ledger.codec import Codec
from scoring.lifecycle import Lifecycle
from scoring.spike import Spike


class _Stored(msgspec.Struct, array_like=True):
    """The encoded form. The order of the fields is the format: new ones go to the end, with a default."""

    ledger: bytes
    lifecycle: Lifecycle = Lifecycle()
    spike: Spike = Spike()


_codec = Codec(_Stored, "the state of a story")


class StoryState(msgspec.Struct):
    """A story's ledger, its lifecycle and its spike detector.

    >>> StoryState.decode(StoryState().encode()) == StoryState()
    True
    """

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    lifecycle: Lifecycle = Lifecycle()
    spike: Spike = Spike()

    def merge(self, other: StoryState) -> None:
        """Take in all of ``other``, a story that turned out to be the same, as if it had been known from the start.

        Both must have been stepped to the same time. Ledgers are merged exactly; of two states the louder stays.
        """
        self.ledger.merge(other.ledger)
        self.lifecycle = self.lifecycle.louder(other.lifecycle)
        self.spike = self.spike.merged(other.spike)

    def encode(self) -> bytes:
        """Return a compact, versioned encoding."""
        return _codec.encode(_Stored(self.ledger.encode(), self.lifecycle, self.spike))

    @classmethod
    def decode(cls, encoded: bytes) -> StoryState:
        """Return the state that was encoded, by this version or an earlier one.

        Raises:
            CorruptLedgerError: ``encoded`` is of an unknown version or damaged.
        """
        stored = _codec.decode(encoded)
        return cls(Ledger.decode(stored.ledger), stored.lifecycle, stored.spike)
