"""The one ordered place where new posts are given to stories.

Owns the order in which candidates are decided, by (``at_ms``, ``created_ms``, ``id``) behind the watermark, and the
numbering of decisions. What decides is the matcher of each beat; where candidates come from and where decisions go is
the worker's business. Pure: reads no clock, sends nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from ingest.signal import Signal
from streams.records.candidates import Candidate
from streams.records.stories import NOWHERE, Assignment, Lesson, Merge, Moved, OperatorCommand, StoryInfo, ThreadRecord
from streams.resolve.commands import Orders
from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.headline import Headlines
from streams.resolve.matching.matcher import Matcher, MatcherConfig
from streams.resolve.matching.story import Reading
from streams.resolve.matching.titles import title_of
from streams.resolve.threads import ThreadIndex

__all__ = ["Decided", "Decider"]

HOUR_MS = 3_600_000
NOT_KNOWN = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision to publish, with the stories it founded, and those that had been forgotten by then.

    And the titles of stories that are called anew (``named``), and threads that operators ``moved`` to other stories.
    """

    record: ThreadRecord
    founded: tuple[StoryInfo, ...]
    forgotten: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True)
class _New:
    """A candidate that waits, with its headline and what the matcher of each of its beats has read of it."""

    signal: Signal
    title: str
    readings: dict[str, Reading]


class Decider:
    """Gives each new thread to a story of each of its beats, in one order whatever order they arrive in."""

    def __init__(self, matchers: Mapping[str, Matcher], threads: ThreadIndex) -> None:
        """``threads``: what was decided before, and what operators have ordered; kept by the caller."""
        self._matchers = matchers
        self._threads = threads
        self._orders = Orders(threads)
        self._headlines = Headlines(load_embedding(MatcherConfig().embedding).usual)
        self._sequence = 0
        self._expired_hour = 0
        self._position = 0
        self._queue: list[tuple[int, int, str, int, _New]] = []
        self._queued: set[str] = set()

    @property
    def low(self) -> int:
        """The offset of the topic ``candidates`` below which every candidate is decided."""
        return min((item[3] for item in self._queue), default=self._position)

    def decided_ms(self, watermark_ms: int) -> int:
        """Return the time up to which every candidate that the watermark has passed is decided."""
        return min(watermark_ms, self._queue[0][0] - 1) if self._queue else watermark_ms

    @property
    def waiting(self) -> int:
        """How many candidates wait for the watermark."""
        return len(self._queue)

    def skip(self, offset: int) -> None:
        """Pass over a record that holds no candidate."""
        self._position = offset + 1

    def offer(self, offset: int, candidate: Candidate) -> None:
        """Take in the candidate at ``offset``; one whose thread is decided or queued already changes nothing."""
        self._position = offset + 1
        signal = candidate.signal
        if signal is None or signal.thread in self._queued or self._threads.lookup(signal.thread) is not None:
            return
        self._queued.add(signal.thread)
        # A beat may be watched no longer; a post of no other belongs to no story.
        beats = [beat for beat in candidate.beats if beat in self._matchers]
        new = _New(signal, title_of(signal), {beat: self._matchers[beat].read(signal) for beat in beats})
        entry = (candidate.at_ms, signal.created_ms, signal.id, offset, new)
        heapq.heappush(self._queue, entry)

    def decide(self, watermark_ms: int) -> Iterable[Decided]:
        """Decide, in order, every candidate whose time is at or before the watermark."""
        while self._queue and self._queue[0][0] <= watermark_ms:
            at_ms, _, _, _, new = heapq.heappop(self._queue)
            self._queued.discard(new.signal.thread)
            yield self._decide(at_ms, new)

    def adopt(self, record: ThreadRecord) -> None:
        """Make a decision again that was made before; in the order they were made, before any other."""
        self._expire(record.at_ms)
        for assignment in record.assignments:
            info, matcher = self._threads.story(assignment.story), self._matchers.get(assignment.beat)
            if info is not None and matcher is not None:
                matcher.adopt(info, assignment, record.at_ms)
        self._orders.note(record)
        self._teach(record)
        self._hear(record)
        self._sequence = record.sequence + 1

    def _expire(self, at_ms: int) -> tuple[str, ...]:
        """With the first decision of each hour, forget the stories that had no new post for too long."""
        hour = at_ms // HOUR_MS
        if hour <= self._expired_hour:
            return ()
        self._expired_hour = hour
        expired = [story for matcher in self._matchers.values() for story in matcher.expire(at_ms)]
        gone = self._orders.forget(expired)
        for story in gone:
            self._headlines.forget(story)
        return gone

    def _decide(self, at_ms: int, new: _New) -> Decided:
        forgotten = self._expire(at_ms)
        thread = new.signal.thread
        assignments: list[Assignment] = []
        founded: list[StoryInfo] = []
        merged: list[Merge] = []
        for beat, reading in new.readings.items():
            matcher = self._matchers[beat]
            decision = matcher.decide(new.signal, at_ms, reading)
            features = msgspec.Raw(msgspec.json.encode(decision.features))
            assignments.append(Assignment(decision.story, beat, decision.stage, features))
            for gone, into in decision.merged:
                merged += self._orders.merge(gone, into)
            if decision.founded:
                founded.append(matcher.story(decision.story))
        due = self._orders.due(thread, at_ms, founded)
        changes = (*merged, *due.merged)
        lessons = tuple(self._lessons(due.pinned, thread, assignments))
        record = ThreadRecord(thread, self._sequence, at_ms, tuple(assignments), changes, new.title, lessons)
        self._teach(record)
        self._sequence += 1
        named = (*due.named, *self._hear(record))
        return Decided(record, tuple(due.founded), forgotten, named, tuple(due.moved))

    def _lessons(self, pinned: list[OperatorCommand], thread: str, assignments: list[Assignment]) -> Iterator[Lesson]:
        """Yield what ``pinned`` teaches: of the thread decided now, or of those before, by what the order holds."""
        for order in pinned:
            known, features = self._threads.lookup(order.subject), order.features
            stories = known.stories if known is not None else ()
            if order.subject == thread:
                stories = tuple(one.story for one in assignments)
                features = assignments[0].features if assignments else NOT_KNOWN
            elif (before := self._threads.moved.get(order.subject)) is not None:
                stories = (before.into, *stories)
            into = self._orders.now(order.into)
            for beat, matcher in self._matchers.items():
                info = matcher.story(into) if into in matcher else order.found
                if features != NOT_KNOWN and info is not None and info.beat == beat:
                    now = (*stories, *map(self._orders.now, stories))
                    story = next((one for one in now if one in matcher), "")
                    yield Lesson(features, info, story)

    def _teach(self, record: ThreadRecord) -> None:
        """Let the matchers learn what operators ordered: the same, whether it is done now or was done before."""
        for lesson in record.lessons:
            if lesson.into.beat in self._matchers:
                self._matchers[lesson.into.beat].learn(lesson, record.at_ms)
        for merge in record.merged:
            for matcher in self._matchers.values():
                matcher.merge(merge.gone, merge.into)
            if not any(merge.gone in matcher for matcher in self._matchers.values()):
                self._orders.learnt(merge.gone)

    def _hear(self, record: ThreadRecord) -> list[tuple[str, str]]:
        """Take in the headline of a decided thread; return the stories that are called anew, with their titles."""
        for merge in record.merged:
            self._headlines.unite(merge.gone, merge.into)
        stories = dict.fromkeys(self._orders.now(assignment.story) for assignment in record.assignments)
        called = [(story, self._headlines.hear(story, record.title)) for story in stories if story != NOWHERE]
        return [(story, title) for story, title in called if title is not None and not self._orders.is_named(story)]
