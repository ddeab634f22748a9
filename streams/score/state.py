"""Everything the score stage keeps of one story, and its encoding in the table.

Owns the value of the table ``ledgers``: the story's name, its ledger, its lifecycle, what was delivered and what was
last told. Must never know how a score is made, nor where the bytes are kept.
"""

from __future__ import annotations

import msgspec

from scoring import Ledger
from streams.delivery import Delivered
from streams.wire import StoryInfo

__all__ = ["CorruptStateError", "Emitted", "StoryState"]

VERSION = 1


class CorruptStateError(ValueError):
    """A value of the table that this version cannot read: our own data is damaged, or from a later version."""


class Emitted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was last told of a story."""

    noise: float
    state: str
    at_ms: int


class _Stored(msgspec.Struct, array_like=True):
    version: int
    info: StoryInfo
    ledger: bytes
    delivered: dict[int, tuple[int, list[int]]]
    emitted: Emitted | None
    decided: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class StoryState:
    """One story, decoded. ``decided`` is the encoded state of what is decided at ticks: lifecycle and spikes."""

    __slots__ = ("decided", "delivered", "emitted", "info", "ledger")

    def __init__(self, info: StoryInfo) -> None:
        self.info = info
        self.ledger = Ledger()
        self.delivered = Delivered()
        self.emitted: Emitted | None = None
        self.decided = b""

    def encode(self) -> bytes:
        """Return the value to keep in the table."""
        return _encoder.encode(
            _Stored(VERSION, self.info, self.ledger.encode(), self.delivered.dump(), self.emitted, self.decided)
        )

    @classmethod
    def decode(cls, encoded: bytes) -> StoryState:
        """Read what ``encode`` wrote.

        Raises:
            CorruptStateError: it is damaged, or of a version not known here.
        """
        try:
            stored = _decoder.decode(encoded)
        except msgspec.MsgspecError as error:
            raise CorruptStateError(f"a story's state in the table cannot be read: {error}") from error
        if stored.version != VERSION:
            raise CorruptStateError(f"a story's state is of version {stored.version}; this program knows {VERSION}")
        state = cls(stored.info)
        state.ledger = Ledger.decode(stored.ledger)
        state.delivered = Delivered(stored.delivered)
        state.emitted = stored.emitted
        state.decided = stored.decided
        return state
