"""Ledger: everything that is remembered of a story for scoring it.

Owns what is kept, how much of it, and in what encoding. Must never know how a score is made of it.

A ledger is a function of the *set* of observations applied: order and repetition do not matter, and the union of two
ledgers is the ledger of the union. Up to ``MAX_ITEMS`` items that holds exactly. A larger story keeps a sample of its
items (:mod:`scoring.sampling`) and counts the rest in sketches (:mod:`scoring.crowd`), with the errors stated there.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from heapq import heapify, heappop, heappush

import msgspec

from scoring.assessment import Assessment
from scoring.coverage import Run, cover, cover_run
from scoring.crowd import RINGS, Crowd, StoredCrowd
from scoring.exhibit import Exhibit, Exhibits
from scoring.item import REPLY, Item, observe, peak, weight
from scoring.loud import KEPT, Loud, keep_loudest, loud, shorten
from scoring.observation import UNREAD, Reading, Signal
from scoring.sampling import priority
from scoring.settings import DEFAULT, Settings
from scoring.tally import Census

__all__ = ["MAX_ENCODED_BYTES", "MAX_ITEMS", "CorruptLedgerError", "Ledger"]

MAX_ITEMS = 192
"""Items kept one by one."""
MAX_ENCODED_BYTES = 65_536
MAX_FIGURES = 64
"""Figures kept, the first in the alphabet; the points of twenty of the lowest tier are already the most that count."""
MAX_PLATFORMS = 16
OTHER_PLATFORM = "other"
"""Stands for all platforms past the last that is kept by name."""
MAX_NAME_BYTES = 64

_VERSION = 1


class CorruptLedgerError(ValueError):
    """Bytes that are not what was encoded: our own data is broken, or written by a later version."""


class _Stored(msgspec.Struct, array_like=True):
    """The encoded form, version 1, after the byte that tells the version. New fields go to the end, with a default."""

    platforms: list[str]
    items: list[Item]
    runs: list[Run]
    figures: list[str]
    loudest: list[Loud]
    assessment: Assessment | None
    threshold: float = 0.0
    crowd: StoredCrowd | None = None
    exhibits: dict[str, list[Exhibit]] = {}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class Ledger:
    """A story's memory: the latest counts of each item, the runs of coverage, the figures, the loudest signals.

    >>> ledger = Ledger()
    >>> Ledger.decode(ledger.encode()) == ledger
    True
    """

    __slots__ = (
        "_census",
        "_floor",
        "_ranking",
        "_touched",
        "assessment",
        "crowd",
        "exhibits",
        "figures",
        "items",
        "loudest",
        "platforms",
        "replies_seen",
        "runs",
        "threshold",
    )

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        """By key; all of them while there is no crowd, else those that stand for all."""
        self.replies_seen: dict[int, int] = {}
        """How many replies of a thread are among the items, by the key of its root."""
        self.platforms: list[str] = []
        self.runs: list[Run] = []
        self.figures: set[str] = set()
        self.loudest: dict[int, Loud] = {}
        self._floor = 0
        """An item with a lower peak is none of the loudest."""
        self.exhibits = Exhibits()
        """What factors are traced back to."""
        self.assessment: Assessment | None = None
        """What an assessor last said of the story; the caller sets it."""
        self.threshold = 0.0
        """See :mod:`scoring.sampling`; 0 while all items are kept."""
        self.crowd: Crowd | None = None
        self._ranking: list[tuple[float, int]] = []
        """A heap of the items kept, by priority and key, with places that they have left; empty until it is needed."""
        self._census: Census | None = None
        """The sums of the last time, while all items are kept; and which items were touched since."""
        self._touched: set[int] = set()

    def apply(self, signal: Signal, reading: Reading = UNREAD) -> None:
        """Take one observation in. Again, it changes nothing; an older one never replaces a later one's counts."""
        platforms, platform = self.platforms, signal.platform
        index = 0 if platforms and platforms[0] == platform else self._platform(platform)
        item = observe(signal, reading, index)
        runs, covered_ms = self.runs, item.covered_ms
        if not runs or not runs[-1][0] <= covered_ms <= runs[-1][1]:
            cover(runs, covered_ms)
        if reading.figures:
            self._involve(reading.figures)
        if peak(item) >= self._floor:
            self._show(loud(signal, item))
        self.exhibits.take(signal, reading, item, platforms[index])
        self._take(item)

    def merge(self, other: Ledger) -> None:
        """Take in all that ``other`` holds, as if its signals had been applied here. ``other`` keeps its content."""
        index = [self._platform(platform) for platform in other.platforms]
        if other.crowd is not None:
            self._crowd().merge(other.crowd, index)
            self.threshold = max(self.threshold, other.threshold)
            for item in [item for item in self.items.values() if not self._is_sampled(item)]:
                self._drop(self.items.pop(item.key))
        for item in other.items.values():
            self._take(msgspec.structs.replace(item, platform=index[item.platform]))
        for run in other.runs:
            cover_run(self.runs, run)
        self._involve(other.figures)
        for kept in other.loudest.values():
            self._show(kept)
        self.exhibits.merge(other.exhibits)
        if other.assessment is not None and (self.assessment is None or other.assessment > self.assessment):
            self.assessment = other.assessment

    def settle(self) -> None:
        """Sort out what a crowd keeps over its caps."""
        if self.crowd is not None:
            self.crowd.settle()

    def until(self, t_ms: int) -> Ledger:
        """Return what this ledger would be without the items covered after ``t_ms``; itself, if there are none.

        The runs of a crowd, which does not know its items' times, are cut off at ``t_ms``; figures and exhibits stay.
        """
        if not self.runs or self.runs[-1][1] <= t_ms:
            return self
        past = Ledger()
        past.platforms = self.platforms
        past.figures, past.assessment, past.exhibits = self.figures, self.assessment, self.exhibits
        past.threshold, past.crowd = self.threshold, self.crowd
        for item in self.items.values():
            if item.covered_ms <= t_ms:
                past._keep(item)
                if self.crowd is None:
                    cover(past.runs, item.covered_ms)
        if self.crowd is not None:
            past.runs = [(start_ms, min(end_ms, t_ms)) for start_ms, end_ms in self.runs if start_ms <= t_ms]
        past.loudest = {key: kept for key, kept in self.loudest.items() if key in past.items}
        return past

    def census(self, t_ms: int, settings: Settings = DEFAULT) -> Census:
        """Return the sums over the items, none of which was covered after ``t_ms``; good until the next call.

        The sums of the last call are brought up to date; only a crowd's sample is added up anew each time.
        """
        census: Census | None = self._census
        touched: Set[int] = self._touched
        if census is None or not census.serves(t_ms, settings):
            census, touched = Census(settings, self.threshold), self.items.keys()
        census.update(self.items, touched, t_ms, self.replies_seen if self.crowd is None else {})
        self._census = census if self.crowd is None else None
        self._touched.clear()
        return census

    def counts(self, from_ms: int, buckets: int) -> list[int]:
        """Return how many items were covered in each of ``buckets`` spans of 5 minutes, the first at ``from_ms``.

        ``from_ms`` must be a multiple of 5 minutes. Of a crowd, the latest 15 such spans are known, the rest are 0.
        """
        width_ms = RINGS[1][0]
        first = from_ms // width_ms
        if self.crowd is not None:
            ring = self.crowd.rings[1]
            return [round(ring.items(number)) for number in range(first, first + buckets)]
        counts = [0] * buckets
        for item in self.items.values():
            number = item.covered_ms // width_ms - first
            if 0 <= number < buckets:
                counts[number] += 1
        return counts

    def titles(self) -> tuple[str, ...]:
        """Return the words of the loudest signals, the loudest first: what an assessor reads."""
        return tuple(kept.title for kept in sorted(self.loudest.values(), reverse=True))

    def encode(self) -> bytes:
        """Return a compact, versioned encoding of at most 64 KiB."""
        self.settle()
        stored = _Stored(
            self.platforms,
            list(self.items.values()),
            self.runs,
            sorted(self.figures),
            list(self.loudest.values()),
            self.assessment,
            self.threshold,
            None if self.crowd is None else self.crowd.encode(),
            self.exhibits.encode(),
        )
        return bytes((_VERSION,)) + _encoder.encode(stored)

    @classmethod
    def decode(cls, encoded: bytes) -> Ledger:
        """Return the ledger that was encoded, by this version or an older one.

        Raises:
            CorruptLedgerError: these bytes are no ledger of a known version.
        """
        if encoded[:1] != bytes((_VERSION,)):
            raise CorruptLedgerError(f"a ledger of version {encoded[:1].hex() or 'none'}; known are 1 to {_VERSION}")
        try:
            stored = _decoder.decode(memoryview(encoded)[1:])
        except msgspec.DecodeError as error:
            raise CorruptLedgerError(f"not an encoded ledger: {error}") from error
        ledger = cls()
        ledger.platforms = stored.platforms
        ledger.items = {item.key: item for item in stored.items}
        for item in stored.items:
            if item.kind == REPLY:
                ledger.replies_seen[item.thread] = ledger.replies_seen.get(item.thread, 0) + 1
        ledger.runs = stored.runs
        ledger.figures = set(stored.figures)
        for kept in stored.loudest:
            ledger._show(kept)
        ledger.assessment = stored.assessment
        ledger.threshold = stored.threshold
        ledger.crowd = None if stored.crowd is None else Crowd.decode(stored.crowd)
        ledger.exhibits = Exhibits.decode(stored.exhibits)
        return ledger

    def __eq__(self, other: object) -> bool:
        """Return whether both keep the same, whatever the order it came in (a crowd's sketches are not compared)."""
        if not isinstance(other, Ledger):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # a ledger changes

    def _content(self) -> object:
        self.settle()
        named = {
            key: (self.platforms[item.platform], msgspec.structs.replace(item, platform=0))
            for key, item in self.items.items()
        }
        sampled = self.threshold, self.replies_seen
        return named, self.runs, self.figures, self.loudest, self.assessment, self.exhibits.kept, *sampled

    def _platform(self, platform: str) -> int:
        platforms = self.platforms
        try:
            return platforms.index(platform)
        except ValueError:
            name = shorten(platform, MAX_NAME_BYTES) if len(platforms) < MAX_PLATFORMS - 1 else OTHER_PLATFORM
            if name not in platforms:
                platforms.append(name)
            return platforms.index(name)

    def _show(self, kept: Loud) -> None:
        keep_loudest(self.loudest, kept)
        if len(self.loudest) == KEPT:
            self._floor = min(self.loudest.values()).peak

    def _involve(self, figures: Iterable[str]) -> None:
        self.figures.update(shorten(figure, MAX_NAME_BYTES) for figure in figures)
        if len(self.figures) > MAX_FIGURES:
            self.figures = set(sorted(self.figures)[:MAX_FIGURES])

    def _take(self, item: Item) -> None:
        key = item.key
        old = self.items.get(key)
        if old is None:
            if not self.threshold or self._is_sampled(item):
                self._keep(item)
        else:
            covered_ms = min(old.covered_ms, item.covered_ms)
            if item.replaces(old):
                self._drop(self.items.pop(key))
                if self._is_sampled(item):
                    self._keep(item)
                old = item
            if covered_ms != old.covered_ms:
                old.covered_ms = covered_ms
                if self._census is not None:
                    self._touched.add(key)
        if self.crowd is not None:
            self.crowd.add(item)
        if len(self.items) > MAX_ITEMS:
            self._drop_least()

    def _drop_least(self) -> None:
        """Drop the item that is least worth keeping: with the first that goes, the story becomes a crowd.

        At once, not when it suits: where counts fall, what is kept would depend on when items were sorted out.
        """
        self._crowd()
        ranking = self._ranking
        if not ranking:
            ranking += [(priority(weight(item), key), key) for key, item in self.items.items()]
            heapify(ranking)
        while True:
            least, key = heappop(ranking)
            item = self.items.get(key)
            if item is not None and priority(weight(item), key) == least:
                break
        self.threshold = max(self.threshold, least)
        self._drop(self.items.pop(key))

    def _is_sampled(self, item: Item) -> bool:
        return not self.threshold or priority(weight(item), item.key) > self.threshold

    def _keep(self, item: Item) -> None:
        key, summed = item.key, self._census is not None
        self.items[key] = item
        if len(self._ranking) > 4 * MAX_ITEMS:
            self._ranking.clear()  # mostly places left by now; made anew when the next item goes
        elif self._ranking:
            heappush(self._ranking, (priority(weight(item), key), key))
        if summed:
            self._touched.add(key)
        if item.kind == REPLY:
            thread = item.thread
            seen = self.replies_seen.get(thread, 0)
            self.replies_seen[thread] = seen + 1
            if summed:
                self._recount(thread, seen)

    def _drop(self, item: Item) -> None:
        """Take an item that goes, or is replaced, out of the replies seen."""
        summed = self._census is not None
        if summed:
            self._touched.add(item.key)
        if item.kind == REPLY:
            thread = item.thread
            seen = self.replies_seen.pop(thread)
            if seen > 1:
                self.replies_seen[thread] = seen - 1
            if summed:
                self._recount(thread, seen)

    def _recount(self, thread: int, seen: int) -> None:
        """Have the post of ``thread``, of which ``seen`` replies were seen, summed anew if it tells of no more."""
        post = self.items.get(thread)
        if post is not None and post.replies <= seen:
            self._touched.add(thread)

    def _crowd(self) -> Crowd:
        """Return the crowd; the first time, one with all items so far, which are still all there."""
        if self.crowd is None:
            self.crowd = Crowd()
            self._census = None  # of all items, which are a sample from now on
            self._touched.clear()
            for item in self.items.values():
                self.crowd.add(item)
        return self.crowd
