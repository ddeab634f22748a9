"""Merges as the partitions of the two stories see them: transfers, redirects, waits, and events."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from ingest.signal import Signal
from scoring import Ledger
from streams.records.noise_event import NoiseEvent, encode_event
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import StoryInfo
from streams.records.story_activity import (
    Activity,
    Entry,
    ForwardedSignals,
    MergeIn,
    MergeOut,
    Merging,
    StorySignals,
    Transfer,
    TransferArrival,
    WatermarkAdvance,
    decode_activities,
)
from streams.resolve.threads import BLOCKED
from streams.score.config import ScoreConfig
from streams.score.output_batch import OutputBatch
from streams.score.scored_story import ScoredStory
from streams.score.scorer import PartitionScorer
from tests.streams.examples.activity import HOUR_MS, MINUTE_MS, START_MS, Unread, seen, story

LATER_MS = START_MS + 10**12
"""The clock, so far from event time that this is a replay."""
T = START_MS + 10 * MINUTE_MS
A, B, C = (story(number) for number in range(3))


def merging(gone: StoryInfo, into: StoryInfo, at_ms: int = T, sequence: int = 1) -> Merging:
    return Merging(at_ms, sequence, 0, gone, into)


CONFIG = ScoreConfig(keep_every_seconds=0, keep_every_behind_seconds=0)


@dataclass
class Partition:
    """A partition with one story, and what it wrote."""

    stored: dict[bytes, bytes] = field(default_factory=dict)
    config: ScoreConfig = CONFIG
    events: list[NoiseEvent] = field(default_factory=list)
    applied: int = 0
    seconds: float = 100.0
    count: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.scorer = PartitionScorer(self.stored, self.config, Unread())

    def give(self, *activities: Activity, mark_ms: int = 0, settle: str = "", now_ms: int = LATER_MS) -> OutputBatch:
        for activity in (*activities, WatermarkAdvance(SourceWatermark(0, 1, mark_ms, settle=settle))):
            self.scorer.take([activity], self.seconds)
            self.count += 1
        self.seconds += 0.01
        output = self.scorer.advance(now_ms, self.seconds)
        for name, state in output.states.items():
            if state is None:
                self.stored.pop(name.encode(), None)
            else:
                self.stored[name.encode()] = state
        self.events += output.events
        self.applied += output.applied
        return output

    def state(self, about: StoryInfo) -> ScoredStory:
        return ScoredStory.decode(self.stored[about.id.encode()])

    def types(self) -> list[str]:
        return [event.type for event in self.events if event.type != "noise_update"]


def says(about: StoryInfo, *signals: Signal, first: int = 0, redirected: bool = False) -> StorySignals:
    entries = tuple(Entry(first + number, signal.observed_ms, signal) for number, signal in enumerate(signals))
    return StorySignals(SourceWatermark(0, 1, 0), 0, about, entries, redirected)


def post(number: int, at_ms: int, likes: int = 100) -> Signal:
    return seen("reddit", number, at_ms, likes=likes)


def sent(output: OutputBatch) -> list[tuple[str, Activity]]:
    return [(to, activity) for to, record in output.forwarded for activity in decode_activities(record)]


def ledger(*signals: Signal) -> Ledger:
    made = Ledger()
    for signal in signals:
        made.apply(signal)
    return made


def test_a_story_ends_and_the_other_gets_all_its_signals_until_then() -> None:
    gone, into = Partition(), Partition()
    before, at, after = post(1, T - 1), post(2, T), post(3, T + 1)
    ended = gone.give(says(B, before, at), MergeOut(SourceWatermark(0, 1, 0), merging(B, A)), mark_ms=T + HOUR_MS)
    assert gone.types() == ["new_story", "merged"]
    assert msgspec.json.decode(encode_event(gone.events[-1])) == {
        "v": 1, "type": "merged", "story": B.id, "slug": B.slug, "at_ms": T, "into": A.id,
    }  # fmt: skip
    assert ended.scores == {B.id: None}, "a tombstone"
    assert gone.scorer.live == 0
    ((to, transfer),) = sent(ended)
    assert to == A.id

    joining = MergeIn(SourceWatermark(0, 1, 0), merging(B, A))
    waits = into.give(says(A, post(0, T - 5), after), joining, mark_ms=T + HOUR_MS, settle="end")
    assert into.state(A).scoring.ledger == ledger(post(0, T - 5)), "nothing later is applied before the transfer"
    assert (waits.watermark_ms, waits.settled, waits.applied) == (T - 1, "", 0)
    output = into.give(transfer, mark_ms=T + HOUR_MS, settle="end")
    assert into.state(A).scoring.ledger == ledger(post(0, T - 5), before, at, after)
    assert (output.watermark_ms, output.settled) == (T + HOUR_MS, "end")
    assert into.applied == into.count

    kept = into.state(A).scoring
    into.restart()
    again = into.give(joining, transfer, mark_ms=T + 2 * HOUR_MS)
    assert into.state(A).scoring == kept
    assert again.watermark_ms == T + 2 * HOUR_MS, "a repeated transfer changes nothing and is not waited for"


def test_a_redirect_that_is_merged_out_again_sends_an_empty_transfer() -> None:
    gone = Partition()
    leaving = MergeOut(SourceWatermark(0, 1, 0), merging(B, A))
    gone.give(says(B, post(1, T)), leaving, mark_ms=T + 1)
    gone.restart()
    again = gone.give(leaving, says(B, post(1, T)), mark_ms=T + 2)
    assert sent(again) == [(A.id, TransferArrival(Transfer(merging(B, A))))]
    assert gone.types() == ["new_story", "merged"], "and the event is emitted once"

    never = Partition().give(leaving, mark_ms=T + 1)
    assert sent(never) == [(A.id, TransferArrival(Transfer(merging(B, A))))]
    assert (never.events, never.scores) == ([], {})
    into = Partition()
    into.give(says(A, post(0, T)), MergeIn(SourceWatermark(0, 1, 0), merging(B, A)), sent(never)[0][1], mark_ms=T + 9)
    assert into.applied == into.count
    assert into.state(A).scoring.ledger == ledger(post(0, T))


def test_signals_for_a_redirect_are_forwarded_once() -> None:
    gone, into = Partition(), Partition()
    gone.give(says(B, post(1, T)), MergeOut(SourceWatermark(0, 1, 0), merging(B, A)), mark_ms=T + 1)
    late = says(B, post(1, T), post(2, T + 5))
    ((to, forwarded),) = sent(gone.give(late, mark_ms=T + 9))
    assert (to, forwarded) == (A.id, ForwardedSignals(A, (Entry(1, T + 5, post(2, T + 5)),), source=0))
    assert gone.give(late, mark_ms=T + 10).forwarded == []
    # The low-water mark 9 says nothing of signals that were forwarded.
    into.give(StorySignals(SourceWatermark(0, 1, 0), 9, A, says(A, post(0, T), first=8).entries), mark_ms=T + 9)
    into.give(forwarded, mark_ms=T + 9)
    assert into.state(A).scoring.ledger == ledger(post(0, T), post(2, T + 5))
    again = into.give(says(A, post(2, T + 5), first=1, redirected=True), mark_ms=T + 9)
    assert again.states.keys() == {A.id}
    assert into.state(A).scoring.ledger == ledger(post(0, T), post(2, T + 5))


def test_live_a_transfer_is_not_waited_for_for_long_and_is_used_when_it_comes_late() -> None:
    gone, into = Partition(), Partition()
    ended = gone.give(says(B, post(1, T)), MergeOut(SourceWatermark(0, 1, 0), merging(B, A)), mark_ms=T + 1)
    joining = MergeIn(SourceWatermark(0, 1, 0), merging(B, A))
    assert into.give(says(A, post(0, T)), joining, mark_ms=T + 500, now_ms=T + 500).watermark_ms == T - 1
    into.seconds += 1.1
    assert into.give(mark_ms=T + 1_600, now_ms=T + 1_600).watermark_ms == T + 1_600
    into.seconds += 1.1
    late = into.give(sent(ended)[0][1], mark_ms=T + 2_700, now_ms=T + 2_700)
    assert A.id in late.scores
    assert into.state(A).scoring.ledger == ledger(post(0, T), post(1, T))


def test_what_comes_late_to_a_story_that_is_gone_itself_is_sent_on() -> None:
    b, a = Partition(), Partition()
    ended = b.give(says(B, post(1, T)), MergeOut(SourceWatermark(0, 1, 0), merging(B, A)), mark_ms=T + 1)
    gone = a.give(says(A, post(0, T)), MergeOut(SourceWatermark(0, 1, 0), merging(A, C, T + 2, 2)), mark_ms=T + 3)
    ((to, transfer),) = sent(a.give(sent(ended)[0][1], mark_ms=T + 4))
    assert to == C.id
    c = Partition()
    c.give(says(C, post(2, T)), sent(gone)[0][1], transfer, mark_ms=T + 5)
    assert c.state(C).scoring.ledger == ledger(post(0, T), post(1, T), post(2, T))
    assert sorted(c.state(C).absorbed) == sorted([A.id, B.id])


def test_chains_and_merges_of_one_time_in_one_partition_are_applied_in_order() -> None:
    one = Partition()
    directives = [
        kind(SourceWatermark(0, 1, 0), m)
        for m in (merging(B, A, T, 1), merging(A, C, T, 2))
        for kind in (MergeIn, MergeOut)
    ]
    signals = post(0, T), post(1, T - 3), post(2, T - 9)
    output = one.give(*map(says, (A, B, C), signals), *directives, mark_ms=T + 1)
    while output.forwarded:
        output = one.give(*(activity for _, activity in sent(output)), mark_ms=T + 1)
    assert one.scorer.live == 1
    assert one.state(C).scoring.ledger == ledger(*signals)
    assert one.types() == ["new_story", "new_story", "new_story", "merged", "merged"]
    assert one.applied == one.count


def test_the_louder_state_stays_and_its_change_is_emitted() -> None:
    gone, into = Partition(), Partition()
    burst = [seen("reddit", number, T - 6 * MINUTE_MS + number, replies_to=1) for number in range(2, 14)]
    ended = gone.give(
        says(B, post(1, T - 6 * MINUTE_MS), *burst), MergeOut(SourceWatermark(0, 1, 0), merging(B, A)), mark_ms=T + 1
    )
    assert gone.types() == ["new_story", "spike", "state_change", "merged"]
    into.give(says(A, post(0, T - 1)), mark_ms=T - 1)
    into.give(MergeIn(SourceWatermark(0, 1, 0), merging(B, A)), sent(ended)[0][1], mark_ms=T)
    change = msgspec.json.decode(next(encode_event(event) for event in into.events if event.type == "state_change"))
    assert (change["from"], change["to"], change["at_ms"]) == ("trending", "spike", T)
    assert into.state(A).scoring.lifecycle.state == "spike"


def test_a_redirect_is_deleted_in_time() -> None:
    gone = Partition(config=ScoreConfig(retention_days=1, keep_every_seconds=0, keep_every_behind_seconds=0))
    gone.give(says(B, post(1, T)), MergeOut(SourceWatermark(0, 1, 0), merging(B, A)), mark_ms=T + 1)
    gone.restart()
    gone.give(mark_ms=T + 23 * HOUR_MS)
    assert gone.stored.keys() == {B.id.encode()}
    output = gone.give(mark_ms=T + 25 * HOUR_MS)
    assert (output.states, gone.stored) == ({B.id: None}, {})


def test_a_blocked_story_ends_and_later_signals_are_dropped() -> None:
    one = Partition()
    leaving = MergeOut(SourceWatermark(0, 1, 0), merging(B, BLOCKED))
    output = one.give(says(B, post(1, T)), leaving, says(B, post(2, T + 1), first=1), mark_ms=T + 9)
    assert (output.scores, output.forwarded, one.scorer.live) == ({B.id: None}, [], 0)
    assert one.types() == ["new_story"]
    assert one.applied == one.count
