"""Ledger: everything that is remembered of a story for scoring it.

Owns what is kept and how two stories are merged. Must never know how a score is computed from it.

A ledger is a function of the *set* of observations applied: order and repetition do not matter, and the merge of two
ledgers is the ledger of the union. Up to ``MAX_ITEMS`` items that holds exactly. A larger story has a sketched ledger:
a sample of the items (:mod:`scoring.ledger.sample`) and sketches of all of them (:mod:`scoring.ledger.sketches`), with
the errors stated there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import msgspec

from scoring.assessment import Assessment
from scoring.ledger.aggregate import Aggregate
from scoring.ledger.codec import Codec
from scoring.ledger.coverage import Run, cover, cover_run
from scoring.ledger.evidence import Evidence, EvidenceSet
from scoring.ledger.item import Item, observe, peak
from scoring.ledger.sample import MAX_ITEMS, Sample
from scoring.ledger.sayings import first_ms, first_said, say, sayings
from scoring.ledger.sketches import Sketches, StoredSketches
from scoring.ledger.taken_back import TakenBack
from scoring.ledger.text import shorten
from scoring.ledger.top_candidates import MAX_CANDIDATES, TopCandidate, keep_highest, top_candidate
from scoring.ledger.voices import PER_HOUR, VOICE_MS, people_by_five_minutes, voice
from scoring.ledger.wording import domain
from scoring.observation import UNREAD, Reading, Signal

MAX_ENCODED_BYTES = 65_536
"""The encoding of any ledger is at most this long; a test fills one with the longest texts."""
MAX_FIGURES = 48
"""Figures kept, the first by alphabet. Twenty of the lowest tier are already the most that count."""
MAX_PLATFORMS = 16
OTHER_PLATFORM = "other"
"""Stands for all platforms past the last that is kept by name."""
MAX_NAME_BYTES = 64


class _Stored(msgspec.Struct, array_like=True):
    """The encoded form. The order of the fields is the format: new ones go to the end, with a default."""

    platforms: list[str]
    items: list[Item]
    runs: list[Run]
    figures: list[str]
    candidates: list[TopCandidate]
    assessment: Assessment | None
    threshold: float = 0.0
    sketches: StoredSketches | None = None
    evidence: dict[str, list[Evidence]] = {}
    taken_back: dict[int, int] = {}


_codec = Codec(_Stored, "a ledger")


class Ledger(msgspec.Struct, eq=False):
    """A story's memory: the latest counts of each item, the runs of coverage, the figures, the loudest signals.

    >>> ledger = Ledger()
    >>> Ledger.decode(ledger.encode()) == ledger
    True
    """

    sample: Sample = msgspec.field(default_factory=Sample)
    sketches: Sketches | None = None
    """Of all items, once there are more than the sample can hold; None before."""
    platforms: list[str] = []
    """Names; items refer to them by index."""
    runs: list[Run] = []
    figures: set[str] = set()
    candidates: dict[int, TopCandidate] = {}
    """The signals with the highest peaks, by key."""
    evidence: EvidenceSet = msgspec.field(default_factory=EvidenceSet)
    taken_back: TakenBack = msgspec.field(default_factory=TakenBack)
    assessment: Assessment | None = None
    """The latest answer of an assessor; the caller sets it."""
    _candidates_floor: int = 0
    """An item with a lower peak is not a candidate."""
    _first_said: dict[int, int] = {}
    """When each saying was said first, while all items are kept; then the sketches have it."""
    _latest_ms: int = 0
    """When the latest item was made, repeat or not, UTC epoch ms."""
    _aggregate: Aggregate | None = None
    """The sums of the last call of :meth:`aggregate`, while all items are kept."""

    @property
    def items(self) -> Mapping[int, Item]:
        """The items kept one by one, by key: all of them, or a sample once there are sketches."""
        return self.sample.items

    def apply(self, signal: Signal, reading: Reading = UNREAD) -> None:
        """Take in one observation. Repeating it changes nothing; an older one never replaces later counts."""
        platforms, platform = self.platforms, signal.platform
        index = 0 if platforms and platforms[0] == platform else self._platform(platform)
        item = observe(signal, reading, index)
        if reading.figures:
            self._add_figures(reading.figures)
        if peak(item) >= self._candidates_floor:
            self._add_candidate(top_candidate(signal, item))
        self.evidence.take(signal, reading, item, platforms[index])
        if signal.deleted:
            self._take_back({item.key: signal.observed_ms})
        elif self.taken_back.has(item.key, signal.observed_ms):
            self.evidence.rewrite(self.taken_back.piece)
        self._add(item)

    def merge(self, other: Ledger) -> None:
        """Take in all that ``other`` holds, as if its signals had been applied here. ``other`` stays as it is."""
        index = [self._platform(platform) for platform in other.platforms]
        theirs = [msgspec.structs.replace(item, platform=index[item.platform]) for item in other.items.values()]
        if other.sketches is not None:
            self._sketched().merge(other.sketches, index)
            self.sample.raise_threshold(other.sample.threshold)
            for run in other.runs:
                cover_run(self.runs, run)
        if self.sketches is None:
            for item in theirs:
                self.sample.add(item)
            self._cover_all()
            self._limit()
        else:
            for item in theirs:
                self._add(item)
        self._add_figures(other.figures)
        for candidate in other.candidates.values():
            self._add_candidate(candidate)
        self.evidence.merge(other.evidence)
        self._take_back(other.taken_back.at_ms)
        if other.assessment is not None and (self.assessment is None or other.assessment > self.assessment):
            self.assessment = other.assessment

    def trim(self) -> None:
        """Drop what the sketches hold beyond their limits. Encoding and scoring do so first."""
        if self.sketches is not None:
            self.sketches.trim()

    def until(self, t_ms: int) -> Ledger:
        """Return this ledger without the items covered after ``t_ms`` (UTC epoch ms); itself, if there are none.

        Sketches do not know their items' times: the runs of a sketched ledger are cut off at ``t_ms``. Figures and
        evidence stay.
        """
        if not self.runs or max(self.runs[-1][1], self._latest_ms) <= t_ms:
            return self
        past = Ledger(
            sample=Sample([item for item in self.items.values() if item.made_ms <= t_ms], self.sample.threshold),
            sketches=self.sketches,
            platforms=self.platforms,
            figures=self.figures,
            evidence=self.evidence,
            taken_back=self.taken_back,
            assessment=self.assessment,
        )
        if self.sketches is None:
            for item in past.items.values():
                cover(past.runs, item.covered_ms)
        else:
            past.runs = [(start_ms, min(end_ms, t_ms)) for start_ms, end_ms in self.runs if start_ms <= t_ms]
        past.candidates = {key: candidate for key, candidate in self.candidates.items() if key in past.items}
        return past

    def aggregate(self, t_ms: int) -> Aggregate:
        """Return the sums over the items; valid until the next call. No item was covered after ``t_ms``.

        The sums of the last call are brought up to date. Only those over a sample are computed from scratch.
        """
        sample = self.sample
        aggregate, changed = self._aggregate, sample.changed
        if aggregate is None or changed is None or t_ms < aggregate.t_ms:
            aggregate = Aggregate(sample.threshold)
            fresh: Set[int] = sample.items.keys()
        else:
            fresh = changed
        if self.sketches is None:
            aggregate.update(sample.items, fresh, t_ms, sample.replies_seen, sample.copies)
            self._aggregate, sample.changed = aggregate, set()
        else:
            aggregate.update(sample.items, fresh, t_ms, {}, sample.copies)
        return aggregate

    def counts(self, from_ms: int, buckets: int) -> list[int]:
        """Return how many people spoke in each of ``buckets`` spans of 5 minutes, the first at ``from_ms``.

        ``from_ms`` (UTC epoch ms) must be a multiple of 5 minutes. A sketched ledger knows the latest 15 such spans;
        for earlier ones it returns 0.
        """
        first = from_ms // VOICE_MS
        if self.sketches is not None:
            return [self.sketches.people_at(number) for number in range(first, first + buckets)]
        said = {voice(item) for item in self.items.values() if item.covered_ms // VOICE_MS > first - PER_HOUR}
        return people_by_five_minutes(said, self.sample.copies.copiers, range(first, first + buckets))

    def titles(self) -> tuple[str, ...]:
        """Return the words of the loudest signals, the loudest first, for an assessor to read."""
        return tuple(candidate.title for candidate in sorted(self.candidates.values(), reverse=True) if candidate.title)

    def shown(self) -> tuple[TopCandidate, ...]:
        """Return the signals with the highest peaks that may be shown, in no order: none that was taken back."""
        has = self.taken_back.has
        return tuple(kept for kept in self.candidates.values() if not has(kept.key, kept.observed_ms))

    def encode(self) -> bytes:
        """Return a compact, versioned encoding of at most 64 KiB."""
        self.trim()
        return _codec.encode(
            _Stored(
                self.platforms,
                list(self.items.values()),
                self.runs,
                sorted(self.figures),
                list(self.candidates.values()),
                self.assessment,
                self.sample.threshold,
                None if self.sketches is None else self.sketches.encode(),
                self.evidence.encode(),
                self.taken_back.at_ms,
            )
        )

    @classmethod
    def decode(cls, encoded: bytes) -> Ledger:
        """Return the ledger that was encoded, by this version or an earlier one.

        Raises:
            CorruptLedgerError: ``encoded`` is of an unknown version or damaged.
        """
        stored = _codec.decode(encoded)
        ledger = cls(
            sample=Sample(stored.items, stored.threshold),
            sketches=None if stored.sketches is None else Sketches.decode(stored.sketches),
            platforms=stored.platforms,
            runs=stored.runs,
            figures=set(stored.figures),
            evidence=EvidenceSet.decode(stored.evidence),
            taken_back=TakenBack(stored.taken_back),
            assessment=stored.assessment,
        )
        for candidate in stored.candidates:
            ledger._add_candidate(candidate)
        if ledger.sketches is None:
            ledger._first_said = first_said(stored.items)
            ledger._latest_ms = max((item.made_ms for item in stored.items), default=0)
        return ledger

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same, in whatever order it came. Sketches are not compared."""
        if not isinstance(other, Ledger):
            return NotImplemented
        return self._content() == other._content()

    def __ne__(self, other: object) -> bool:
        return not self == other  # a struct would compare identities

    __hash__ = None  # type: ignore[assignment]  # a ledger is mutable

    def _content(self) -> object:
        self.trim()
        named = {
            key: (self.platforms[item.platform], msgspec.structs.replace(item, platform=0))
            for key, item in self.items.items()
        }
        sampled = self.sample.threshold, self.sample.replies_seen
        words = self.candidates, self.evidence.kept, self.taken_back.at_ms
        return named, self.runs, self.figures, self.assessment, *words, *sampled

    def _platform(self, platform: str) -> int:
        """Return the index of ``platform``; add it if it is new."""
        platforms = self.platforms
        try:
            return platforms.index(platform)
        except ValueError:
            name = shorten(platform, MAX_NAME_BYTES) if len(platforms) < MAX_PLATFORMS - 1 else OTHER_PLATFORM
            if name not in platforms:
                platforms.append(name)
            return platforms.index(name)

    def _add_candidate(self, candidate: TopCandidate) -> None:
        keep_highest(self.candidates, self.taken_back.candidate(candidate))
        if len(self.candidates) == MAX_CANDIDATES:
            self._candidates_floor = min(self.candidates.values()).peak

    def _take_back(self, at_ms: Mapping[int, int]) -> None:
        """Drop the words of items, by key, as far as they were observed until ``at_ms``."""
        for key, gone_ms in at_ms.items():
            self.taken_back.add(key, gone_ms)
        if not self.taken_back.at_ms:
            return
        for kept in tuple(self.candidates.values()):
            self.candidates[kept.key] = self.taken_back.candidate(kept)
        self.evidence.rewrite(self.taken_back.piece)

    def _add_figures(self, figures: Iterable[str]) -> None:
        self.figures.update(shorten(figure, MAX_NAME_BYTES) for figure in figures)
        if len(self.figures) > MAX_FIGURES:
            self.figures = set(sorted(self.figures)[:MAX_FIGURES])

    def _add(self, item: Item) -> None:
        """Add one observation: covered when its author first said the same, as far as that is known."""
        sample, sketches = self.sample, self.sketches
        if sketches is not None:
            if not sketches.sayings.add(item):
                self._cover(item.made_ms)
            _shrink(item)
            sample.add(item)
            sketches.add(item)
        else:
            old = sample.items.get(item.key)
            made_ms = item.covered_ms
            if old is None:
                is_due = bool(item.text or item.link) and say(self._first_said, item)
                sample.keep(item)
                self._latest_ms = max(self._latest_ms, made_ms)
                self._cover(item.covered_ms)
            else:
                is_due = made_ms < old.made_ms or sayings(item) != sayings(old)
                sample.add(item)
            if is_due:
                self._cover_all()
        if len(sample.items) > MAX_ITEMS:
            self._limit()

    def _cover(self, covered_ms: int) -> None:
        runs = self.runs
        if not runs or not runs[-1][0] <= covered_ms <= runs[-1][1]:
            cover(runs, covered_ms)

    def _cover_all(self) -> None:
        """Find again when each item was covered, while all of them are kept."""
        sample = self.sample
        first = self._first_said = first_said(sample.items.values())
        for item in tuple(sample.items.values()):
            sample.cover(item, first_ms(first, item), item.made_ms)
        self.runs = []
        for item in sample.items.values():
            cover(self.runs, item.covered_ms)
        self._latest_ms = max((item.made_ms for item in sample.items.values()), default=0)

    def _limit(self) -> None:
        """Keep a sample of the items, and sketches of all of them, if there are too many."""
        while len(self.sample.items) > MAX_ITEMS:
            self._sketched()
            self.sample.drop_least()

    def _sketched(self) -> Sketches:
        """Return the sketches; on the first call, create them from all items, which are still all kept."""
        if self.sketches is None:
            self.sketches = Sketches()
            self._aggregate = self.sample.changed = None  # sums over all items; from now on they are a sample
            self._first_said, self._latest_ms = {}, 0
            for item in self.items.values():
                self.sketches.sayings.add(item)
                _shrink(item)
                self.sketches.add(item)
        return self.sketches


def _shrink(item: Item) -> None:
    """Drop what nothing asks of an item in a sample. That it is a repeat is found in the sketches."""
    item.link = domain(item.link)
    item.cover(item.made_ms, item.made_ms)
