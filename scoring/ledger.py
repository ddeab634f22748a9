"""Ledger: everything that is remembered of a story for scoring it.

Owns what is kept, for how long and in what encoding. Must never know how a score is made of it.

A ledger is a function of the *set* of observations applied: order and repetition do not matter, and the union of two
ledgers is the ledger of the union.
"""

from __future__ import annotations

import msgspec

from scoring.assessment import Assessment
from scoring.coverage import Run, cover, cover_run
from scoring.item import Item, observe
from scoring.loud import Loud, keep_loudest, loud
from scoring.observation import UNREAD, Reading, Signal

__all__ = ["CorruptLedgerError", "Ledger"]

VERSION = 1


class CorruptLedgerError(ValueError):
    """Bytes that are not an encoded ledger: our own data is broken, or written by a later version."""


class _Stored(msgspec.Struct, array_like=True):
    """The encoded form, version 1, after the byte that tells the version."""

    platforms: list[str]
    items: list[Item]
    runs: list[Run]
    figures: list[str]
    loudest: list[Loud]
    assessment: Assessment | None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class Ledger:
    """A story's memory: the latest counts of each item, the runs of coverage, the figures, the loudest signals.

    >>> ledger = Ledger()
    >>> Ledger.decode(ledger.encode()) == ledger
    True
    """

    __slots__ = ("assessment", "figures", "items", "loudest", "platforms", "runs")

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.platforms: list[str] = []
        self.runs: list[Run] = []
        self.figures: set[str] = set()
        self.loudest: dict[int, Loud] = {}
        self.assessment: Assessment | None = None
        """What an assessor last said of the story; the caller sets it."""

    def apply(self, signal: Signal, reading: Reading = UNREAD) -> None:
        """Take one observation in. Again, it changes nothing; an older one never replaces a later one's counts."""
        item = observe(signal, reading, self._platform(signal.platform))
        self._take(item)
        cover(self.runs, item.covered_ms)
        self.figures.update(reading.figures)
        keep_loudest(self.loudest, loud(signal, item))

    def merge(self, other: Ledger) -> None:
        """Take in all that ``other`` holds, as if its signals had been applied here. ``other`` is left as it was."""
        index = [self._platform(platform) for platform in other.platforms]
        for item in other.items.values():
            self._take(msgspec.structs.replace(item, platform=index[item.platform]))
        for run in other.runs:
            cover_run(self.runs, run)
        self.figures |= other.figures
        for kept in other.loudest.values():
            keep_loudest(self.loudest, kept)
        if other.assessment is not None and (self.assessment is None or other.assessment > self.assessment):
            self.assessment = other.assessment

    def counts(self, from_ms: int, buckets: int, bucket_ms: int) -> list[int]:
        """Return how many items were covered in each of ``buckets`` spans of ``bucket_ms``, from ``from_ms`` on."""
        counts = [0] * buckets
        for item in self.items.values():
            bucket = (item.covered_ms - from_ms) // bucket_ms
            if 0 <= bucket < buckets:
                counts[bucket] += 1
        return counts

    def encode(self) -> bytes:
        """Return a compact, versioned encoding of at most 64 KiB."""
        stored = _Stored(
            self.platforms,
            list(self.items.values()),
            self.runs,
            sorted(self.figures),
            list(self.loudest.values()),
            self.assessment,
        )
        return bytes((VERSION,)) + _encoder.encode(stored)

    @classmethod
    def decode(cls, encoded: bytes) -> Ledger:
        """Return the ledger that was encoded, by this version or an older one.

        Raises:
            CorruptLedgerError: these bytes are no ledger of a known version.
        """
        if encoded[:1] != bytes((VERSION,)):
            raise CorruptLedgerError(f"a ledger of version {encoded[:1].hex() or 'none'}; known are 1 to {VERSION}")
        try:
            stored = _decoder.decode(memoryview(encoded)[1:])
        except msgspec.DecodeError as error:
            raise CorruptLedgerError(f"not an encoded ledger: {error}") from error
        ledger = cls()
        ledger.platforms = stored.platforms
        ledger.items = {item.key: item for item in stored.items}
        ledger.runs = stored.runs
        ledger.figures = set(stored.figures)
        ledger.loudest = {kept.key: kept for kept in stored.loudest}
        ledger.assessment = stored.assessment
        return ledger

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same, whatever the order it came in."""
        if not isinstance(other, Ledger):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # a ledger changes

    def _content(self) -> object:
        named = {
            key: (self.platforms[item.platform], msgspec.structs.replace(item, platform=0))
            for key, item in self.items.items()
        }
        return named, self.runs, self.figures, self.loudest, self.assessment

    def _platform(self, platform: str) -> int:
        try:
            return self.platforms.index(platform)
        except ValueError:
            self.platforms.append(platform)
            return len(self.platforms) - 1

    def _take(self, item: Item) -> None:
        old = self.items.get(item.key)
        if old is None:
            self.items[item.key] = item
            return
        covered_ms = min(old.covered_ms, item.covered_ms)
        if item.precedence() > old.precedence():
            self.items[item.key] = item
            item.covered_ms = covered_ms
        else:
            old.covered_ms = covered_ms
