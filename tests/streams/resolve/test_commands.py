"""What operators order is done with the next decision, once, in every life, and again in a replay that keeps it."""

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
)
from streams.resolve.decide import Decided, Decider
from streams.resolve.matching.matcher import Matcher
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, root

HOUR_MS = 3_600_000


class OfItsOwn:
    """A matcher that founds a story for each post, unless told that a post is like another: ``x:b like x:a``."""

    def __init__(self) -> None:
        self.last_ms: dict[str, int] = {}
        self.merging: tuple[str, ...] = ()
        self.became: dict[str, str] = {}
        self.learnt: list[tuple[str, str]] = []

    def read(self, _: Signal) -> None:
        """It reads nothing ahead."""

    def decide(self, signal: Signal, at_ms: int, _: None = None) -> SimpleNamespace:
        _, _, like = (signal.title or "").partition(" like ")
        story = f"st {like or signal.id}"
        while story in self.became:
            story = self.became[story]
        founded = story not in self.last_ms
        self.last_ms[story] = at_ms
        merged, self.merging = tuple((gone, story) for gone in self.merging), ()
        for gone, into in merged:
            self.merge(gone, into)
        return SimpleNamespace(story=story, founded=founded, stage="new", features=(), merged=merged)

    def adopt(self, info: StoryInfo, _: Assignment, at_ms: int) -> None:
        self.last_ms[info.id] = at_ms

    def expire(self, at_ms: int) -> list[str]:
        gone = [story for story, last_ms in self.last_ms.items() if last_ms < at_ms - 24 * HOUR_MS]
        for story in gone:
            del self.last_ms[story]
        return gone

    def learn(self, lesson: Lesson, at_ms: int) -> None:
        self.learnt.append((lesson.story, lesson.into.id))
        self.last_ms[lesson.into.id] = at_ms

    def merge(self, gone: str, into: str) -> None:
        if gone in self and into in self:
            self.last_ms[into] = max(self.last_ms[into], self.last_ms.pop(gone))
            self.became[gone] = into

    def __contains__(self, story: str) -> bool:
        return story in self.last_ms

    def story(self, story: str) -> StoryInfo:
        return StoryInfo(story, story, story, "beat", 0)


class House:
    """A decider and the log that it writes, as far as orders need it."""

    def __init__(self, *orders: OperatorCommand) -> None:
        self.threads = ThreadIndex()
        self.decided: list[Decided] = []
        self.offset = 0
        self.order(*orders)
        self.begin()

    def order(self, *orders: OperatorCommand) -> None:
        for order in orders:
            self.threads.apply(ORDER_KEY + f"{order.kind}:{order.subject}".encode(), encode(order))

    def begin(self) -> None:
        """Start anew with what was written."""
        self.matcher = OfItsOwn()
        self.decider = Decider(cast(dict[str, Matcher], {"beat": self.matcher}), self.threads)
        for decided in self.decided:
            self.decider.adopt(decided.record)

    def post(self, thread: str, at_ms: int, like: str = "", title: str = "") -> Decided:
        signal = root(thread, at_ms, title=title or (f"{thread} like {like}" if like else thread))
        self.decider.offer(self.offset, Candidate(SourceWatermark(0, 1, 0), ("beat",), START_MS + at_ms, signal))
        self.offset += 1
        (decided,) = self.decider.decide(START_MS + at_ms)
        changed = {info.id: info for info in decided.founded}
        for story, called in decided.named:
            changed[story] = msgspec.structs.replace(self.info(story), title=called)
        for merge in decided.record.merged:
            info = changed.get(merge.gone) or self.info(merge.gone)
            changed[merge.gone] = msgspec.structs.replace(info, into=merge.into, merged_ms=decided.record.at_ms)
        for info in changed.values():
            self.threads.apply(STORY_KEY + info.id.encode(), encode(info))
        for moved in decided.moved:
            self.threads.apply(MOVED_KEY + moved.thread.encode(), encode(moved))
        self.threads.note(decided.record)
        self.decided.append(decided)
        return decided

    def info(self, story: str) -> StoryInfo:
        info = self.threads.story(story)
        assert info is not None
        return info


A, B, C = "st x:a", "st x:b", "st x:c"
MERGE = OperatorCommand("merge", A, B)


def test_a_merge_is_done_with_the_next_decision_and_once() -> None:
    house = House()
    house.post("x:a", 0)
    house.post("x:b", 1)
    house.order(MERGE)
    assert house.post("x:c", 2).record.merged == (Merge(A, B),)
    assert house.post("x:d", 3, like="x:a").record.merged == ()
    assert house.decided[-1].record.assignments[0].story == B, "the matcher has learnt it"
    house.begin()
    assert house.post("x:e", 4).record.merged == ()

    house.matcher.merging = (A,)
    assert house.post("x:f", 5, like="x:c").record.merged == (Merge(B, C),), "what A has become"
    house.matcher.merging = (C,)
    assert house.post("x:g", 6, like="x:a").record.merged == (), "they are one already: no ring"
    assert house.threads.by_now("x:a") == house.threads.by_now("x:g") == (C,)


def test_an_order_from_before_is_done_as_soon_as_all_is_there() -> None:
    house = House(MERGE, OperatorCommand("rename", A, title="called so"), OperatorCommand("pin", "x:c", B))
    first = house.post("x:a", 0)
    assert (first.founded[0].title, first.named, first.record.merged) == ("called so", (), ())
    second = house.post("x:b", 1)
    assert second.record.merged == (Merge(A, B),)
    third = house.post("x:c", 2)
    assert third.moved == (Moved("x:c", B, 0),)
    assert house.threads.by_now("x:c") == (B,)
    house.order(OperatorCommand("rename", A, title="called otherwise"))
    assert house.post("x:d", 3).named == ((A, "called otherwise"),)


def test_a_story_is_called_what_its_posts_agree_on_unless_an_operator_has_named_it() -> None:
    titles = ("Look at this here now please", "Ferry sinks off Tarnholm tonight", "Tarnholm ferry sinks, forty aboard")
    heard = [f"{title} like x:a" for title in titles]

    def posted(house: House, number: int) -> Decided:
        return house.post(f"x:{number}", number, like="x:a", title=heard[number % 3])

    house, named = House(), House(OperatorCommand("rename", A, title="so"))
    for one in (house, named):
        one.post("x:a", 0, title="Hello everybody, good morning to you")
        posted(one, 1)
    before = posted(house, 2).named
    assert [story for story, _ in before] == [A]
    assert before[0][1] in heard[1:]
    assert posted(named, 2).named == ()
    again = House()
    again.threads, again.decided, again.offset = deepcopy(house.threads), [*house.decided], house.offset
    again.begin()
    assert [posted(house, n).named for n in range(3, 30)] == [posted(again, n).named for n in range(3, 30)]


def test_threads_split_off_belong_to_a_story_of_their_own_from_then_on() -> None:
    house = House()
    house.post("x:a", 0)
    house.post("x:b", 1, like="x:a")
    apart = StoryInfo("st apart", "apart", "Apart", "beat", 0)
    house.order(*(OperatorCommand("pin", thread, apart.id, found=apart) for thread in ("x:b", "x:unseen")))
    done = house.post("x:c", 2)
    assert (done.founded[1:], done.moved) == ((apart,), (Moved("x:b", apart.id, START_MS + 2),))
    of = house.threads.of
    assert of("x:b", (A,), START_MS + 2) == (A,), "what was said before stays"
    assert of("x:b", (A,), START_MS + 3) == (apart.id,)
    assert house.matcher.learnt == [], "what the order does not hold of a thread cannot be learnt"
    house.begin()
    done = house.post("x:unseen", 3, like="x:a")
    assert (done.founded, done.moved) == ((), (Moved("x:unseen", apart.id, 0),))
    assert house.matcher.learnt == [(A, apart.id)]
    house.begin()
    assert house.matcher.learnt == [(A, apart.id)], "it is part of the decision"
    features = msgspec.Raw(b"[]")
    house.order(
        OperatorCommand("pin", "x:b", A, features=features), OperatorCommand("pin", "x:a", apart.id, features=features)
    )
    house.post("x:d", 4)
    assert house.matcher.learnt[1:] == [(apart.id, A), (A, apart.id)], "from where it was by then"


def test_a_blocked_story_goes_nowhere_and_takes_with_it_what_turns_out_to_be_the_same() -> None:
    house = House(OperatorCommand("block", A))
    assert house.post("x:a", 0).record.merged == (Merge(A, NOWHERE),)
    assert house.threads.by_now("x:a") == ()
    (merging,) = house.threads.merges("x:a")
    assert (merging.gone.id, merging.into.id) == (A, NOWHERE)
    house.post("x:b", 1)
    house.matcher.merging = (B,)
    assert house.post("x:c", 2, like="x:a").record.merged == (Merge(B, NOWHERE),)


def test_a_story_merged_by_order_is_forgotten_with_the_last_of_its_parts() -> None:
    house = House(MERGE)
    house.post("x:a", 0)
    house.post("x:b", 1)
    assert house.post("x:c", 20 * HOUR_MS, like="x:a").forgotten == ()
    assert house.post("x:d", 30 * HOUR_MS).forgotten == (), "the matcher still gives posts to one of them"
    assert house.post("x:e", 50 * HOUR_MS).forgotten == (B,)
