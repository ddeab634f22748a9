"""An operator command is carried out with the next decision, once, in every run, and again in a replay."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import cast

import msgspec

from ingest.signal import Signal
from streams.records import encode
from streams.records.candidates import Candidate
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import (
    MOVED_KEY,
    NOWHERE,
    ORDER_KEY,
    STORY_KEY,
    Assignment,
    Lesson,
    Merge,
    Moved,
    OperatorCommand,
    StoryInfo,
    ThreadRecord,
)
from streams.resolve.decide import Decider, ThreadDecision
from streams.resolve.matching.matcher import Matcher
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, root

HOUR_MS = 3_600_000


class StoryPerPost:
    """A matcher that creates a story for each post, unless its title says otherwise: ``x:b like x:a``."""

    def __init__(self) -> None:
        self.last_ms: dict[str, int] = {}
        self.merging: tuple[str, ...] = ()
        self.became: dict[str, str] = {}
        self.lessons: list[tuple[str, str]] = []

    def read(self, _: Signal) -> None:
        """This matcher reads nothing ahead."""

    def decide(self, signal: Signal, at_ms: int, _: None = None) -> SimpleNamespace:
        like = (signal.title or "").partition(" like ")[2]
        story = f"st {like or signal.id}"
        while story in self.became:
            story = self.became[story]
        created = story not in self.last_ms
        self.last_ms[story] = at_ms
        merged, self.merging = tuple((gone, story) for gone in self.merging), ()
        for gone, into in merged:
            self.merge(gone, into)
        return SimpleNamespace(story=story, created=created, stage="new", features=(), merged=merged)

    def adopt(self, info: StoryInfo, _: Assignment, at_ms: int) -> None:
        self.last_ms[info.id] = at_ms

    def expire(self, at_ms: int) -> list[str]:
        gone = [story for story, last_ms in self.last_ms.items() if last_ms < at_ms - 24 * HOUR_MS]
        for story in gone:
            del self.last_ms[story]
        return gone

    def learn(self, lesson: Lesson, at_ms: int) -> None:
        self.lessons.append((lesson.story, lesson.into.id))
        self.last_ms[lesson.into.id] = at_ms

    def merge(self, gone: str, into: str) -> None:
        if gone in self and into in self:
            self.last_ms[into] = max(self.last_ms[into], self.last_ms.pop(gone))
            self.became[gone] = into

    def __contains__(self, story: str) -> bool:
        return story in self.last_ms

    def story(self, story: str) -> StoryInfo:
        return StoryInfo(story, story, story, "beat", 0)


class DeciderWithLog:
    """A decider and the log it writes, as far as commands need it."""

    def __init__(self, *orders: OperatorCommand) -> None:
        self.threads = ThreadIndex()
        self.decided: list[ThreadDecision] = []
        self.offset = 0
        self.order(*orders)
        self.begin()

    def order(self, *orders: OperatorCommand) -> None:
        for order in orders:
            self.threads.apply(ORDER_KEY + f"{order.kind}:{order.subject}".encode(), encode(order))

    def begin(self) -> None:
        """Start a new decider from what was written."""
        self.matcher = StoryPerPost()
        self.decider = Decider(cast(dict[str, Matcher], {"beat": self.matcher}), self.threads)
        for decided in self.decided:
            if isinstance(decided.record, ThreadRecord):
                self.decider.adopt(decided.record)

    def post(self, thread: str, at_ms: int, like: str = "", title: str = "") -> ThreadDecision:
        signal = root(thread, at_ms, title=title or (f"{thread} like {like}" if like else thread))
        self.decider.offer(self.offset, Candidate(SourceWatermark(0, 1, 0), ("beat",), START_MS + at_ms, signal))
        self.offset += 1
        (decided,) = self.decider.decide(START_MS + at_ms)
        changed = {info.id: info for info in decided.created}
        for story, called in decided.titles:
            changed[story] = msgspec.structs.replace(self.info(story), title=called)
        for merge in decided.record.merged:
            info = changed.get(merge.gone) or self.info(merge.gone)
            changed[merge.gone] = msgspec.structs.replace(info, into=merge.into, merged_ms=decided.record.at_ms)
        for info in changed.values():
            self.threads.apply(STORY_KEY + info.id.encode(), encode(info))
        for moved in decided.moved:
            self.threads.apply(MOVED_KEY + moved.thread.encode(), encode(moved))
        self.threads.note_decision(decided.record)
        self.decided.append(decided)
        return decided

    def info(self, story: str) -> StoryInfo:
        info = self.threads.stories.get(story)
        assert info is not None
        return info


A, B, C = "st x:a", "st x:b", "st x:c"
MERGE = OperatorCommand("merge", A, B)


def test_a_merge_is_carried_out_once_with_the_next_decision() -> None:
    log = DeciderWithLog()
    log.post("x:a", 0)
    log.post("x:b", 1)
    log.order(MERGE)
    assert log.post("x:c", 2).record.merged == (Merge(A, B),)
    assert log.post("x:d", 3, like="x:a").record.merged == ()
    assert log.decided[-1].record.assignments[0].story == B, "the matcher learned it"
    log.begin()
    assert log.post("x:e", 4).record.merged == ()

    log.matcher.merging = (A,)
    assert log.post("x:f", 5, like="x:c").record.merged == (Merge(B, C),), "the story that A became"
    log.matcher.merging = (C,)
    assert log.post("x:g", 6, like="x:a").record.merged == (), "they are one story already"
    assert log.threads.current_stories("x:a") == log.threads.current_stories("x:g") == (C,)


def test_an_early_command_is_carried_out_once_everything_it_names_exists() -> None:
    log = DeciderWithLog(MERGE, OperatorCommand("rename", A, title="called so"), OperatorCommand("pin", "x:c", B))
    first = log.post("x:a", 0)
    assert (first.created[0].title, first.titles, first.record.merged) == ("called so", (), ())
    second = log.post("x:b", 1)
    assert second.record.merged == (Merge(A, B),)
    third = log.post("x:c", 2)
    assert third.moved == (Moved("x:c", B, 0),)
    assert log.threads.current_stories("x:c") == (B,)
    log.order(OperatorCommand("rename", A, title="called otherwise"))
    assert log.post("x:d", 3).titles == ((A, "called otherwise"),)


def test_a_title_follows_the_posts_unless_an_operator_set_it() -> None:
    titles = ("Look at this here now please", "Ferry sinks off Tarnholm tonight", "Tarnholm ferry sinks, forty aboard")
    heard = [f"{title} like x:a" for title in titles]

    def posted(log: DeciderWithLog, number: int) -> ThreadDecision:
        return log.post(f"x:{number}", number, like="x:a", title=heard[number % 3])

    log, named = DeciderWithLog(), DeciderWithLog(OperatorCommand("rename", A, title="so"))
    for one in (log, named):
        one.post("x:a", 0, title="Hello everybody, good morning to you")
        posted(one, 1)
    before = posted(log, 2).titles
    assert [story for story, _ in before] == [A]
    assert before[0][1] in heard[1:]
    assert posted(named, 2).titles == ()
    again = DeciderWithLog()
    again.threads, again.decided, again.offset = deepcopy(log.threads), [*log.decided], log.offset
    again.begin()
    assert [posted(log, n).titles for n in range(3, 30)] == [posted(again, n).titles for n in range(3, 30)]


def test_pinned_threads_belong_to_their_new_story_from_then_on() -> None:
    log = DeciderWithLog()
    log.post("x:a", 0)
    log.post("x:b", 1, like="x:a")
    apart = StoryInfo("st apart", "apart", "Apart", "beat", 0)
    log.order(*(OperatorCommand("pin", thread, apart.id, found=apart) for thread in ("x:b", "x:unseen")))
    done = log.post("x:c", 2)
    assert (done.created[1:], done.moved) == ((apart,), (Moved("x:b", apart.id, START_MS + 2),))
    stories_at = log.threads.stories_at
    assert stories_at("x:b", (A,), START_MS + 2) == (A,), "earlier signals stay"
    assert stories_at("x:b", (A,), START_MS + 3) == (apart.id,)
    assert log.matcher.lessons == [], "a command without features teaches nothing"
    log.begin()
    done = log.post("x:unseen", 3, like="x:a")
    assert (done.created, done.moved) == ((), (Moved("x:unseen", apart.id, 0),))
    assert log.matcher.lessons == [(A, apart.id)]
    log.begin()
    assert log.matcher.lessons == [(A, apart.id)], "the lesson is part of the decision"
    features = msgspec.Raw(b"[]")
    log.order(
        OperatorCommand("pin", "x:b", A, features=features), OperatorCommand("pin", "x:a", apart.id, features=features)
    )
    log.post("x:d", 4)
    assert log.matcher.lessons[1:] == [(apart.id, A), (A, apart.id)], "from the story it was in by then"


def test_a_story_merged_into_a_blocked_one_is_blocked_too() -> None:
    log = DeciderWithLog(OperatorCommand("block", A))
    assert log.post("x:a", 0).record.merged == (Merge(A, NOWHERE),)
    assert log.threads.current_stories("x:a") == ()
    (merging,) = log.threads.merges_of("x:a")
    assert (merging.gone.id, merging.into.id) == (A, NOWHERE)
    log.post("x:b", 1)
    log.matcher.merging = (B,)
    assert log.post("x:c", 2, like="x:a").record.merged == (Merge(B, NOWHERE),)


def test_a_story_merged_by_command_expires_with_the_last_of_its_parts() -> None:
    log = DeciderWithLog(MERGE)
    log.post("x:a", 0)
    log.post("x:b", 1)
    assert log.post("x:c", 20 * HOUR_MS, like="x:a").expired == ()
    assert log.post("x:d", 30 * HOUR_MS).expired == (), "the matcher still gives posts to one part"
    assert log.post("x:e", 50 * HOUR_MS).expired == (B,)
