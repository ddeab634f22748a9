"""What a collector yields: signals with what became of every other item, and how far it has read.

Owns the account of a batch: each item a platform gave is a signal, is ignored for a reason of a closed list, or is
unreadable. Must never know a platform, nor how signals are published.
"""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from ingest.signal import Signal

__all__ = ["Batch", "Cursor", "Ignored", "Signals", "Unreadable", "as_json", "well_formed"]

Cursor = bytes
"""How far a collector has read, as JSON. Only the collector that wrote it knows its form."""


class Ignored(StrEnum):
    """Why an item becomes no signal. A closed list: each value is a label of a metric."""

    ADVERT = "advert"  # paid for, so it tells nothing about what people talk about
    DEAD = "dead"  # killed by moderators or filters; nobody sees it any more
    DELETED = "deleted"  # taken back by its author; nothing is left to show or count
    MISSING = "missing"  # the platform names the id but has no item for it
    ORPHAN = "orphan"  # a reply whose root post cannot be found
    POLL_OPTION = "poll_option"  # an answer one can vote for: a part of a post and no post


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that could not be made a signal; it ends in ``dead-letters`` with its ``original`` bytes."""

    reason: str
    detail: str
    original: bytes

    @classmethod
    def of(cls, raw: object, reason: str, detail: str) -> Unreadable:
        """Return the letter for ``raw``, a parsed JSON value."""
        return cls(reason, detail, as_json(raw))


@dataclass(slots=True)
class Signals:
    """What became of the items of one look at a platform.

    ``gaps``: how often items were surely lost since the last look, because the platform reaches back no further.
    """

    signals: list[Signal] = field(default_factory=list)
    ignored: Counter[Ignored] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)
    gaps: int = 0

    @property
    def read(self) -> int:
        """How many items the platform gave."""
        return len(self.signals) + self.ignored.total() + len(self.unreadable)

    def extend(self, others: Iterable[Signals]) -> None:
        """Add what became of other items."""
        for other in others:
            self.signals += other.signals
            if other.ignored:  # seldom, and adding counters takes longer than making a signal
                self.ignored += other.ignored
            self.unreadable += other.unreadable
            self.gaps += other.gaps


class Batch(NamedTuple):
    """Signals, and the cursor that may be saved once the broker has acknowledged all of them."""

    signals: Signals
    cursor: Cursor


def as_json(raw: object) -> bytes:
    """Return a parsed JSON value as JSON in ASCII; abridged, if it is nested too deep to be written again."""
    try:
        return json.dumps(raw, sort_keys=True).encode()
    except RecursionError:
        return json.dumps(reprlib.repr(raw)).encode()


def well_formed(text: str) -> str:
    """Return ``text`` with lone surrogates, which JSON can spell and UTF-8 cannot carry, replaced by ``?``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
