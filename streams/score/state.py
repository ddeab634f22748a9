"""Everything the score stage keeps of one story, and its encoding in the changelog.

Owns the value of a story there: its name, its scoring state, what was delivered and what was last told.
Must never know how a score is made, nor where the bytes are kept.
"""

from __future__ import annotations

import msgspec

from scoring import StoryState
from streams.records.stories import StoryInfo
from streams.runtime.deduplication import DeduplicationWindow

__all__ = ["ABSORBED", "CorruptStateError", "Emitted", "Story"]

VERSION = 1


class CorruptStateError(ValueError):
    """A value of the changelog that this version cannot read: our own data is damaged, or from a later version."""


class Emitted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was last told of a story."""

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
    untold: bool = True
    absorbed: list[str] = []
    into: StoryInfo | None = None


ABSORBED = 256
"""Stories merged into one that are remembered, so that what is sent again of a merge changes nothing."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class Story:
    """One story, decoded.

    ``due_ms``: when it is to be decided on next, though nothing new comes; 0: never. ``at_ms``: the time it was brought
    to when it was last written, before which it is never scored or decided on again. ``untold``: it has changed since
    its score was last told. ``absorbed``: the stories that were merged into it, the latest last. ``into``: the story
    that this one was merged into; then nothing of it is left but where to send what still comes.
    """

    __slots__ = ("absorbed", "at_ms", "delivered", "due_ms", "emitted", "info", "into", "scoring", "untold")

    def __init__(self, info: StoryInfo) -> None:
        self.info = info
        self.scoring = StoryState()
        self.delivered = DeduplicationWindow()
        self.emitted: Emitted | None = None
        self.due_ms = 0
        self.at_ms = 0
        self.untold = True
        self.absorbed: list[str] = []
        self.into: StoryInfo | None = None

    def has_moved(self, noise: float) -> bool:
        """Return whether, since it was told, the noise has moved or the state changed."""
        return self.emitted is None or self.has_changed_state or noise != self.emitted.noise

    @property
    def has_changed_state(self) -> bool:
        """Whether its state is another than was told, if any was."""
        return self.emitted is None or self.emitted.state != self.scoring.lifecycle.state

    def encode(self) -> bytes:
        """Return the value to keep in the changelog."""
        stored = _Stored(
            VERSION,
            self.info,
            self.scoring.encode(),
            self.delivered.dump(),
            self.emitted,
            self.due_ms,
            self.at_ms,
            self.untold,
            self.absorbed,
            self.into,
        )
        return _encoder.encode(stored)

    @classmethod
    def decode(cls, encoded: bytes) -> Story:
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
        story = cls(stored.info)
        story.scoring = StoryState.decode(stored.scoring)
        story.delivered = DeduplicationWindow(stored.delivered)
        story.emitted = stored.emitted
        story.due_ms = stored.due_ms
        story.at_ms = stored.at_ms
        story.untold = stored.untold
        story.absorbed = stored.absorbed
        story.into = stored.into
        return story
