"""The router releases the same signals whenever decisions come and wherever it resumes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from ingest.signal import Signal, decode, encode
from streams.records import encode as wire_encode
from streams.records.stories import (
    DECIDED_KEY,
    MOVED_KEY,
    NOWHERE,
    STORY_KEY,
    Assignment,
    Merge,
    Moved,
    Reached,
    StoryInfo,
    ThreadRecord,
    Withdrawn,
)
from streams.resolve.reorder import ResumePoint
from streams.resolve.route import BEGINNING, Ignored, RoutedBatch, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, reply, root

CONFIG = RouterConfig(orphan_wait_ms=60_000, remember_irrelevant=3, orphans=1_000)
RELEVANT = ("x:a", "x:b", "x:c")
BLOCKED = "x:blocked"
IRRELEVANT = ("x:no", "x:nor")
THREADS = (*RELEVANT, BLOCKED, *IRRELEVANT)

Released = dict[tuple[str, int], int]
"""The time from which each signal counts, by story and offset."""


def relevance(signal: Signal) -> tuple[str, ...]:
    return () if signal.thread in IRRELEVANT else ("beat",)


def assignments(thread: str) -> tuple[Assignment, ...]:
    """``x:c`` belongs to two stories, a blocked thread to none."""
    stories = {"x:c": ("of x:c", "of x:a"), BLOCKED: ()}.get(thread, (f"of {thread}",))
    return tuple(Assignment(story, "beat", "new") for story in stories)


def name_story(threads: ThreadIndex, story: str, **more: Any) -> None:
    """Apply a record of the topic ``stories`` about ``story``, with the fields ``more``."""
    threads.apply(STORY_KEY + story.encode(), wire_encode(StoryInfo(story, story, story, "beat", 0, **more)))


@dataclass
class Runs:
    """A router and its successors: what they released, and what they learn from outside."""

    records: list[Signal | None]
    threads: ThreadIndex = field(default_factory=ThreadIndex)
    candidates: dict[str, int] = field(default_factory=dict)
    withdrawals: dict[str, int] = field(default_factory=dict)
    released: Released = field(default_factory=dict)
    committed: ResumePoint = BEGINNING
    decisions: int = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start a new router at the committed point."""
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
        """Decide one of the candidates, or else of the posts that were taken back, and report the decision."""
        undecided = [thread for thread in self.candidates if thread not in self.threads.known]
        withdrawn = [thread for thread in self.withdrawals if thread not in self.threads.withdrawn]
        if withdrawn and (not undecided or number % 2) and withdrawn[0] in self.threads.known:
            self.threads.note_decision(Withdrawn(withdrawn[0], self.withdrawals[withdrawn[0]]))
            self.router.decided(withdrawn[0])
        elif undecided:
            thread = undecided[number % len(undecided)]
            for assignment in assignments(thread):
                name_story(self.threads, assignment.story)
            decision = ThreadRecord(thread, self.decisions, self.candidates[thread], assignments(thread))
            self.threads.note_decision(decision)
            self.decisions += 1
            self.router.decided(thread)

    def take(self) -> RoutedBatch:
        batch = self.router.take_batch()
        for beats, entry in batch.candidates:
            signal = decode(bytes(entry.signal))
            thread = signal.thread
            if signal.deleted:
                assert beats == ()
                self.withdrawals.setdefault(thread, entry.at_ms)
                continue
            assert beats == ("beat",)
            assert self.candidates.setdefault(thread, entry.at_ms) == entry.at_ms, "a candidate has its source's time"
        for story, entries in batch.stories.items():
            for entry in entries:
                sent = self.records[entry.offset]
                assert sent is not None
                assert bytes(entry.signal) == encode(sent)
                assert story in [assignment.story for assignment in assignments(sent.thread)]
                at_ms = self.released.setdefault((story, entry.offset), entry.at_ms)
                assert at_ms == entry.at_ms, "a signal counts from the same time in every run"
                earlier = self.records[: entry.offset]
                if sent.deleted and any(one and one.id == sent.id and not one.deleted for one in earlier):
                    assert sent.thread in self.threads.withdrawn, "its headline is gone before the story hears of it"
        self.outcomes += batch.used + sum(batch.ignored.values())
        assert self.outcomes + self.router.waiting == self.router.position - self.began, "each record has an outcome"
        return batch

    def commit(self) -> None:
        self.committed = self.router.resume_point


def run(records: list[Signal | None], steps: list[tuple[str, int]]) -> Released:
    """Do ``steps``, then read and decide everything else; return what was released."""
    runs = Runs(records)
    for action, number in steps:
        match action:
            case "read":
                runs.read(number)
            case "decide":
                runs.decide(number)
            case "take":
                runs.take()
                runs.commit()
            case "crash":
                runs.begin()
    while True:
        runs.read(len(records))
        runs.take()
        known, withdrawn = runs.threads.known, runs.threads.withdrawn
        if all(thread in known for thread in runs.candidates) and withdrawn.issuperset(runs.withdrawals):
            break
        runs.decide(0)
    assert runs.router.undecided == 0
    return runs.released


def by_the_rule(records: list[Signal | None]) -> Released:
    """Return what must be released: the signals of a thread after its post, or at most a minute before it."""
    times, time_ms, posts = [], 0, dict[str, int]()
    for signal in records:
        time_ms = time_ms if signal is None else max(time_ms, signal.observed_ms)
        times.append(time_ms)
        if signal is not None and signal.is_root and not signal.deleted:
            posts.setdefault(signal.thread, time_ms)
    return {
        (assignment.story, offset): max(times[offset], posts[signal.thread])
        for offset, signal in enumerate(records)
        if signal is not None and signal.thread in posts and signal.thread not in IRRELEVANT
        if times[offset] >= posts[signal.thread] - CONFIG.orphan_wait_ms
        for assignment in assignments(signal.thread)
    }


def source(chance: random.Random) -> list[Signal | None]:
    """Generate a partition: posts seen again and again, replies before and after them, invalid records."""
    records: list[Signal | None] = []
    at_ms = 0
    for number in range(chance.randrange(4, 30)):
        at_ms = max(0, at_ms + chance.choice((0, 0, 1_000, 20_000, 70_000, -30_000)))
        thread = chance.choice(THREADS)
        kind = chance.choice(("root", "reply", "reply", "reply", "unreadable", "taken back"))
        if kind == "taken back":
            records.append(replace(root(thread, at_ms), deleted=True, title=None))
        elif kind == "unreadable":
            records.append(None)
        else:
            records.append(root(thread, at_ms, likes=number) if kind == "root" else reply(thread, number, at_ms))
    return records


def actions(chance: random.Random) -> list[tuple[str, int]]:
    """Generate a sequence of actions."""
    kinds = ("read", "read", "decide", "take", "take", "crash")
    return [(chance.choice(kinds), chance.randrange(1, 6)) for _ in range(chance.randrange(30))]


def test_restarts_and_slow_decisions_do_not_change_what_is_released() -> None:
    for seed in range(2_000):
        chance = random.Random(seed)
        records = source(chance)
        assert run(records, actions(chance)) == by_the_rule(records), f"seed {seed}"


def test_the_resume_point_never_passes_a_signal_that_waits() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        runs = Runs(source(chance))
        for action, number in actions(chance):
            if action == "read":
                runs.read(number)
            elif action == "decide":
                runs.decide(number)
            runs.take()
            waiting = runs.router.position - runs.began - runs.outcomes
            point = runs.router.resume_point
            assert (point.offset < runs.router.position) == (waiting > 0)
            assert runs.router.position - point.offset >= waiting
            if waiting == 0:
                assert point.stream_ms == runs.router.stream_ms


def test_each_unused_signal_is_counted_with_its_reason() -> None:
    threads = ThreadIndex()
    router = Router(relevance, threads, RouterConfig(orphan_wait_ms=60_000, orphans=2), BEGINNING)

    def read(offset: int, signal: Signal, monotonic: float = 0.0) -> None:
        router.read(offset, encode(signal), signal, monotonic)

    read(0, root("x:no", 0))
    read(1, reply("x:no", 1, 0))
    assert router.take_batch().ignored == {Ignored.IRRELEVANT: 2}

    read(2, reply("x:a", 1, 0))
    read(3, root("x:a", 70_000))  # more than a minute after the reply
    batch = router.take_batch()
    assert batch.ignored == {Ignored.ORPHAN: 1}
    assert [decode(bytes(entry.signal)).id for _, entry in batch.candidates] == ["x:a"]

    for number in range(3):
        read(4 + number, reply("x:b", number, 70_000), monotonic=5.0)
    assert router.take_batch().ignored == {Ignored.ORPHAN: 1}, "two may wait, so the oldest is dropped"
    assert router.take_batch(idle_since=5.0).ignored == {}, "while signals arrive, event time limits the wait"
    assert router.take_batch(idle_since=5.1).ignored == {Ignored.ORPHAN: 2}, "in silence, the clock does"
    assert router.resume_point == ResumePoint(3, START_MS + 70_000)

    threads.note_decision(ThreadRecord("x:a", 0, START_MS + 70_000, ()))
    router.decided("x:a")
    assert router.take_batch().ignored == {Ignored.IRRELEVANT: 1}, "a thread of no watched beat"
    assert router.resume_point == ResumePoint(7, START_MS + 70_000)


def test_relevance_is_asked_again_for_every_observation_of_a_root_post() -> None:
    lines = [root("x:a", 0, title="before"), reply("x:a", 1, 1), root("x:a", 60_000, title="it is relevant after all")]
    for begins in (0, 2):
        router = Router(
            lambda signal: ("beat",) * ("relevant" in (signal.title or "")), ThreadIndex(), CONFIG, BEGINNING
        )
        for offset, signal in enumerate(lines[begins:], begins):
            router.read(offset, encode(signal), signal, 0.0)
        batch = router.take_batch()
        assert [decode(bytes(entry.signal)) for _, entry in batch.candidates] == [lines[2]]
        assert batch.ignored == ({Ignored.IRRELEVANT: 2} if begins == 0 else {})


def test_a_thread_whose_replies_keep_coming_stays_remembered_as_irrelevant() -> None:
    router = Router(lambda _: (), ThreadIndex(), RouterConfig(remember_irrelevant=2), BEGINNING)
    router.read(0, b"{}", root("x:no", 0), 0.0)
    for number in range(20):
        router.read(2 * number + 1, b"{}", reply("x:no", number, 0), 0.0)
        router.read(2 * number + 2, b"{}", root(f"x:nor{number}", 0), 0.0)
    assert router.take_batch().ignored == {Ignored.IRRELEVANT: 41}


def test_an_undecided_post_holds_back_the_released_time_until_its_timeout() -> None:
    router = Router(relevance, ThreadIndex(), CONFIG, BEGINNING)
    for offset, signal in enumerate((root("x:a", 10_000), root("x:b", 20_000), reply("x:b", 1, 30_000))):
        router.read(offset, b"{}", signal, float(offset))
    assert router.read_ms(idle=False) == START_MS + 29_999, "more records of the latest time may follow"
    assert router.read_ms(idle=True) == START_MS + 30_000
    assert router.released_ms(waiting_since=0.0) == START_MS + 9_999
    assert router.released_ms(waiting_since=1.0) == START_MS + 19_999
    assert router.released_ms(waiting_since=3.0) is None


def decide_in_order(runs: Runs, chance: random.Random) -> None:
    """Decide the earliest candidate; the decision may merge stories. With none left, take a headline back."""
    undecided = [thread for thread in runs.candidates if thread not in runs.threads.known]
    for thread in () if undecided else runs.withdrawals.keys() - runs.threads.withdrawn:
        runs.threads.note_decision(Withdrawn(thread, runs.withdrawals[thread]))
        runs.router.decided(thread)
    if not undecided:
        return
    thread = min(undecided, key=lambda thread: runs.candidates[thread])
    into, at_ms, merged = f"of {thread}", runs.candidates[thread], list[Merge]()
    for story in [f"of {other}" for other in RELEVANT]:
        info = runs.threads.stories.get(story)
        if info is not None and info.into is None and chance.random() < 0.5:
            name_story(runs.threads, story, into=into, merged_ms=at_ms)
            merged.append(Merge(story, into))
    name_story(runs.threads, into)
    assigned = (Assignment(into, "beat", "new"),)
    runs.threads.note_decision(ThreadRecord(thread, runs.decisions, at_ms, assigned, tuple(merged)))
    runs.decisions += 1
    runs.router.decided(thread)


def test_in_a_replay_every_earlier_decision_determines_where_a_signal_goes() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        records = [signal for signal in source(chance) if signal is None or signal.thread in RELEVANT]
        runs, places, reported, read_ms = Runs(records), dict[int, tuple[str, int]](), set[str](), 0
        for _ in range(60):
            undecided = [runs.candidates[t] for t in runs.candidates if t not in runs.threads.known]
            undecided += [at for t, at in runs.withdrawals.items() if t not in runs.threads.withdrawn]
            reached_ms = min([read_ms, *(at_ms - 1 for at_ms in undecided)])
            runs.threads.apply(DECIDED_KEY, wire_encode(Reached(reached_ms)))
            runs.router.release_until(runs.threads.decided_ms + 1)
            match chance.choice(("read", "read", "decide", "take", "take", "crash")):
                case "read":
                    runs.read(chance.randrange(1, 6))
                case "decide":
                    decide_in_order(runs, chance)
                case "crash":
                    runs.begin()
                case "take":
                    released_ms = runs.router.released_ms(waiting_since=0.0)
                    batch = runs.router.take_batch()
                    read_ms = runs.router.read_ms(idle=runs.router.position == len(records))
                    for beats, entry in batch.candidates:
                        proposed = runs.candidates if beats else runs.withdrawals
                        proposed.setdefault(decode(bytes(entry.signal)).thread, entry.at_ms)
                    reported |= {merging.gone.id for merging in batch.merges}
                    assert batch.redirected == {}
                    for story, entries in batch.stories.items():
                        for entry in entries:
                            there = places.setdefault(entry.offset, (story, entry.at_ms))
                            assert there == (story, entry.at_ms), f"seed {seed}: the same in every run"
                    waiting = set(range(runs.router.resume_point.offset, runs.router.position)) - places.keys()
                    assert released_ms is None or waiting
                    runs.commit()
        for offset, (story, at_ms) in places.items():
            signal = records[offset]
            assert signal is not None
            assert story == runs.threads.story_at(f"of {signal.thread}", at_ms), (
                f"seed {seed}: as all decisions determine"
            )
        stories = [f"of {thread}" for thread in RELEVANT]
        gone = {story for story in stories if runs.threads.story_at(story, 10**15) != story}
        reported |= {merging.gone.id for merging in runs.router.take_batch().merges}
        if runs.router.undecided == 0 and runs.router.position == len(records):
            assert reported >= gone, f"seed {seed}: every merge is reported"


def test_live_a_signal_passes_at_once_and_is_marked_if_another_story_may_have_it() -> None:
    threads = ThreadIndex()
    router = Router(relevance, threads, CONFIG, BEGINNING)
    for thread in ("x:a", "x:b"):
        threads.note_decision(ThreadRecord(thread, 0, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    name_story(threads, "of x:a", into="of x:b", merged_ms=START_MS + 5)
    for offset, signal in enumerate((reply("x:a", 1, 5), reply("x:a", 2, 6), reply("x:b", 3, 7))):
        router.read(offset, b"{}", signal, 0.0)
    batch = router.take_batch()
    assert [entry.offset for entry in batch.stories["of x:a"]] == [0]
    assert [entry.offset for entry in batch.redirected["of x:b"]] == [1]
    assert [entry.offset for entry in batch.stories["of x:b"]] == [2]


def test_a_source_that_waits_for_its_own_time_cannot_drain() -> None:
    router = Router(relevance, ThreadIndex(), CONFIG, BEGINNING)
    router.release_until(START_MS)
    for offset in range(100):
        router.read(offset, b"{}", reply("x:a", offset, 10) if offset else root("x:a", 10), 0.0)
    assert (router.waiting, router.can_drain) == (100, False), "only a later record ends this time"
    router.read(100, b"{}", reply("x:a", 100, 11), 0.0)
    assert router.can_drain


def test_an_expired_story_takes_no_later_signal_and_its_posts_create_no_story() -> None:
    week_ms = CONFIG.forget_ms
    threads = ThreadIndex()
    threads.note_decision(ThreadRecord("x:a", 0, START_MS, (Assignment("of x:a", "beat", "new"),)))
    name_story(threads, "of x:a")
    name_story(threads, "of x:a", forgotten_ms=START_MS + week_ms + 10)
    name_story(threads, "of x:a")  # its older record, which the deciding worker reads back later
    router = Router(relevance, threads, CONFIG, BEGINNING)
    again = replace(root("x:a", 0), observed_ms=START_MS + week_ms + 11)
    for offset, signal in enumerate((reply("x:a", 1, week_ms + 10), reply("x:a", 2, week_ms + 11), again)):
        router.read(offset, b"{}", signal, 0.0)
    batch = router.take_batch()
    assert [entry.offset for entry in batch.stories["of x:a"]] == [0]
    assert batch.ignored == {Ignored.FORGOTTEN: 2}

    left = [key for key in threads.expired_keys({"of x:a"}, 0) if key is not None]
    assert left == [b"t:x:a", b"s:of x:a"]
    for key in left:
        threads.apply(key, None)
    assert (threads.known, threads.live_stories(), threads.expired) == ({}, 0, {})
    router = Router(relevance, threads, CONFIG, BEGINNING)
    router.read(3, b"{}", again, 0.0)
    router.read(4, b"{}", reply("x:a", 3, week_ms + 12), 0.0)
    router.read(5, b"{}", reply("x:b", 1, week_ms + 90_000), 0.0)
    batch = router.take_batch()
    assert (batch.candidates, batch.ignored) == ([], {Ignored.FORGOTTEN: 1, Ignored.ORPHAN: 1})


def test_a_moved_thread_and_a_blocked_story_take_effect_from_their_time_on() -> None:
    threads = ThreadIndex()
    for thread in ("x:a", "x:b"):
        threads.note_decision(ThreadRecord(thread, 0, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    threads.apply(MOVED_KEY + b"x:a", wire_encode(Moved("x:a", "of x:b", START_MS + 1)))
    name_story(threads, "of x:b", into=NOWHERE, merged_ms=START_MS + 5)
    router = Router(relevance, threads, CONFIG, BEGINNING)
    router.release_until(START_MS + 9)
    for offset, at_ms in enumerate((1, 2, 5, 6)):
        router.read(offset, b"{}", reply("x:a", offset, at_ms), 0.0)
    batch = router.take_batch()
    places = {story: [entry.offset for entry in entries] for story, entries in batch.stories.items()}
    assert places == {"of x:a": [0], "of x:b": [1, 2]}
    assert (batch.used, batch.ignored) == (3, {Ignored.BLOCKED: 1})
