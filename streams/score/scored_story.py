"""Everything the score stage keeps of one story, and its encoding in the changelog.

Owns the value of a story there: its name, its scoring state, its de-duplication window and what was emitted last. Must
never know how a score is made, nor where the bytes are kept.
"""

from __future__ import annotations

import msgspec

from scoring import StoryState
from streams.records.stories import StoryInfo
from streams.runtime.deduplication import DeduplicationWindow
from transport.errors import DefectError

VERSION = 1
ABSORBED = 256
"""Bounds the merged stories that are remembered, so that a part of a merge that is sent again changes nothing."""


class CorruptStateError(DefectError, ValueError):
    """A value of the changelog that this version cannot read: it is damaged, or from a later version."""


class Emitted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was emitted last of a story."""

    noise: float
    state: str
    at_ms: int


class _Stored(msgspec.Struct, array_like=True):
    version: int
    info: StoryInfo
    scoring: bytes
    delivered: dict[int, tuple[int, list[int]]]
    emitted: Emitted | None
    due_ms: int
    at_ms: int = 0
    unemitted: bool = True
    absorbed: list[str] = []
    into: StoryInfo | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class ScoredStory(msgspec.Struct, eq=False):
    """One story, decoded.

    ``due_ms``: when it is to be decided on next, though no signal comes; 0: never. ``at_ms``: the time it had reached
    when it was last written; it is never scored or decided on for an earlier time. ``unemitted``: it has changed since
    its score was last emitted. ``absorbed``: the stories that were merged into it, the latest last. ``into``: the story
    that this one was merged into. Then it is a redirect: what still comes is forwarded.
    """

    info: StoryInfo
    scoring: StoryState = msgspec.field(default_factory=StoryState)
    delivered: DeduplicationWindow = msgspec.field(default_factory=DeduplicationWindow)
    emitted: Emitted | None = None
    due_ms: int = 0
    at_ms: int = 0
    unemitted: bool = True
    absorbed: list[str] = []
    into: StoryInfo | None = None

    def differs_from_emitted(self, noise: float) -> bool:
        """Return whether ``noise`` or the state differs from what was emitted last."""
        return self.emitted is None or self.has_new_state or noise != self.emitted.noise

    @property
    def has_new_state(self) -> bool:
        """Whether its state is not the one that was emitted last, if any was."""
        return self.emitted is None or self.emitted.state != self.scoring.lifecycle.state

    def encode(self) -> bytes:
        """Return the value to keep in the changelog."""
        stored = (self.info, self.scoring.encode(), self.delivered.dump(), self.emitted, self.due_ms, self.at_ms)
        return _encoder.encode((VERSION, *stored, self.unemitted, self.absorbed, self.into))

    @classmethod
    def decode(cls, encoded: bytes) -> ScoredStory:
        """Read what ``encode`` wrote.

        Raises:
            CorruptStateError: it is damaged, or of a version not known here.
            scoring.CorruptLedgerError: the same, of the scoring state in it.
        """
        try:
            stored = _decoder.decode(encoded)
        except msgspec.MsgspecError as error:
            raise CorruptStateError(f"a story's state in the changelog cannot be read: {error}") from error
        if stored.version != VERSION:
            raise CorruptStateError(f"a story's state is of version {stored.version}; this program knows {VERSION}")
        return cls(
            stored.info,
            StoryState.decode(stored.scoring),
            DeduplicationWindow(stored.delivered),
            emitted=stored.emitted,
            due_ms=stored.due_ms,
            at_ms=stored.at_ms,
            unemitted=stored.unemitted,
            absorbed=stored.absorbed,
            into=stored.into,
        )
