"""The decider: the one ordered place where new root posts are assigned to stories.

Owns the order of decisions, by (``at_ms``, ``created_ms``, ``id``) behind the watermark, and their numbering. The
matcher of each beat decides. Pure: reads no clock and sends nothing. Must never know where candidates come from.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from ingest.signal import Signal
from scoring.settings import HOUR_MS
from streams.records.candidates import Candidate
from streams.records.stories import (
    NOWHERE,
    Assignment,
    Lesson,
    Merge,
    Moved,
    OperatorCommand,
    StoryInfo,
    ThreadRecord,
    Withdrawn,
)
from streams.resolve.commands import CommandExecutor
from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.headline import Headlines
from streams.resolve.matching.matcher import Matcher
from streams.resolve.matching.story import ParsedPost
from streams.resolve.matching.titles import title_of
from streams.resolve.threads import ThreadIndex

NO_FEATURES = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class ThreadDecision:
    """A decision to publish, with what else it changes.

    ``created`` and ``expired``: stories; ``titles``: new titles by story; ``moved``: threads that operators moved.
    """

    record: ThreadRecord | Withdrawn
    created: tuple[StoryInfo, ...] = ()
    expired: tuple[str, ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True)
class _Queued:
    """A waiting candidate, with its headline and what the matcher of each of its beats read from it.

    One that was taken back has neither.
    """

    signal: Signal
    title: str
    readings: dict[str, ParsedPost]


class Decider:
    """Assigns each new thread to one story of each of its beats, in one order whatever order they arrive in."""

    def __init__(self, matchers: Mapping[str, Matcher], threads: ThreadIndex) -> None:
        """``threads``: earlier decisions and operator commands; the caller keeps it up to date."""
        self._matchers = matchers
        self._threads = threads
        self._commands = CommandExecutor(threads)
        self._headlines = Headlines(load_embedding().usual)
        self._sequence = 0
        self._expired_hour = 0
        self._position = 0
        self.deciding = 0
        """The offset of the candidate decided last."""
        self._queue: list[tuple[int, int, str, int, _Queued]] = []
        self._queued: set[str] = set()

    @property
    def low(self) -> int:
        """The offset of the topic ``candidates`` below which every candidate is decided."""
        return min((item[3] for item in self._queue), default=self._position)

    def decided_ms(self, watermark_ms: int) -> int:
        """Return the time up to which every candidate behind ``watermark_ms`` is decided."""
        return min(watermark_ms, self._queue[0][0] - 1) if self._queue else watermark_ms

    @property
    def waiting(self) -> int:
        """The number of candidates that wait for the watermark."""
        return len(self._queue)

    def skip(self, offset: int) -> None:
        """Pass over a record without a candidate."""
        self._position = offset + 1

    def offer(self, offset: int, candidate: Candidate) -> None:
        """Take in the candidate at ``offset``; one whose thread is decided or queued changes nothing.

        One that was taken back is queued behind its thread.
        """
        self._position = offset + 1
        signal = candidate.signal
        if signal is None:
            return
        if signal.deleted:
            if signal.thread not in self._threads.withdrawn:
                self._push(candidate.at_ms, offset, _Queued(signal, "", {}))
            return
        if signal.thread in self._queued or signal.thread in self._threads.known:
            return
        self._queued.add(signal.thread)
        # A beat may no longer be watched. A post of no watched beat belongs to no story.
        beats = [beat for beat in candidate.beats if beat in self._matchers]
        readings = {beat: self._matchers[beat].read(signal) for beat in beats}
        self._push(candidate.at_ms, offset, _Queued(signal, title_of(signal), readings))

    def _push(self, at_ms: int, offset: int, queued: _Queued) -> None:
        heapq.heappush(self._queue, (at_ms, queued.signal.created_ms, queued.signal.id, offset, queued))

    def decide(self, watermark_ms: int) -> Iterable[ThreadDecision]:
        """Decide, in order, every candidate at or before the watermark.

        It ends early at one that was taken back whose own decision is among those returned: the thread index must hold
        that first.
        """
        decided: set[str] = set()
        while self._queue and self._queue[0][0] <= watermark_ms:
            at_ms, _, _, self.deciding, queued = self._queue[0]
            signal = queued.signal
            if signal.deleted and signal.thread in decided:
                return
            heapq.heappop(self._queue)
            if signal.deleted:
                yield self._withdraw(at_ms, signal.thread)
            else:
                self._queued.discard(signal.thread)
                decided.add(signal.thread)
                yield self._decide(at_ms, queued)

    def adopt(self, record: ThreadRecord) -> None:
        """Repeat an earlier decision. Adopt all of them in their order before any new one."""
        self._expire(record.at_ms)
        for assignment in record.assignments:
            info, matcher = self._threads.stories.get(assignment.story), self._matchers.get(assignment.beat)
            if info is not None and matcher is not None:
                matcher.adopt(info, assignment, record.at_ms)
        self._commands.note(record)
        self._teach(record)
        self._choose_titles(record)
        self._sequence = record.sequence + 1

    def _expire(self, at_ms: int) -> tuple[str, ...]:
        """With the first decision of each hour, expire the stories that had no new post for too long."""
        hour = at_ms // HOUR_MS
        if hour <= self._expired_hour:
            return ()
        self._expired_hour = hour
        expired = [story for matcher in self._matchers.values() for story in matcher.expire(at_ms)]
        gone = self._commands.expire(expired)
        for story in gone:
            self._headlines.drop(story)
        return gone

    def _decide(self, at_ms: int, queued: _Queued) -> ThreadDecision:
        expired = self._expire(at_ms)
        thread = queued.signal.thread
        assignments: list[Assignment] = []
        created: list[StoryInfo] = []
        merged: list[Merge] = []
        for beat, reading in queued.readings.items():
            matcher = self._matchers[beat]
            decision = matcher.decide(queued.signal, at_ms, reading)
            features = msgspec.Raw(msgspec.json.encode(decision.features))
            assignments.append(Assignment(decision.story, beat, decision.stage, features))
            for gone, into in decision.merged:
                merged += self._commands.merge(gone, into)
            if decision.created:
                created.append(matcher.story(decision.story))
        done = self._commands.carry_out(thread, at_ms, created)
        changes = (*merged, *done.merged)
        lessons = tuple(self._lessons(done.pins, thread, assignments))
        record = ThreadRecord(thread, self._sequence, at_ms, tuple(assignments), changes, queued.title, lessons)
        self._teach(record)
        self._sequence += 1
        titles = (*done.titles, *self._choose_titles(record))
        return ThreadDecision(record, tuple(done.created), expired, titles, tuple(done.moved))

    def _withdraw(self, at_ms: int, thread: str) -> ThreadDecision:
        """Take the headline of a thread whose root post was taken back from its stories."""
        known = self._threads.known.get(thread)
        stories = () if known is None else known.stories
        titles = self._changed_titles(stories, lambda story: self._headlines.withdraw(story, thread))
        return ThreadDecision(Withdrawn(thread, at_ms), titles=tuple(titles))

    def _lessons(self, pins: list[OperatorCommand], thread: str, assignments: list[Assignment]) -> Iterator[Lesson]:
        """Yield what ``pins`` teach the matchers, about the thread decided now or about earlier ones."""
        for command in pins:
            known, features = self._threads.known.get(command.subject), command.features
            stories = known.stories if known is not None else ()
            if command.subject == thread:
                stories = tuple(one.story for one in assignments)
                features = assignments[0].features if assignments else NO_FEATURES
            elif (before := self._threads.moved.get(command.subject)) is not None:
                stories = (before.into, *stories)
            into = self._commands.current(command.into)
            for beat, matcher in self._matchers.items():
                info = matcher.story(into) if into in matcher else command.found
                if features != NO_FEATURES and info is not None and info.beat == beat:
                    possible = (*stories, *map(self._commands.current, stories))
                    story = next((one for one in possible if one in matcher), "")
                    yield Lesson(features, info, story)

    def _teach(self, record: ThreadRecord) -> None:
        """Let the matchers learn from commands, in the same way whether the decision is new or adopted."""
        for lesson in record.lessons:
            if lesson.into.beat in self._matchers:
                self._matchers[lesson.into.beat].learn(lesson, record.at_ms)
        for merge in record.merged:
            for matcher in self._matchers.values():
                matcher.merge(merge.gone, merge.into)
            if not any(merge.gone in matcher for matcher in self._matchers.values()):
                self._commands.note_matcher_merge(merge.gone)

    def _choose_titles(self, record: ThreadRecord) -> list[tuple[str, str]]:
        """Take in the headline of a decided thread; return the stories that change their title, with the new one."""
        for merge in record.merged:
            self._headlines.merge(merge.gone, merge.into)
        title = "" if record.thread in self._threads.withdrawn else record.title
        stories = (assignment.story for assignment in record.assignments)
        return self._changed_titles(stories, lambda story: self._headlines.add(story, title, record.thread))

    def _changed_titles(self, stories: Iterable[str], choose: Callable[[str], str | None]) -> list[tuple[str, str]]:
        """Let ``choose`` take in what happened to each of ``stories``; return those that change their title, with it.

        An operator's title stays.
        """
        current = dict.fromkeys(map(self._commands.current, stories))
        chosen = [(story, choose(story)) for story in current if story != NOWHERE]
        return [(story, title) for story, title in chosen if title is not None and not self._commands.has_title(story)]
