"""The read model: the newest score, the trend and the recent events of every live story, in memory.

Owns what is stored and for how long. Must never know Kafka, HTTP or the subscribers: it takes decoded records in the
order of the log and returns what changed. Its size follows the number of live stories. A tombstone removes all of a
story; trends and events have fixed capacities.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from scoring import Factors
from streams.records.noise_event import EVENT_TYPES, Merged, NoiseEvent, NoiseUpdate, Resolved, StateChange
from streams.records.noise_score import NoiseScore, PlatformShare
from streams.serve.trend import Trend

ROW_TITLE_CHARS = 300
"""A title in the ranking is cut at this length, because untrusted users write titles. The detail has all of it."""
ROW_PLATFORMS = 12
ROW_FIGURES = 5
STORY_EVENTS = 40
REDIRECTS = 10_000
ORPHANS = 2_000
"""Stories with events but no score that are stored: events and scores are read side by side."""
FACET_VALUES = 30


class StoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A story in the ranking: its score without the fields that only the detail shows. Fields as in NoiseScore.

    The row has all platforms and figures, for the filters. :meth:`cut` limits those that are sent.
    """

    story: str
    slug: str
    title: str
    beat: str
    category: str | None
    noise: float
    previous: float | None
    band: str
    state: str
    raw: float
    decay: float
    factors: Factors
    velocity_per_hour: float
    platforms: Mapping[str, PlatformShare]
    figures: Sequence[str]
    first_seen_ms: int
    last_coverage_ms: int
    scored_ms: int

    @classmethod
    def of(cls, score: NoiseScore) -> StoryRow:
        """Return the row of ``score``."""
        fields = {name: getattr(score, name) for name in cls.__struct_fields__}
        return cls(**fields | {"title": score.title[:ROW_TITLE_CHARS]})

    def cut(self) -> StoryRow:
        """Return the row with as many platforms and figures as a ranking shows."""
        platforms = self.platforms
        if len(platforms) > ROW_PLATFORMS:
            loudest = sorted(platforms.items(), key=lambda share: -share[1].items)
            platforms = dict(loudest[:ROW_PLATFORMS])
        return msgspec.structs.replace(self, platforms=platforms, figures=self.figures[:ROW_FIGURES])


@dataclass(slots=True)
class StoryEntry:
    """One story in the read model. ``record``: its newest NoiseScore, in the bytes it came in."""

    row: StoryRow
    record: bytes
    trend: Trend
    reading: int
    _encoded: bytes | None = None

    def encoded_row(self) -> bytes:
        """Return the row as JSON. It is encoded once for all clients."""
        if self._encoded is None:
            self._encoded = msgspec.json.encode(self.row.cut())
        return self._encoded

    def replace(self, row: StoryRow, record: bytes, reading: int) -> None:
        """Store a newer score."""
        self.row, self.record, self.reading, self._encoded = row, record, reading, None


@dataclass(frozen=True, slots=True)
class StoryChange:
    """What one score record changed: ``before`` is None for a new story, ``after`` for one that is gone."""

    before: StoryRow | None
    after: StoryRow | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A noise event, decoded and in the bytes it came in."""

    event: NoiseEvent
    record: bytes


class _Events:
    """The newest events of some kind, each once. ``capacity``: how many."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._by_record: OrderedDict[bytes, StoredEvent] = OrderedDict()

    def __iter__(self) -> Iterator[StoredEvent]:
        return iter(self._by_record.values())

    def add(self, stored: StoredEvent) -> bool:
        """Store an event. Return False if it is stored already, or older than all that are stored."""
        if stored.record in self._by_record:
            return False
        if len(self._by_record) == self._capacity:
            if stored.event.at_ms < next(iter(self)).event.at_ms:
                return False
            self._by_record.popitem(last=False)
        self._by_record[stored.record] = stored
        return True


class ReadModel:
    """Every live story. ``trend_points`` and ``events_kept`` (for each type) bound what is stored of the past."""

    def __init__(self, *, trend_points: int, events_kept: int) -> None:
        self._trend_points = trend_points
        self._stories: dict[str, StoryEntry] = {}
        self._ids_by_slug: dict[str, list[str]] = {}
        """Stories of two beats may have the same slug. The one that came last is found."""
        self._events = {type_: _Events(events_kept) for type_ in EVENT_TYPES}
        self._events_by_story: dict[str, _Events] = {}
        self._merged_into: OrderedDict[str, str] = OrderedDict()
        self._early_trends: dict[str, Trend] = {}
        self._facets: dict[str, Counter[str]] = {
            name: Counter() for name in ("beat", "band", "state", "category", "platform")
        }
        self._reading = 0
        self.newest_scored_ms: int | None = None

    def __len__(self) -> int:
        return len(self._stories)

    def __iter__(self) -> Iterator[StoryEntry]:
        return iter(self._stories.values())

    def get(self, story: str) -> StoryEntry | None:
        """Return the story with this id, if it is live."""
        return self._stories.get(story)

    def find(self, name: str) -> StoryEntry | None:
        """Return the story with this id or, failing that, this slug, if it is live."""
        return self._stories.get(name) or self._stories.get(self._ids_by_slug.get(name, [""])[-1])

    def merged_into(self, name: str) -> str | None:
        """Return the id of the live story that the story with this id or slug was merged into, if it was."""
        seen = set()
        while name not in seen and (into := self._merged_into.get(name)):
            if into in self._stories:
                return into
            seen.add(name)
            name = into
        return None

    # Scores

    def begin_reading(self) -> None:
        """Start a read of the scores from the beginning of the topic."""
        self._reading += 1

    def end_reading(self) -> list[StoryRow]:
        """End the read: its end is reached. Remove and return the stories that it did not find.

        Their tombstones have been compacted away since the read before.
        """
        lost = [id_ for id_, story in self._stories.items() if story.reading != self._reading]
        return [row for id_ in lost if (row := self.remove(id_).before)]

    def put(self, score: NoiseScore, record: bytes) -> StoryChange:
        """Store a score, in the order of the log. ``record``: its bytes."""
        row = StoryRow.of(score)
        story = self._stories.get(row.story)
        before = None
        if story is None:
            trend = self._early_trends.pop(row.story, None) or Trend(self._trend_points)
            story = self._stories[row.story] = StoryEntry(row, record, trend, self._reading)
        else:
            before = story.row
            self._count(before, -1)
            self._remove_slug(before)
            story.replace(row, record, self._reading)
        self._ids_by_slug.setdefault(row.slug, []).append(row.story)
        self._count(row, +1)
        story.trend.add(row.scored_ms, row.noise)
        if self.newest_scored_ms is None or row.scored_ms > self.newest_scored_ms:
            self.newest_scored_ms = row.scored_ms
        return StoryChange(before, row)

    def remove(self, id_: str) -> StoryChange:
        """Apply a tombstone: the story was merged, or has ended."""
        self._events_by_story.pop(id_, None)
        self._early_trends.pop(id_, None)
        story = self._stories.pop(id_, None)
        if story is None:
            return StoryChange(None, None)
        self._count(story.row, -1)
        self._remove_slug(story.row)
        return StoryChange(story.row, None)

    # Events

    def add_event(self, event: NoiseEvent, record: bytes) -> StoredEvent | None:
        """Store an event. ``record``: its bytes. Return None if it is not new, as when the topic is read again."""
        stored = StoredEvent(event, record)
        is_new = self._events[event.type].add(stored)
        if isinstance(event, NoiseUpdate | StateChange | Resolved) and event.noise is not None:
            self._add_to_trend(event.story, event.at_ms, event.noise)
        if event.type != "noise_update":
            self._events_by_story.setdefault(event.story, _Events(STORY_EVENTS)).add(stored)
            self._drop_orphans(self._events_by_story)
        if isinstance(event, Merged) and event.into:
            for name in filter(None, (event.story, event.slug)):
                self._merged_into[name] = event.into
                self._merged_into.move_to_end(name)
            while len(self._merged_into) > REDIRECTS:
                self._merged_into.popitem(last=False)
        return stored if is_new else None

    def events(self, types: Collection[str] = EVENT_TYPES) -> list[StoredEvent]:
        """Return the recent events of these types, newest first."""
        return newest_first(stored for type_ in types for stored in self._events[type_])

    def story_events(self, id_: str) -> list[StoredEvent]:
        """Return the events of one story (every type but ``noise_update``), newest first."""
        return newest_first(self._events_by_story.get(id_, ()))

    def facets(self) -> dict[str, dict[str, int]]:
        """Return how many stories each beat, band, state, category and platform has (the most common ones)."""
        return {name: dict(counts.most_common(FACET_VALUES)) for name, counts in self._facets.items()}

    # Inside

    def _add_to_trend(self, id_: str, at_ms: int, noise: float) -> None:
        if story := self._stories.get(id_):
            story.trend.add(at_ms, noise)
        else:
            self._early_trends.setdefault(id_, Trend(self._trend_points)).add(at_ms, noise)
            self._drop_orphans(self._early_trends)

    def _drop_orphans(self, by_story: dict[str, _Events] | dict[str, Trend]) -> None:
        """Bound what is stored for stories without a score: drop the oldest half."""
        if len(by_story) > len(self._stories) + ORPHANS:
            orphans = [id_ for id_ in by_story if id_ not in self._stories]
            for id_ in islice(orphans, len(orphans) // 2):
                del by_story[id_]

    def _remove_slug(self, row: StoryRow) -> None:
        ids = self._ids_by_slug[row.slug]
        ids.remove(row.story)
        if not ids:
            del self._ids_by_slug[row.slug]

    def _count(self, row: StoryRow, by: int) -> None:
        facets = self._facets
        for name, value in (("beat", row.beat), ("band", row.band), ("state", row.state), ("category", row.category)):
            if value:
                _add(facets[name], value, by)
        for platform in row.platforms:
            _add(facets["platform"], platform, by)


def _add(counts: Counter[str], value: str, by: int) -> None:
    counts[value] += by
    if counts[value] <= 0:
        del counts[value]


def newest_first(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    """Return ``events``, the newest first."""
    return sorted(events, key=lambda stored: stored.event.at_ms, reverse=True)
