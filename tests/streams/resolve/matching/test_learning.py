"""Operator commands teach the matcher: posts like a moved one follow it, in every run and replay."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import msgspec

from ingest.signal import Signal
from streams.records import encode
from streams.records.candidates import Candidate
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import MOVED_KEY, ORDER_KEY, STORY_KEY, OperatorCommand, StoryInfo, ThreadRecord
from streams.resolve.decide import Decider, ThreadDecision
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher
from streams.resolve.threads import ThreadIndex

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
APART = StoryInfo("st apart", "the-miners", "The miners", "general", START_MS)
QUAKE = (
    "Magnitude 7.1 earthquake strikes off Chile, tsunami warning issued",
    "Chile earthquake: tsunami warning for the whole coast",
    "Strong earthquake hits northern Chile, thousands leave the coast",
    "Tsunami warning lifted after Chile earthquake",
)
MINERS = (
    "Chile earthquake: eleven miners trapped in Atacama copper mine",
    "Trapped miners in Chile answer after earthquake, Atacama mine says",
    "Chile earthquake: rescuers drill towards trapped Atacama miners",
    "Miners trapped by Chile earthquake: first three reach the surface in Atacama",
)


class Run(NamedTuple):
    """A decider and its log."""

    decider: Decider
    threads: ThreadIndex
    log: list[ThreadDecision]

    def post(self, number: int, title: str) -> ThreadDecision:
        at_ms = START_MS + number * MINUTE_MS
        signal = Signal(
            id=f"t:{number}", kind="post", platform="t", thread=f"t:{number}", title=title,
            created_ms=at_ms, observed_ms=at_ms,
        )  # fmt: skip
        self.decider.offer(number, Candidate(SourceWatermark(0, 1, 0), ("general",), at_ms, signal))
        (decided,) = self.decider.decide(at_ms)
        for info in decided.created:
            self.threads.apply(STORY_KEY + info.id.encode(), encode(info))
        for moved in decided.moved:
            self.threads.apply(MOVED_KEY + moved.thread.encode(), encode(moved))
        self.threads.note_decision(decided.record)
        self.log.append(decided)
        return decided

    def order(self, *orders: OperatorCommand) -> None:
        for order in orders:
            known = [one.record.assignments[0].features for one in self.log if one.record.thread == order.subject]
            given = msgspec.structs.replace(order, features=known[0]) if known else order
            self.threads.apply(ORDER_KEY + f"{order.kind}:{order.subject}".encode(), encode(given))

    def restart(self) -> Run:
        """Return the run of another decider that has read the log."""
        threads = deepcopy(self.threads)
        run = Run(Decider({"general": Matcher(load_beat("general"))}, threads), threads, [*self.log])
        for decided in self.log:
            if isinstance(decided.record, ThreadRecord):
                run.decider.adopt(decided.record)
        return run


def start(*orders: OperatorCommand) -> Run:
    threads = ThreadIndex()
    run = Run(Decider({"general": Matcher(load_beat("general"))}, threads), threads, [])
    run.order(*orders)
    return run


def stories(decided: list[ThreadDecision]) -> list[str]:
    return [one.record.assignments[0].story for one in decided]


def test_posts_like_the_ones_split_off_follow_them_and_the_stories_stay_apart() -> None:
    run = start()
    told = [QUAKE[0], QUAKE[1], MINERS[0], QUAKE[2], MINERS[1]]
    before = stories([run.post(number, title) for number, title in enumerate(told)])
    assert len(set(before)) == 1, "the matcher takes them for one story"
    orders = [OperatorCommand("pin", f"t:{number}", APART.id, found=APART) for number in (2, 4)]
    run.order(*orders)
    run.post(5, "A brass band plays in the park of Oldenburg")
    second = run.restart()
    for one in (run, second):
        after = [one.post(6 + number, title) for number, title in enumerate((MINERS[2], QUAKE[3], MINERS[3]))]
        assert stories(after) == [APART.id, before[0], APART.id]
        assert not any(decided.record.merged for decided in after)
    assert run.log == second.log

    replayed = start(*orders)
    replay = stories(
        [replayed.post(number, title) for number, title in enumerate((*told, MINERS[2], QUAKE[3], MINERS[3]))]
    )
    assert replay[-3:] == [APART.id, before[0], APART.id]


def test_posts_like_either_of_two_stories_merged_by_command_join_the_merged_one() -> None:
    run = start()
    band = "A brass band plays in the park of Oldenburg tonight"
    quake, other = stories([run.post(0, QUAKE[0]), run.post(1, band)])
    assert quake != other
    run.order(OperatorCommand("merge", other, quake))
    run.post(2, "Parliament of Ruritania votes on fishing quotas")
    second = run.restart()
    for one in (run, second):
        assert stories([one.post(3, band + "!"), one.post(4, QUAKE[1])]) == [quake, quake]
    assert run.log == second.log
