"""A router and its successors, driven by a test."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from ingest.signal import Signal, decode, encode
from streams.records import encode as wire_encode
from streams.records.stories import STORY_KEY, Assignment, StoryInfo, ThreadRecord, Withdrawn
from streams.resolve.reorder import ResumePoint
from streams.resolve.route import BEGINNING, RoutedBatch, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import reply, root

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
