"""In a replay every earlier decision determines where a signal goes."""

from __future__ import annotations

import random

from ingest.signal import decode
from streams.records import encode as wire_encode
from streams.records.stories import DECIDED_KEY, Assignment, Merge, Reached, ThreadRecord, Withdrawn
from tests.streams.resolve.routing import RELEVANT, Runs, name_story, source


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
