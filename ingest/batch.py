"""What a collector yields: signals, what became of every other item, and how far it has read.

Owns the account of a batch: each item that a platform gave is a signal, is ignored for a reason of a closed list, or is
unreadable. Must never know a platform, nor how signals are published.
"""

from __future__ import annotations

import functools
import json
import reprlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Concatenate, NamedTuple, ParamSpec

import msgspec

from ingest.signal import Signal

P = ParamSpec("P")

Cursor = bytes
"""How far a collector has read, as JSON. Only the collector that wrote it knows its form."""


class Ignored(StrEnum):
    """Why an item becomes no signal. A closed list: each value is a label of a metric."""

    ADVERT = "advert"  # paid for, so it says nothing about what people talk about
    DEAD = "dead"  # killed by moderators or filters; no reader sees it any more
    DELETED = "deleted"  # taken back by its author; nothing is left to show or count
    IRRELEVANT = "irrelevant"  # no watched beat wants it, nor the thread that it is in
    MISSING = "missing"  # the platform names the id but has no item for it
    NOT_PUBLIC = "not_public"  # shown to some readers only, so not ours to show to others
    OPTED_OUT = "opted_out"  # its author asks not to be indexed
    ORPHAN = "orphan"  # a reply whose root post cannot be found
    POLL_OPTION = "poll_option"  # an answer to vote for: a part of a post and no post
    SERVICE = "service"  # what happened in a channel (created, renamed, pinned), and no words of anybody


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that could not be made a signal; it ends in ``dead-letters`` with its ``original`` bytes."""

    reason: str
    detail: str
    original: bytes

    @classmethod
    def of(cls, raw: object, reason: str, detail: str) -> Unreadable:
        """Return the dead letter for ``raw``, a parsed JSON value."""
        return cls(reason, detail, as_json(raw))


@dataclass(slots=True)
class Signals:
    """What became of the items of one poll.

    ``gaps``: how often items were certainly missed since the last poll, because the platform reaches back no further.
    ``missed``: about how many they were, where that can be estimated.
    """

    signals: list[Signal] = field(default_factory=list)
    ignored: Counter[Ignored] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)
    gaps: int = 0
    missed: int = 0

    @property
    def read(self) -> int:
        """How many items the platform gave."""
        return len(self.signals) + self.ignored.total() + len(self.unreadable)

    def extend(self, others: Iterable[Signals]) -> None:
        """Add what became of other items."""
        for other in others:
            self.signals += other.signals
            if other.ignored:  # rare, and adding counters takes longer than making a signal
                self.ignored += other.ignored
            self.unreadable += other.unreadable
            self.gaps += other.gaps
            self.missed += other.missed


class Batch(NamedTuple):
    """Signals, and the cursor that may be saved once the broker has acknowledged all of them."""

    signals: Signals
    cursor: Cursor


def errors_to_dead_letters(
    convert: Callable[Concatenate[object, P], Signals],
) -> Callable[Concatenate[object, P], Signals]:
    """Decorate a platform's ``convert(raw, …)``: an item for which it raises is a dead letter.

    Items are written by untrusted users. One that raises must not stop the collector, which would read it again from
    its cursor, for ever. The reason is ``wrong_shape`` for the errors of decoding, else ``convert_failed``.
    """

    @functools.wraps(convert)
    def converted(raw: object, /, *args: P.args, **options: P.kwargs) -> Signals:
        try:
            return convert(raw, *args, **options)
        except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as error:
            return Signals(unreadable=[Unreadable.of(raw, "wrong_shape", str(error))])
        except Exception as error:  # noqa: BLE001 (whatever it is, it concerns this item alone)
            detail = f"{type(error).__name__}: {error}"
            return Signals(unreadable=[Unreadable.of(raw, "convert_failed", detail)])

    return converted


def as_json(raw: object) -> bytes:
    """Return a parsed JSON value as JSON in ASCII; abridged if it cannot be written again (nested too deep)."""
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
