"""Sketches: counts over all items of a story that is too large to keep them one by one.

Owns the sketches of a large story. They count items and authors, in total and by time, replies by sentiment, and texts.
They sample the sources of the audience, the voices of the latest hour, and what was said first. Must never know of a
story that is small enough to be kept exactly.

Standard errors: authors 2.3 %; items and replies by platform, replies by sentiment, texts 6.5 % each; items and authors
in a bucket of time 9.2 %; the audience 10 %. Counts of a few dozen are nearly exact. An earlier version's buckets of
time have twice the registers; they are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from math import fsum

import msgspec

from scoring.ledger.distinct_count import DistinctCount, union_estimate
from scoring.ledger.item import COMMUNITY, NO_SOURCE, POST, REPLY, VIEWS, Item
from scoring.ledger.priority import priority
from scoring.ledger.sayings import SayingSample
from scoring.ledger.voices import SEVERAL, VOICE_MS, Voice, VoiceSample, heard, hour_to, number_of, sampled_copiers
from scoring.settings import HOUR_MS, MINUTE_MS

LG_AUTHORS = 11
LG_OTHERS = 8
LG_TIMES = 7
"""Binary logarithms of the registers of a sketch: 2.3 %, 6.5 % and 9.2 % of error for 1 KB, 168 and 104 bytes."""
MAX_SOURCES = 96
"""Sources of the audience that are kept: an error of 10 % at most."""

RINGS: tuple[tuple[int, int], ...] = ((MINUTE_MS, 6), (5 * MINUTE_MS, 15), (HOUR_MS, 25))
"""Width and number of the buckets of time: enough for the windows of 5 min, 1 h and 24 h and a bucket half in them."""

_Pair = tuple[DistinctCount, DistinctCount]

Source = tuple[int, int, int]
"""(people or likes, kind of source, platform); see :mod:`scoring.ledger.item` for the kinds."""


class StoredSketches(msgspec.Struct, array_like=True, gc=False):
    """The encoded form; each sketch is in the format of Apache DataSketches."""

    authors: bytes
    replies_by_sentiment: tuple[bytes, bytes]
    platforms: list[tuple[int, bytes, bytes]]
    posted: list[int]
    sources: list[tuple[int, Source]]
    threshold: float
    rings: list[list[tuple[int, bytes, bytes]]]
    texts: tuple[bytes, bytes] | None = None
    voices: list[tuple[int, bytes]] = []
    sayings: bytes = b""


class Ring:
    """Sketches of items and authors by time of coverage, in the latest ``length`` buckets of ``width_ms``."""

    __slots__ = ("buckets", "length", "newest", "width_ms")

    def __init__(self, width_ms: int, length: int) -> None:
        self.width_ms = width_ms
        self.length = length
        self.newest = 0
        self.buckets: dict[int, _Pair] = {}
        """Items and authors, by the number of the bucket: its beginning divided by its width."""

    def bucket(self, number: int) -> _Pair | None:
        """Return the bucket with this number, a new one if there is none; None if it is too old to be kept."""
        if number > self.newest:
            self.newest = number
            for old in [old for old in self.buckets if old <= number - self.length]:
                del self.buckets[old]
        elif number <= self.newest - self.length:
            return None
        bucket = self.buckets.get(number)
        if bucket is None:
            bucket = self.buckets[number] = (DistinctCount(LG_TIMES), DistinctCount(LG_TIMES))
        return bucket

    def since(self, after_ms: int) -> tuple[float, float]:
        """Return estimates of the items and authors since ``after_ms``, rounded to the nearest boundary of a bucket."""
        first = round(after_ms / self.width_ms)
        buckets = [bucket for number, bucket in self.buckets.items() if number >= first]
        return (
            union_estimate(LG_TIMES, (items for items, _ in buckets)),
            union_estimate(LG_TIMES, (authors for _, authors in buckets)),
        )

    def leaves_ms(self, after_ms: int) -> int:
        """Return from which ``after_ms`` on :meth:`since` leaves out the oldest bucket that it counts; 0 if none."""
        first = round(after_ms / self.width_ms)
        oldest = min((number for number in self.buckets if number >= first), default=None)
        if oldest is None:
            return 0
        return oldest * self.width_ms + self.width_ms // 2 + (oldest % 2 == 0)  # as `round` does with a half

    def items(self, number: int) -> float:
        """Return an estimate of the items in one bucket."""
        bucket = self.buckets.get(number)
        return 0.0 if bucket is None else bucket[0].estimate()


class Sketches:
    """Sketches of all items of a large story. Order and repetition do not matter."""

    __slots__ = (
        *("authors", "negative", "platforms", "positive", "posted"),
        *("rings", "sayings", "sources", "texts", "threshold", "voices"),
    )

    def __init__(self) -> None:
        self.authors = DistinctCount(LG_AUTHORS)
        self.positive = DistinctCount(LG_OTHERS)
        self.negative = DistinctCount(LG_OTHERS)
        self.platforms: dict[int, _Pair] = {}
        """Items and replies by platform."""
        self.posted: set[int] = set()
        """Platforms with at least one post."""
        self.sources: dict[int, Source] = {}
        """A priority sample of the sources of the audience, by key."""
        self.threshold = 0.0
        """Of that sample; see :mod:`scoring.ledger.priority`."""
        self.rings = tuple(Ring(width_ms, length) for width_ms, length in RINGS)
        self.texts: _Pair = (DistinctCount(LG_OTHERS), DistinctCount(LG_OTHERS))
        """Items with a text, and texts."""
        self.voices: dict[int, VoiceSample] = {}
        """By the number of the bucket, for the buckets of five minutes in their ring."""
        self.sayings = SayingSample()

    def add(self, item: Item) -> None:
        """Count ``item``, once however often it comes."""
        key, author = item.key, item.author
        items, replies = self._platform(item.platform)
        items.add(key)
        if item.kind == REPLY:
            replies.add(key)
            if item.sentiment:
                (self.positive if item.sentiment > 0 else self.negative).add(key)
        elif item.kind == POST:
            self.posted.add(item.platform)
        if author:
            self.authors.add(author)
        if item.text:
            self.texts[0].add(key)
            self.texts[1].add(item.text)
        for ring in self.rings:
            bucket = ring.bucket(item.covered_ms // ring.width_ms)
            if bucket is not None:
                bucket[0].add(key)
                if author:
                    bucket[1].add(author)
        self._add_voice(item.covered_ms // VOICE_MS, author or key, item.text if author else 0)
        if item.source != NO_SOURCE:
            source = item.community if item.source == COMMUNITY else key if item.source == VIEWS else author or key
            self._add_source(source, (item.audience, item.source, item.platform))

    def merge(self, other: Sketches, platforms: Sequence[int]) -> None:
        """Count all that ``other`` counted; ``platforms``: this ledger's index of each of the other's platforms."""
        self.authors.merge(other.authors)
        self.positive.merge(other.positive)
        self.negative.merge(other.negative)
        for platform, (items, replies) in other.platforms.items():
            mine = self._platform(platforms[platform])
            mine[0].merge(items)
            mine[1].merge(replies)
        self.posted |= {platforms[platform] for platform in other.posted}
        self.threshold = max(self.threshold, other.threshold)
        self.sources = {
            key: source for key, source in self.sources.items() if priority(1 + source[0], key) > self.threshold
        }
        for key, (audience, kind, platform) in other.sources.items():
            self._add_source(key, (audience, kind, platforms[platform]))
        for ring, others in zip(self.rings, other.rings, strict=True):
            for number, (items, authors) in sorted(others.buckets.items()):
                bucket = ring.bucket(number)
                if bucket is not None:
                    bucket[0].merge(items)
                    bucket[1].merge(authors)
        for count, others_count in zip(self.texts, other.texts, strict=True):
            count.merge(others_count)
        for at, sample in other.voices.items():
            voices = self._voices_at(at)
            if voices is not None:
                voices.merge(sample)
        self.sayings.merge(other.sayings)

    def people(self, after_ms: int) -> int:
        """Return how many people spoke since ``after_ms``, rounded to the nearest boundary of five minutes."""
        first = round(after_ms / VOICE_MS)
        return self._heard([at for at in self.rings[1].buckets if at >= first])

    def people_at(self, number: int) -> int:
        """Return how many people spoke in one bucket of five minutes, given those of the hour up to its end."""
        return self._heard([at for at in hour_to(number) if at in self.rings[1].buckets], number)

    def _heard(self, buckets: Sequence[int], number: int | None = None) -> int:
        kept = {at: self.voices[at] for at in sorted(self.rings[1].buckets) if at in self.voices}
        times = {at: sample.times for at, sample in kept.items()}
        said: dict[Voice, int] = {}
        known: set[tuple[int, int]] = set()
        for at, sample in kept.items():
            new = [spoken for spoken in sample.sampled() if not self._is_repeat(spoken, at, known)]
            said.update({person << 32 | at: text for person, text in new})
            known.update(new)
        people = heard(
            [each for each in said if number_of(each) in buckets], sampled_copiers(said), times.__getitem__, number
        )
        # An earlier version did not keep voices.
        uncounted = [self.rings[1].items(at) for at in buckets if at not in kept and number in (None, at)]
        return round(fsum([people, *uncounted]))

    def _is_repeat(self, spoken: tuple[int, int], number: int, known: Set[tuple[int, int]]) -> bool:
        """Return whether a voice of these five minutes says what its person said before; ``known``: in this hour."""
        person, text = spoken
        return text > SEVERAL and (spoken in known or self.sayings.said_before(person, text, number * VOICE_MS))

    def _voices_at(self, number: int) -> VoiceSample | None:
        """Return the voices of a bucket of five minutes; None if the ring keeps it no longer."""
        if number not in self.rings[1].buckets:
            return None
        sample = self.voices.get(number)
        if sample is None:
            for old in [old for old in self.voices if old not in self.rings[1].buckets]:
                del self.voices[old]
            sample = self.voices[number] = VoiceSample()
        return sample

    def _add_voice(self, number: int, person: int, text: int) -> None:
        sample = self._voices_at(number)
        if sample is not None:
            sample.add(person, text)

    def trim(self) -> None:
        """Drop the sources beyond the limit."""
        if len(self.sources) <= MAX_SOURCES:
            return
        ranked = sorted(((priority(1 + source[0], key), key) for key, source in self.sources.items()), reverse=True)
        for threshold, key in ranked[MAX_SOURCES:]:
            del self.sources[key]
            self.threshold = max(self.threshold, threshold)

    def audience(self) -> Iterable[tuple[Source, float]]:
        """Yield the kept sources, each with the number of sources that it stands for."""
        for source in self.sources.values():
            yield source, max(1.0, self.threshold / (1 + source[0]))

    def encode(self) -> StoredSketches:
        """Return the encoded form."""
        self.trim()
        return StoredSketches(
            self.authors.encode(),
            (self.positive.encode(), self.negative.encode()),
            _encode_pairs(self.platforms),
            sorted(self.posted),
            list(self.sources.items()),
            self.threshold,
            [_encode_pairs(ring.buckets) for ring in self.rings],
            (self.texts[0].encode(), self.texts[1].encode()),
            [(at, voices.encode()) for at, voices in self.voices.items() if at in self.rings[1].buckets],
            self.sayings.encode(),
        )

    @classmethod
    def decode(cls, stored: StoredSketches) -> Sketches:
        """Return the sketches that were encoded."""
        sketches = cls()
        sketches.authors = DistinctCount(LG_AUTHORS, stored.authors)
        sketches.positive, sketches.negative = (
            DistinctCount(LG_OTHERS, sketch) for sketch in stored.replies_by_sentiment
        )
        sketches.platforms = _decode_pairs(stored.platforms, LG_OTHERS)
        sketches.posted = set(stored.posted)
        sketches.sources = dict(stored.sources)
        sketches.threshold = stored.threshold
        for ring, buckets in zip(sketches.rings, stored.rings, strict=True):
            ring.buckets = _decode_pairs(buckets, LG_TIMES)
            ring.newest = max(ring.buckets, default=0)
        if stored.texts is not None:
            items, texts = stored.texts
            sketches.texts = (DistinctCount(LG_OTHERS, items), DistinctCount(LG_OTHERS, texts))
        sketches.voices = {at: VoiceSample.decode(voices) for at, voices in stored.voices}
        sketches.sayings = SayingSample.decode(stored.sayings)
        return sketches

    def _platform(self, platform: int) -> _Pair:
        counts = self.platforms.get(platform)
        if counts is None:
            counts = self.platforms[platform] = (DistinctCount(LG_OTHERS), DistinctCount(LG_OTHERS))
        return counts

    def _add_source(self, key: int, source: Source) -> None:
        old = self.sources.get(key)
        if (old is None or source > old) and priority(1 + source[0], key) > self.threshold:
            self.sources[key] = source
            if len(self.sources) > 2 * MAX_SOURCES:
                self.trim()


def _encode_pairs(pairs: dict[int, _Pair]) -> list[tuple[int, bytes, bytes]]:
    return [(number, first.encode(), second.encode()) for number, (first, second) in pairs.items()]


def _decode_pairs(encoded: list[tuple[int, bytes, bytes]], lg_k: int) -> dict[int, _Pair]:
    return {n: (DistinctCount(lg_k, first), DistinctCount(lg_k, second)) for n, first, second in encoded}
