"""Story state: all that scoring remembers of a story, encoded together.

Owns the encoding of ledger, lifecycle and spike detector as one value. Must never know where that value is kept.
"""

from __future__ import annotations

import msgspec

from scoring.ledger import CorruptLedgerError, Ledger
from scoring.lifecycle import Lifecycle
from scoring.spike import Spike

__all__ = ["StoryState"]

VERSION = 1


class _Stored(msgspec.Struct, array_like=True):
    """The encoded form, version 1, after the byte that tells the version."""

    ledger: bytes
    lifecycle: Lifecycle = Lifecycle()
    spike: Spike = Spike()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class StoryState(msgspec.Struct):
    """A story's ledger, its lifecycle and its spike detector.

    >>> StoryState.decode(StoryState().encode()) == StoryState()
    True
    """

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    lifecycle: Lifecycle = Lifecycle()
    spike: Spike = Spike()

    def merge(self, other: StoryState) -> None:
        """Take in all of ``other``, which turned out to be of the same story, as if it had been known from the start.

        Both must have been brought up to the same time. Ledgers unite exactly; of two states the louder stays.
        """
        self.ledger.merge(other.ledger)
        self.lifecycle = self.lifecycle.louder(other.lifecycle)
        self.spike = self.spike.merged(other.spike)

    def encode(self) -> bytes:
        """Return a compact, versioned encoding."""
        return bytes((VERSION,)) + _encoder.encode(_Stored(self.ledger.encode(), self.lifecycle, self.spike))

    @classmethod
    def decode(cls, encoded: bytes) -> StoryState:
        """Return the state that was encoded, by this version or an older one.

        Raises:
            CorruptLedgerError: these bytes are no state of a known version.
        """
        if encoded[:1] != bytes((VERSION,)):
            raise CorruptLedgerError(f"a story's state of version {encoded[:1].hex() or 'none'}; known is {VERSION}")
        try:
            stored = _decoder.decode(memoryview(encoded)[1:])
        except msgspec.DecodeError as error:
            raise CorruptLedgerError(f"not an encoded story's state: {error}") from error
        return cls(Ledger.decode(stored.ledger), stored.lifecycle, stored.spike)
