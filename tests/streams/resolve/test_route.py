"""One source on its way to stories: whatever is decided when, and wherever it starts anew, the same is handed out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from ingest.signal import Signal, encode
from streams.records import encode as wire_encode
from streams.records import stories
from streams.records.stories import NOWHERE, Assignment, Merge, Moved, Reached, StoryInfo, ThreadRecord
from streams.resolve.reorder import Place
from streams.resolve.route import BEGINNING, Ignored, RoutedBatch, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, reply, root

CONFIG = RouterConfig(orphan_wait_ms=60_000, remember_irrelevant=3, orphans=1_000)
RELEVANT = ("x:a", "x:b", "x:c")
BLOCKED = "x:blocked"
IRRELEVANT = ("x:no", "x:nor")
THREADS = (*RELEVANT, BLOCKED, *IRRELEVANT)

Handed = dict[tuple[str, int], int]
"""When it counts, of each signal of each story, by story and offset."""


def relevance(signal: Signal) -> tuple[str, ...]:
    return () if signal.thread in IRRELEVANT else ("beat",)


def assignments(thread: str) -> tuple[Assignment, ...]:
    """``x:c`` belongs to two stories; a blocked one to none."""
    stories = {"x:c": ("of x:c", "of x:a"), BLOCKED: ()}.get(thread, (f"of {thread}",))
    return tuple(Assignment(story, "beat", "new") for story in stories)


def name_story(threads: ThreadIndex, story: str, **more: Any) -> None:
    """Let the topic ``stories`` say of ``story`` what it is called, and ``more``."""
    threads.apply(stories.STORY_KEY + story.encode(), wire_encode(StoryInfo(story, story, story, "beat", 0, **more)))


@dataclass
class Lives:
    """A router, and the one after it, and so on; what they handed out, and what they are told from outside."""

    records: list[Signal | None]
    threads: ThreadIndex = field(default_factory=ThreadIndex)
    candidates: dict[str, int] = field(default_factory=dict)
    handed: Handed = field(default_factory=dict)
    committed: Place = BEGINNING
    decisions: int = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start anew at what was committed."""
        self.router = Router(relevance, self.threads, CONFIG, self.committed)
        self.began = self.committed.offset
        self.outcomes = 0

    def read(self, count: int) -> None:
        for offset in range(self.router.position, min(self.router.position + count, len(self.records))):
            signal = self.records[offset]
            if signal is None:
                self.router.skip(offset)
                self.outcomes += 1
            else:
                self.router.read(offset, encode(signal), signal, 0.0)

    def decide(self, number: int) -> None:
        """Let the matcher decide one of the candidates it has, and tell of it."""
        undecided = [thread for thread in self.candidates if self.threads.lookup(thread) is None]
        if undecided:
            thread = undecided[number % len(undecided)]
            for assignment in assignments(thread):
                name_story(self.threads, assignment.story)
            self.threads.note(ThreadRecord(thread, self.decisions, self.candidates[thread], assignments(thread)))
            self.decisions += 1
            self.router.decided(thread)

    def take(self) -> RoutedBatch:
        batch = self.router.take()
        for beats, at_ms, signal in batch.candidates:
            assert beats == ("beat",)
            assert self.candidates.setdefault(signal.thread, at_ms) == at_ms, "a candidate's time is that of its source"
        for story, entries in batch.stories.items():
            for entry in entries:
                sent = self.records[entry.offset]
                assert sent is not None
                assert bytes(entry.signal) == encode(sent)
                assert story in [assignment.story for assignment in assignments(sent.thread)]
                at_ms = self.handed.setdefault((story, entry.offset), entry.at_ms)
                assert at_ms == entry.at_ms, "a signal counts from the same time in every life"
        self.outcomes += batch.used + sum(batch.ignored.values())
        assert self.outcomes + self.router.waiting == self.router.position - self.began, "each record has an outcome"
        return batch

    def commit(self) -> None:
        self.committed = self.router.place


def run(records: list[Signal | None], actions: list[tuple[str, int]]) -> Handed:
    """Do what is asked, then let everything come to its end; return what was handed out."""
    lives = Lives(records)
    for action, number in actions:
        match action:
            case "read":
                lives.read(number)
            case "decide":
                lives.decide(number)
            case "take":
                lives.take()
                lives.commit()
            case "crash":
                lives.begin()
    while True:
        lives.read(len(records))
        lives.take()
        if all(lives.threads.lookup(thread) is not None for thread in lives.candidates):
            break
        lives.decide(0)
    assert lives.router.undecided == 0
    return lives.handed


def by_the_rule(records: list[Signal | None]) -> Handed:
    """Say what is to be handed out: what is in a thread after its post, or at most a minute before it."""
    times, time_ms, posts = [], 0, dict[str, int]()
    for signal in records:
        time_ms = time_ms if signal is None else max(time_ms, signal.observed_ms)
        times.append(time_ms)
        if signal is not None and signal.is_root:
            posts.setdefault(signal.thread, time_ms)
    return {
        (assignment.story, offset): max(times[offset], posts[signal.thread])
        for offset, signal in enumerate(records)
        if signal is not None and signal.thread in posts and signal.thread not in IRRELEVANT
        if times[offset] >= posts[signal.thread] - CONFIG.orphan_wait_ms
        for assignment in assignments(signal.thread)
    }


def source(chance: random.Random) -> list[Signal | None]:
    """Make up a partition: posts seen over and over, replies before and after them, records nobody can read."""
    records: list[Signal | None] = []
    at_ms = 0
    for number in range(chance.randrange(4, 30)):
        at_ms = max(0, at_ms + chance.choice((0, 0, 1_000, 20_000, 70_000, -30_000)))
        thread = chance.choice(THREADS)
        kind = chance.choice(("root", "reply", "reply", "reply", "unreadable"))
        if kind == "unreadable":
            records.append(None)
        else:
            records.append(root(thread, at_ms, likes=number) if kind == "root" else reply(thread, number, at_ms))
    return records


def life(chance: random.Random) -> list[tuple[str, int]]:
    """Make up what is done when."""
    kinds = ("read", "read", "decide", "take", "take", "crash")
    return [(chance.choice(kinds), chance.randrange(1, 6)) for _ in range(chance.randrange(30))]


def test_restarts_and_slow_decisions_change_nothing() -> None:
    for seed in range(2_000):
        chance = random.Random(seed)
        records = source(chance)
        assert run(records, life(chance)) == by_the_rule(records), f"seed {seed}"


def test_the_place_to_begin_never_passes_what_is_not_handed_out() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        lives = Lives(source(chance))
        for action, number in life(chance):
            if action == "read":
                lives.read(number)
            elif action == "decide":
                lives.decide(number)
            lives.take()
            waiting = lives.router.position - lives.began - lives.outcomes
            place = lives.router.place
            assert (place.offset < lives.router.position) == (waiting > 0)
            assert lives.router.position - place.offset >= waiting
            if waiting == 0:
                assert place.stream_ms == lives.router.stream_ms


def test_what_has_no_place_is_given_up_for_a_reason_of_its_own() -> None:
    threads = ThreadIndex()
    router = Router(relevance, threads, RouterConfig(orphan_wait_ms=60_000, orphans=2), BEGINNING)

    def read(offset: int, signal: Signal, monotonic: float = 0.0) -> None:
        router.read(offset, encode(signal), signal, monotonic)

    read(0, root("x:no", 0))
    read(1, reply("x:no", 1, 0))
    assert router.take().ignored == {Ignored.IRRELEVANT: 2}

    read(2, reply("x:a", 1, 0))
    read(3, root("x:a", 70_000))  # too late for the reply, which waited a minute
    batch = router.take()
    assert batch.ignored == {Ignored.ORPHAN: 1}
    assert [signal.id for _, _, signal in batch.candidates] == ["x:a"]

    for number in range(3):
        read(4 + number, reply("x:b", number, 70_000), monotonic=5.0)
    assert router.take().ignored == {Ignored.ORPHAN: 1}, "two may wait, the oldest goes"
    assert router.take(silent_since=5.0).ignored == {}, "while signals come, event time says how long to wait"
    assert router.take(silent_since=5.1).ignored == {Ignored.ORPHAN: 2}, "and in silence, the clock does"
    assert router.place == Place(3, START_MS + 70_000)

    threads.note(ThreadRecord("x:a", 0, START_MS + 70_000, ()))
    router.decided("x:a")
    assert router.take().ignored == {Ignored.IRRELEVANT: 1}, "of no beat that is watched"
    assert router.place == Place(7, START_MS + 70_000)


def test_whether_a_post_is_relevant_is_what_its_title_says_now_whoever_looks() -> None:
    lines = [root("x:a", 0, title="before"), reply("x:a", 1, 1), root("x:a", 60_000, title="it is relevant after all")]
    for begins in (0, 2):
        router = Router(
            lambda signal: ("beat",) * ("relevant" in (signal.title or "")), ThreadIndex(), CONFIG, BEGINNING
        )
        for offset, signal in enumerate(lines[begins:], begins):
            router.read(offset, b"{}", signal, 0.0)
        batch = router.take()
        assert [signal for _, _, signal in batch.candidates] == [lines[2]]
        assert batch.ignored == ({Ignored.IRRELEVANT: 2} if begins == 0 else {})


def test_a_thread_whose_replies_keep_coming_stays_known_as_irrelevant() -> None:
    router = Router(lambda _: (), ThreadIndex(), RouterConfig(remember_irrelevant=2), BEGINNING)
    router.read(0, b"{}", root("x:no", 0), 0.0)
    for number in range(20):
        router.read(2 * number + 1, b"{}", reply("x:no", number, 0), 0.0)
        router.read(2 * number + 2, b"{}", root(f"x:nor{number}", 0), 0.0)
    assert router.take().ignored == {Ignored.IRRELEVANT: 41}


@pytest.mark.parametrize("held_for", [0.0, 3.0])
def test_time_is_held_back_by_what_waits_for_a_decision_but_not_for_ever(held_for: float) -> None:
    router = Router(relevance, ThreadIndex(), CONFIG, BEGINNING)
    for offset, signal in enumerate((root("x:a", 10_000), root("x:b", 20_000), reply("x:b", 1, 30_000))):
        router.read(offset, b"{}", signal, float(offset))
    assert router.read_ms(idle=False) == START_MS + 29_999, "more of the newest time may follow"
    assert router.read_ms(idle=True) == START_MS + 30_000
    expected = {0.0: START_MS + 9_999, 3.0: None}[held_for]
    assert router.held_ms(waited_since=held_for) == expected
    assert router.held_ms(waited_since=1.0) == START_MS + 19_999


def decide_in_order(lives: Lives, chance: random.Random) -> None:
    """Let the matcher decide the earliest of the candidates, by which stories may turn out to be one."""
    undecided = [thread for thread in lives.candidates if lives.threads.lookup(thread) is None]
    if not undecided:
        return
    thread = min(undecided, key=lambda thread: lives.candidates[thread])
    into, at_ms, merged = f"of {thread}", lives.candidates[thread], list[Merge]()
    for story in [f"of {other}" for other in RELEVANT]:
        info = lives.threads.story(story)
        if info is not None and info.into is None and chance.random() < 0.5:
            name_story(lives.threads, story, into=into, merged_ms=at_ms)
            merged.append(Merge(story, into))
    name_story(lives.threads, into)
    assigned = (Assignment(into, "beat", "new"),)
    lives.threads.note(ThreadRecord(thread, lives.decisions, at_ms, assigned, tuple(merged)))
    lives.decisions += 1
    lives.router.decided(thread)


def test_in_a_replay_signals_go_where_all_decisions_before_them_say_in_every_life() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        records = [signal for signal in source(chance) if signal is None or signal.thread in RELEVANT]
        lives, places, told, read_ms = Lives(records), dict[int, tuple[str, int]](), set[str](), 0
        for _ in range(60):
            undecided = [lives.candidates[t] for t in lives.candidates if lives.threads.lookup(t) is None]
            reached_ms = min([read_ms, *(at_ms - 1 for at_ms in undecided)])
            lives.threads.apply(stories.DECIDED_KEY, wire_encode(Reached(reached_ms)))
            lives.router.allow(lives.threads.decided_ms + 1)
            match chance.choice(("read", "read", "decide", "take", "take", "crash")):
                case "read":
                    lives.read(chance.randrange(1, 6))
                case "decide":
                    decide_in_order(lives, chance)
                case "crash":
                    lives.begin()
                case "take":
                    held_ms = lives.router.held_ms(waited_since=0.0)
                    batch = lives.router.take()
                    read_ms = lives.router.read_ms(idle=lives.router.position == len(records))
                    lives.candidates |= {signal.thread: at_ms for _, at_ms, signal in batch.candidates}
                    told |= {merging.gone.id for merging in batch.merges}
                    assert batch.redirected == {}
                    for story, entries in batch.stories.items():
                        for entry in entries:
                            there = places.setdefault(entry.offset, (story, entry.at_ms))
                            assert there == (story, entry.at_ms), f"seed {seed}: the same in every life"
                    waiting = set(range(lives.router.place.offset, lives.router.position)) - places.keys()
                    assert held_ms is None or waiting
                    lives.commit()
        for offset, (story, at_ms) in places.items():
            signal = records[offset]
            assert signal is not None
            assert story == lives.threads.at(f"of {signal.thread}", at_ms), f"seed {seed}: as all decisions say"
        gone = {f"of {thread}" for thread in RELEVANT if lives.threads.at(f"of {thread}", 10**15) != f"of {thread}"}
        told |= {merging.gone.id for merging in lives.router.take().merges}
        if lives.router.undecided == 0 and lives.router.position == len(records):
            assert told >= gone, f"seed {seed}: every merge is told of"


def test_live_a_signal_passes_at_once_and_says_if_it_may_have_been_sent_elsewhere_before() -> None:
    threads = ThreadIndex()
    router = Router(relevance, threads, CONFIG, BEGINNING)
    for thread in ("x:a", "x:b"):
        threads.note(ThreadRecord(thread, 0, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    name_story(threads, "of x:a", into="of x:b", merged_ms=START_MS + 5)
    for offset, signal in enumerate((reply("x:a", 1, 5), reply("x:a", 2, 6), reply("x:b", 3, 7))):
        router.read(offset, b"{}", signal, 0.0)
    batch = router.take()
    assert [entry.offset for entry in batch.stories["of x:a"]] == [0]
    assert [entry.offset for entry in batch.redirected["of x:b"]] == [1]
    assert [entry.offset for entry in batch.stories["of x:b"]] == [2]


def test_waiting_for_its_own_time_is_no_reason_to_stop_reading() -> None:
    router = Router(relevance, ThreadIndex(), CONFIG, BEGINNING)
    router.allow(START_MS)
    for offset in range(100):
        router.read(offset, b"{}", reply("x:a", offset, 10) if offset else root("x:a", 10), 0.0)
    assert (router.waiting, router.drains) == (100, False), "only a later record tells that this time is over"
    router.read(100, b"{}", reply("x:a", 100, 11), 0.0)
    assert router.drains


def test_a_forgotten_story_takes_nothing_later_and_its_posts_are_no_new_ones() -> None:
    week_ms = CONFIG.forget_ms
    threads = ThreadIndex()
    threads.note(ThreadRecord("x:a", 0, START_MS, (Assignment("of x:a", "beat", "new"),)))
    name_story(threads, "of x:a")
    name_story(threads, "of x:a", forgotten_ms=START_MS + week_ms + 10)
    name_story(threads, "of x:a")  # its own older record, which the one who decides reads after it has decided
    router = Router(relevance, threads, CONFIG, BEGINNING)
    again = replace(root("x:a", 0), observed_ms=START_MS + week_ms + 11)
    for offset, signal in enumerate((reply("x:a", 1, week_ms + 10), reply("x:a", 2, week_ms + 11), again)):
        router.read(offset, b"{}", signal, 0.0)
    batch = router.take()
    assert [entry.offset for entry in batch.stories["of x:a"]] == [0]
    assert batch.ignored == {Ignored.FORGOTTEN: 2}

    left = [key for key in threads.leavings({"of x:a"}, 0) if key is not None]
    assert left == [b"t:x:a", b"s:of x:a"]
    for key in left:
        threads.apply(key, None)
    assert (len(threads), threads.stories(), threads.forgotten) == (0, 0, {})
    router = Router(relevance, threads, CONFIG, BEGINNING)
    router.read(3, b"{}", again, 0.0)
    router.read(4, b"{}", reply("x:a", 3, week_ms + 12), 0.0)
    router.read(5, b"{}", reply("x:b", 1, week_ms + 90_000), 0.0)
    batch = router.take()
    assert (batch.candidates, batch.ignored) == ([], {Ignored.FORGOTTEN: 1, Ignored.ORPHAN: 1})


def test_what_is_left_of_merged_and_blocked_threads_goes_with_the_story_they_ended_in() -> None:
    threads = ThreadIndex()
    for number, thread in enumerate(("x:a", "x:b", "x:c")):
        threads.note(ThreadRecord(thread, number, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    threads.note(ThreadRecord("x:blocked", 3, START_MS, ()))
    name_story(threads, "of x:a", into="of x:b", merged_ms=START_MS)
    name_story(threads, "of x:b", forgotten_ms=START_MS + 9)
    left = {key for key in threads.leavings({"of x:b"}, START_MS) if key is not None}
    assert left == {b"t:x:a", b"t:x:b", b"s:of x:a", b"s:of x:b"}
    assert b"t:x:blocked" in threads.leavings({"of x:b"}, START_MS + 1)


def test_what_an_operator_has_moved_or_blocked_goes_there_from_then_on() -> None:
    threads = ThreadIndex()
    for thread in ("x:a", "x:b"):
        threads.note(ThreadRecord(thread, 0, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    threads.apply(stories.MOVED_KEY + b"x:a", wire_encode(Moved("x:a", "of x:b", START_MS + 1)))
    name_story(threads, "of x:b", into=NOWHERE, merged_ms=START_MS + 5)
    router = Router(relevance, threads, CONFIG, BEGINNING)
    router.allow(START_MS + 9)
    for offset, at_ms in enumerate((1, 2, 5, 6)):
        router.read(offset, b"{}", reply("x:a", offset, at_ms), 0.0)
    batch = router.take()
    places = {story: [entry.offset for entry in entries] for story, entries in batch.stories.items()}
    assert places == {"of x:a": [0], "of x:b": [1, 2]}
    assert (batch.used, batch.ignored) == (3, {Ignored.BLOCKED: 1})
