"""The decider makes the same decisions however candidates arrive, are repeated, or are read again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import msgspec
from msgspec.structs import replace

from ingest.signal import Signal
from streams.records import encode
from streams.records.candidates import Candidate
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import STORY_KEY, Assignment, StoryInfo, ThreadRecord, Withdrawn
from streams.resolve.decide import Decider, ThreadDecision
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.headline import TAKEN_BACK
from streams.resolve.matching.matcher import Matcher
from streams.resolve.threads import ThreadIndex
from streams.runtime.watermark import IdleTimeout, Watermark
from tests.streams.examples.signals import START_MS, root

SOURCES = 3
END_MS = START_MS + 30_000_000
HOUR_MS = 3_600_000


class OrderMatters:
    """A matcher whose every decision depends on all decisions before it."""

    def __init__(self) -> None:
        self.memory = 0
        self.stories: list[str] = []
        self.last_ms: dict[str, int] = {}

    def read(self, _: Signal) -> None:
        """This matcher reads nothing ahead."""

    def decide(self, signal: Signal, at_ms: int, _: None = None) -> SimpleNamespace:
        created = not self.stories or self.memory % 3 == 0
        story = f"st-{signal.id}" if created else self.stories[self.memory % len(self.stories)]
        self._note(story, signal.id, at_ms)
        stage = "new" if created else "similar"
        return SimpleNamespace(story=story, created=created, stage=stage, features=(signal.id,), merged=())

    def adopt(self, info: StoryInfo, assignment: Assignment, at_ms: int) -> None:
        (post,) = msgspec.json.decode(assignment.features)
        self._note(info.id, post, at_ms)

    def expire(self, at_ms: int) -> list[str]:
        gone = [story for story in self.stories if self.last_ms[story] < at_ms - HOUR_MS]
        self.stories = [story for story in self.stories if story not in gone]
        return gone

    def _note(self, story: str, post: str, at_ms: int) -> None:
        if story not in self.stories:
            self.stories.append(story)
        self.last_ms[story] = at_ms
        self.memory = (self.memory * 31 + sum(post.encode()) + at_ms) % 1_000_003

    def merge(self, gone: str, into: str) -> None:
        """This matcher learns nothing."""

    def __contains__(self, story: str) -> bool:
        return story in self.last_ms

    def story(self, story: str) -> StoryInfo:
        return StoryInfo(story, story, story, "beat", 0)


def by_the_rule(candidates: list[Candidate]) -> dict[str, tuple[str, int]]:
    """Decide a plain list in order: by the time in its source, then by the post's own time and id."""
    matcher, hour, decided = OrderMatters(), 0, dict[str, tuple[str, int]]()
    found = {c.signal.thread: (c.at_ms, c.signal.created_ms, c.signal.id, c.signal) for c in candidates if c.signal}
    for number, (at_ms, _, _, signal) in enumerate(sorted(found.values(), key=lambda entry: entry[:3])):
        if at_ms // HOUR_MS > hour:
            hour = at_ms // HOUR_MS
            matcher.expire(at_ms)
        decided[signal.thread] = matcher.decide(signal, at_ms).story, number
    return decided


def write_log(chance: random.Random) -> list[Candidate]:
    """Generate the topic: what each source sends in its order, mixed, with parts sent again after restarts."""
    queues: list[list[Candidate]] = []
    for source in range(SOURCES):
        at_ms, queue = START_MS, list[Candidate]()
        for number in range(chance.randrange(6)):
            at_ms += chance.choice((0, 0, 1_000, 50_000, 4_000_000))
            post = root(f"x:s{source}p{number}", at_ms - START_MS - chance.choice((0, 500)))
            queue.append(Candidate(SourceWatermark(source, SOURCES, 0), ("beat",), at_ms, post))
            queue.append(Candidate(SourceWatermark(source, SOURCES, at_ms - 1)))
        while queue and len(queue) < 100 and chance.random() < 0.4:
            again = chance.randrange(len(queue))
            queue.extend(queue[again : again + chance.randrange(1, 5)])
            queue.extend(queue[again:])  # in the end, all of it has been sent
        queue.append(Candidate(SourceWatermark(source, SOURCES, END_MS)))
        queues.append(queue)
    log: list[Candidate] = []
    while any(queues):
        log.append(chance.choice([queue for queue in queues if queue]).pop(0))
    # Watermarks are repeated, so that a late reader gets them too.
    return log + [Candidate(SourceWatermark(source, SOURCES, END_MS)) for source in range(SOURCES)]


@dataclass
class Runs:
    """A decider and its successors: what they wrote, and what they committed."""

    log: list[Candidate]
    threads: ThreadIndex = field(default_factory=ThreadIndex)
    written: list[ThreadDecision] = field(default_factory=list)
    committed: int = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        matchers = cast(dict[str, Matcher], {"beat": OrderMatters()})
        self.decider = Decider(matchers, self.threads)
        for decided in self.written:
            if isinstance(decided.record, ThreadRecord):
                self.decider.adopt(decided.record)
        self.watermark = Watermark(IdleTimeout())
        self.position = self.committed

    def step(self, count: int) -> None:
        """Read some records, decide what the watermark allows, and write it."""
        for offset in range(self.position, min(self.position + count, len(self.log))):
            candidate = self.log[offset]
            self.position = offset + 1
            if candidate.signal is None:
                self.watermark.update(candidate.mark, 0.0)
                self.decider.skip(offset)
            else:
                self.decider.offer(offset, candidate)
        for decided in self.decider.decide(self.watermark.advance(END_MS + 10**9, 0.0)):
            assert [info.id for info in decided.created] in ([], [decided.record.assignments[0].story])
            for info in decided.created:
                self.threads.apply(STORY_KEY + info.id.encode(), encode(info))
            self.threads.note_decision(decided.record)
            self.written.append(decided)

    def commit(self) -> None:
        self.committed = max(self.committed, self.decider.low)
        for offset, candidate in enumerate(self.log):
            undecided = candidate.signal is not None and candidate.signal.thread not in self.threads.known
            if undecided and offset < self.position:
                first = next(n for n, c in enumerate(self.log) if c.signal == candidate.signal)
                assert self.committed <= first or self.committed <= offset, "a waiting candidate is not passed"


def test_decisions_do_not_depend_on_arrival_repetition_or_restarts() -> None:
    for seed in range(800):
        chance = random.Random(seed)
        log = write_log(chance)
        runs = Runs(log)
        while runs.position < len(log):
            runs.step(chance.randrange(1, 8))
            if chance.random() < 0.4:
                runs.commit()
            if chance.random() < 0.1:
                runs.begin()
        runs.commit()
        assert (runs.decider.waiting, runs.committed) == (0, len(log))
        records = [d.record for d in runs.written if isinstance(d.record, ThreadRecord)]
        decided = {record.thread: (record.assignments[0].story, record.sequence) for record in records}
        assert len(decided) == len(runs.written), f"seed {seed}: each thread is decided once"
        assert decided == by_the_rule(log), f"seed {seed}"


def test_a_post_of_a_beat_no_longer_watched_belongs_to_no_story() -> None:
    decider = Decider({}, threads := ThreadIndex())
    decider.offer(0, Candidate(SourceWatermark(0, 1, 0), ("gone",), START_MS, root("x:a", 0)))
    (decided,) = decider.decide(START_MS)
    assert (decided.record.thread, decided.record.assignments, decided.created) == ("x:a", (), ())
    threads.note_decision(decided.record)
    assert (decider.low, threads.current_stories("x:a")) == (1, ())


def test_the_headline_of_a_post_that_was_taken_back_leaves_its_story() -> None:
    threads = ThreadIndex()
    decider = Decider({"general": Matcher(load_beat("general"))}, threads)
    post = root("x:a", 0, title="Harbor bridge closed after a ship strikes a pillar")
    gone = replace(post, title=None, deleted=True, observed_ms=post.observed_ms + 1_000)
    mark = SourceWatermark(0, 1, 0)
    decider.offer(0, Candidate(mark, ("general",), post.observed_ms, post))
    decider.offer(1, Candidate(mark, (), gone.observed_ms, gone))
    (founded,) = decider.decide(END_MS)  # it waits until the thread index holds what it is about
    assert (decider.low, isinstance(founded.record, ThreadRecord)) == (1, True)
    threads.note_decision(founded.record)
    (story,) = [info.id for info in founded.created]
    (decided,) = decider.decide(END_MS)
    assert decided.record == Withdrawn("x:a", gone.observed_ms)
    assert decided.titles == ((story, TAKEN_BACK),)
    threads.note_decision(decided.record)
    decider.offer(2, Candidate(mark, (), gone.observed_ms, gone))
    assert (list(decider.decide(END_MS)), decider.low) == ([], 3)


def test_a_decider_that_starts_later_never_uses_the_headline_again() -> None:
    threads, mark = ThreadIndex(), SourceWatermark(0, 1, 0)
    titles = [f"Harbor bridge closed after a ship strikes a pillar, day {number}" for number in range(3)]
    decider = Decider({"general": Matcher(load_beat("general"))}, threads)
    records: list[ThreadRecord] = []
    for number, title in enumerate(titles):
        post = root(f"x:{number}", number, title=title)
        decider.offer(number, Candidate(mark, ("general",), post.observed_ms, post))
        (decided,) = decider.decide(END_MS)
        assert isinstance(decided.record, ThreadRecord)
        for info in decided.created:
            threads.note_story(info)
        threads.note_decision(decided.record)
        records.append(decided.record)
    (story,) = {assignment.story for record in records for assignment in record.assignments}
    threads.note_decision(Withdrawn("x:0", END_MS))
    later = Decider({"general": Matcher(load_beat("general"))}, threads)
    for record in records:
        later.adopt(record)
    assert list(later._headlines._choice_of(story).candidates) == titles[1:]
