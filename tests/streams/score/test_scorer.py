"""One partition of stories: order, batches, repeats and restarts of the input do not change the result."""

from __future__ import annotations

import random
from collections.abc import Sized
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from ingest.signal import Counts
from scoring import Ledger, score
from scoring.impact import OfflineAssessor
from streams.records.noise_event import NoiseEvent, encode_event
from streams.records.source_watermark import SourceWatermark
from streams.records.story_activity import Activity, Entry, StorySignals, WatermarkAdvance
from streams.score.assessor import OfflineStoryAssessor
from streams.score.config import ScoreConfig
from streams.score.output_batch import OutputBatch
from streams.score.scored_story import CorruptStateError, ScoredStory
from streams.score.scorer import PartitionScorer
from tests.streams.examples.activity import (
    HOUR_MS,
    MINUTE_MS,
    SETTLE,
    START_MS,
    Sent,
    Unread,
    end_of,
    in_order,
    make_crowd,
    make_sources,
    mixed,
    seen,
    story,
)

CONFIG = ScoreConfig(keep_every_seconds=0, keep_every_behind_seconds=0)
ASSESS = OfflineStoryAssessor(OfflineAssessor(lambda texts: np.zeros((len(texts), 256), dtype=np.float32)))
"""By the lexicon alone."""
LATER_MS = START_MS + 10**12
"""The clock, so far from event time that this is a replay."""


@dataclass
class Runs:
    """A scorer and its successors after crashes; what they wrote, and which records they have applied."""

    log: list[Activity]
    config: ScoreConfig = CONFIG
    states: dict[bytes, bytes] = field(default_factory=dict)
    scores: dict[str, bytes | None] = field(default_factory=dict)
    events: list[NoiseEvent] = field(default_factory=list)
    shown: dict[str, object] = field(default_factory=dict)
    committed: int = 0
    settled: str = ""
    seconds: float = 100.0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start again with the states written, at the offset committed."""
        self.scorer = PartitionScorer(self.states, self.config, Unread(), ASSESS)
        self.position = self.done = self.committed
        self.applied: set[tuple[int, int]] = set()

    def step(self, count: int, *, crash: str = "") -> None:
        """Read some records and write the output; ``crash``: the part of that after which the process dies."""
        for offset in range(self.position, min(self.position + count, len(self.log))):
            self.scorer.take([self.log[offset]], self.seconds)
            self.position = offset + 1
        self.seconds += 0.01
        output = self.scorer.advance(LATER_MS, self.seconds)
        if crash != "before":
            self.emit(output)
            if crash != "emitted":
                self.write(output)
                self.acknowledge(output)
                if not crash:
                    self.committed = self.done
        if crash:
            self.begin()

    def emit(self, output: OutputBatch) -> None:
        changes = [msgspec.json.decode(encode_event(event)) for event in output.events if event.type == "state_change"]
        for about, state in {change["story"]: change["to"] for change in changes}.items():
            assert about not in output.scores or score_in(output, about)["state"] == state
            assert about in output.scores or state == self.shown.get(about), "a state that changed is emitted at once"
        self.shown |= {about: score_in(output, about)["state"] for about, score in output.scores.items() if score}
        self.scores.update(output.scores)
        self.events += output.events
        self.settled = output.settled or self.settled

    def write(self, output: OutputBatch) -> None:
        for name, state in output.states.items():
            if state is None:
                del self.states[name.encode()]
            else:
                self.states[name.encode()] = state

    def acknowledge(self, output: OutputBatch) -> None:
        """Check that records count as applied in order, and only when everything in them is in a state."""
        kept: dict[str, ScoredStory] = {}
        for _ in range(output.applied):
            activity = self.log[self.done]
            self.done += 1
            if isinstance(activity, StorySignals):
                about = activity.story.id
                if about not in kept:
                    kept[about] = ScoredStory.decode(self.states[about.encode()])
                offsets = [entry.offset for entry in activity.entries]
                assert not any(kept[about].delivered.admit(activity.mark.source, offsets))

    def decided(self) -> list[bytes]:
        """Return the events that do not depend on when a score was emitted."""
        return [encode_event(event) for event in self.events if event.type != "noise_update"]


def final(runs: Runs) -> dict[str, object]:
    """Return what must be the same however the input came."""
    result: dict[str, object] = {}
    for name, state in runs.states.items():
        kept = ScoredStory.decode(state)
        scored = msgspec.json.decode(runs.scores[kept.info.id] or b"null")
        del scored["previous"]
        assert kept.emitted is not None
        assert not kept.unemitted
        result[name.decode()] = (kept.scoring, kept.info, kept.emitted, scored)
    return result


def undisturbed(lanes: list[list[Sent]]) -> Runs:
    runs = Runs(in_order(lanes))
    runs.step(len(runs.log))
    return runs


def check_end(runs: Runs, lanes: list[list[Sent]]) -> None:
    assert runs.settled == "the end"
    assert runs.committed == len(runs.log)
    for name, state in runs.states.items():
        ledger = Ledger()
        for sent in (sent for lane in lanes for sent in lane if story(sent.story).id == name.decode()):
            ledger.apply(sent.entry.signal)
        kept = ScoredStory.decode(state).scoring.ledger
        ledger.assessment = ASSESS(name.decode(), ledger, kept.assessment.assessed_ms if kept.assessment else 0)
        noise = score(ledger, end_of(lanes), tiers={}).noise
        scored = msgspec.json.decode(runs.scores[name.decode()] or b"null")
        assert scored["noise"] == pytest.approx(noise, abs=1e-9)
        assert scored["scored_ms"] == end_of(lanes)
        assert kept == ledger


def test_interleaving_and_batches_change_neither_scores_nor_events() -> None:
    kinds = set()
    for seed in range(20):
        chance = random.Random(seed)
        lanes = make_sources(chance)
        expected = undisturbed(lanes)
        runs = Runs(mixed(chance, lanes))
        while runs.position < len(runs.log):
            runs.step(chance.choice((1, 3, 10, 100)))
        check_end(runs, lanes)
        assert final(runs) == final(expected), f"seed {seed}"
        assert runs.decided() == expected.decided(), f"seed {seed}"
        kinds |= {event.type for event in runs.events}
    assert kinds == {"new_story", "noise_update", "state_change", "spike", "spike_over", "resolved"}


@pytest.mark.parametrize("keep_every_seconds", [0, 0.03], ids=["all written at once", "written now and then"])
def test_crashes_at_any_point_change_nothing(keep_every_seconds: float) -> None:
    config = ScoreConfig(keep_every_seconds=keep_every_seconds, keep_every_behind_seconds=keep_every_seconds)
    for seed in range(20):
        chance = random.Random(seed)
        lanes = make_sources(chance)
        expected = undisturbed(lanes)
        runs = Runs(mixed(chance, lanes), config)
        while runs.position < len(runs.log):
            crash = chance.choice(("", "", "", "", "before", "emitted", "written"))
            runs.step(chance.choice((1, 3, 10, 30)), crash=crash)
        runs.seconds += keep_every_seconds
        runs.step(0)
        check_end(runs, lanes)
        assert final(runs) == final(expected), f"seed {seed}"
        assert set(runs.decided()) == set(expected.decided()), f"seed {seed}: repeats are alike"


def test_batches_do_not_change_a_sketched_ledger_whose_counts_fall() -> None:
    chance = random.Random(0)
    lanes = make_crowd(chance)
    expected = undisturbed(lanes)
    runs = Runs(mixed(chance, lanes))
    while runs.position < len(runs.log):
        runs.step(chance.choice((10, 100)))
    assert final(runs) == final(expected)
    assert runs.decided() == expected.decided()


def test_a_sketched_ledger_is_not_changed_by_a_source_that_is_read_again() -> None:
    """The low-water mark does not cover these records, since an orphan waits: their offsets are remembered."""
    chance = random.Random(3)
    (lane,) = lanes = make_crowd(chance, sources=1, posts=250)
    once = [StorySignals(SourceWatermark(0, 1, sent.entry.at_ms - 1), 0, story(0), (sent.entry,)) for sent in lane]
    runs = Runs([*once, *once, WatermarkAdvance(SourceWatermark(0, 1, end_of(lanes), settle=SETTLE))])
    while runs.position < len(runs.log):
        runs.step(100)
    assert final(runs) == final(undisturbed(lanes))


def live(*entries: Entry, at_ms: int, idle: bool = True, sources: int = 1) -> Activity:
    mark = SourceWatermark(0, sources, at_ms, idle)
    return StorySignals(mark, 0, story(0), entries) if entries else WatermarkAdvance(mark)


def post(offset: int, at_ms: int, likes: int = 0) -> Entry:
    """Return an observation of the one post there is."""
    return Entry(offset, at_ms, seen("reddit", 1, at_ms, likes=likes))


POST = post(1, START_MS).signal


def score_in(output: OutputBatch, about: str = story(0).id) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(output.scores[about] or b"null")
    return found


def test_an_event_written_before_a_crash_is_not_written_again_as_of_another_time() -> None:
    config = ScoreConfig(keep_every_seconds=60, keep_every_behind_seconds=60)
    founding, late = live(post(1, START_MS + 10), at_ms=START_MS + 10), live(post(0, START_MS + 5), at_ms=START_MS + 20)
    scorer = PartitionScorer({}, config, Unread())
    scorer.take([founding], 1.0)
    output = scorer.advance(START_MS + 10, 1.0)
    assert [event.type for event in output.events] == ["new_story"]
    assert output.applied == 0, "no record is applied before all states are written"
    kept = {name.encode(): state or b"" for name, state in output.states.items()}
    again = PartitionScorer(kept, config, Unread())
    for activity in (founding, late):
        again.take([activity], 100.0)
    output = again.advance(START_MS + 20, 100.0)
    assert "new_story" not in {event.type for event in output.events}
    assert output.applied == 2


def test_states_are_written_less_often_while_a_partition_catches_up() -> None:
    """Each state would be overwritten many times before it is needed. After catching up, all are written at once."""
    scorer = PartitionScorer({}, ScoreConfig(keep_every_seconds=0, keep_every_behind_seconds=60), Unread())
    written = []
    for number, now_ms in enumerate((LATER_MS, LATER_MS, START_MS + 50)):
        at_ms = START_MS + 10 + number
        scorer.take([live(post(number, at_ms), at_ms=at_ms)], 100.0)
        output = scorer.advance(now_ms, 100.0 + number)
        written.append((output.applied, sorted(output.states)))
    assert written == [(1, ["st_0"]), (0, []), (2, ["st_0"])]


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0), (0, 1, 0)])
def test_a_story_has_the_title_that_its_latest_signal_was_sent_with(arrival: tuple[int, ...]) -> None:
    """It does not matter which source is faster, nor that earlier signals are sent again."""
    called = (msgspec.structs.replace(story(0), title="before"), msgspec.structs.replace(story(0), title="after"))
    scorer = PartitionScorer({}, CONFIG, Unread())
    for source in arrival:
        at_ms = START_MS + 1 + source
        entry = Entry(1, at_ms, seen("reddit", source, at_ms))
        scorer.take((StorySignals(SourceWatermark(source, 2, at_ms), 0, called[source], (entry,)),), 0.0)
    for source in range(2):
        scorer.take((WatermarkAdvance(SourceWatermark(source, 2, START_MS + HOUR_MS)),), 0.0)
    assert score_in(scorer.advance(LATER_MS, 0.1))["title"] == "after"


def test_without_signals_a_story_decays_resolves_and_is_deleted() -> None:
    scorer = PartitionScorer(
        {}, ScoreConfig(retention_days=2, keep_every_seconds=0, keep_every_behind_seconds=0), Unread()
    )
    scorer.take([live(post(1, START_MS, likes=900), at_ms=START_MS)], 0.0)
    output = scorer.advance(START_MS + 500, 0.1)
    assert output.applied == 1
    types, seconds, now_ms, noises = [], 0.2, START_MS, [score_in(output)["noise"]]
    kept = {name: state for name, state in output.states.items() if state is not None}
    while scorer.live:
        assert now_ms < START_MS + 30 * 24 * HOUR_MS
        now_ms += 10 * MINUTE_MS
        seconds += 600
        # Only the source's heartbeat comes in: the source is idle.
        scorer.take([live(at_ms=START_MS)], seconds)
        output = scorer.advance(now_ms, seconds)
        if now_ms == START_MS + HOUR_MS:
            # A restart in between changes nothing, once a signal of another story brings the time.
            states = {name.encode(): state for name, state in kept.items()}
            scorer = PartitionScorer(
                states, ScoreConfig(retention_days=2, keep_every_seconds=0, keep_every_behind_seconds=0), Unread()
            )
            scorer.take([live(at_ms=now_ms)], seconds)
        kept |= {name: state for name, state in output.states.items() if state is not None}
        types += [event.type for event in output.events if event.type != "noise_update"]
        noises += [score_in(output)["noise"] for record in output.scores.values() if record is not None]
    assert types == ["state_change", "resolved"]
    assert noises == sorted(noises, reverse=True), "a quiet story decays"
    assert all(before - after < 0.13 for before, after in pairwise(noises)), "and every step of that is emitted"
    assert output.scores == output.states == {story(0).id: None}, "and ends with a tombstone"
    left = {name: value for name, value in vars(scorer).items() if isinstance(value, Sized) and value}
    assert set(left) == set(), "and leaves nothing behind"


def test_a_story_deleted_as_a_replay_ends_is_not_decided_on_again() -> None:
    scorer = PartitionScorer(
        {}, ScoreConfig(retention_days=0.00001, keep_every_seconds=0, keep_every_behind_seconds=0), Unread()
    )  # 864 ms
    scorer.take([live(post(1, START_MS), at_ms=START_MS + 72 * HOUR_MS, idle=False)], 0.0)
    assert "resolved" in [event.type for event in scorer.advance(LATER_MS, 0.0).events]
    scorer.take([WatermarkAdvance(SourceWatermark(0, 1, START_MS + 72 * HOUR_MS + 900, settle="end"))], 0.1)
    output = scorer.advance(LATER_MS, 0.1)
    assert (output.settled, scorer.live, output.scores) == ("end", 0, {story(0).id: None})
    scorer.take([WatermarkAdvance(SourceWatermark(0, 1, START_MS + 99 * HOUR_MS, settle="end"))], 0.2)
    assert scorer.advance(LATER_MS, 0.2).applied == 1


def test_a_late_signal_is_used() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    scorer.take([live(post(1, START_MS + HOUR_MS), at_ms=START_MS + HOUR_MS)], 0.0)
    before = score_in(scorer.advance(START_MS + HOUR_MS, 0.0))
    late = Entry(2, START_MS, seen("reddit", 2, START_MS, likes=5_000))
    scorer.take([live(late, at_ms=START_MS + HOUR_MS)], 0.5)
    output = scorer.advance(START_MS + HOUR_MS, 0.5)
    after = score_in(output)
    assert output.applied == 1
    assert after["windows"]["life"]["items"] == before["windows"]["life"]["items"] + 1


def test_a_late_signal_after_a_restart_never_scores_a_story_for_an_earlier_time() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread())
    scorer.take([live(post(1, START_MS + HOUR_MS), at_ms=START_MS + HOUR_MS)], 0.0)
    output = scorer.advance(START_MS + HOUR_MS, 0.0)
    states = {name.encode(): state for name, state in output.states.items() if state is not None}

    scorer = PartitionScorer(states, CONFIG, Unread())
    scorer.take([live(post(2, START_MS + 5, likes=50_000), at_ms=START_MS + 10, idle=False)], 100.0)
    output = scorer.advance(START_MS + HOUR_MS, 100.0)
    assert score_in(output)["scored_ms"] == START_MS + HOUR_MS, "no score is for an earlier time than the last"
    assert output.events[0].type == "noise_update"
    kept = ScoredStory.decode(output.states[story(0).id] or b"")
    assert kept.at_ms == START_MS + HOUR_MS
    assert kept.due_ms > kept.at_ms


def test_a_story_is_assessed_with_its_first_words_and_again_when_they_change() -> None:
    scorer = PartitionScorer({}, CONFIG, Unread(), ASSESS)
    wordless = msgspec.structs.replace(post(1, START_MS), signal=msgspec.structs.replace(POST, title=None))
    scorer.take([live(wordless, at_ms=START_MS)], 0.0)
    first = score_in(scorer.advance(START_MS, 0.0))
    assert (first["category"], first["factors"]["industry_impact"]) == (None, 50)
    assert first["inputs"]["industry_impact"] == {"assessed": False}
    named = msgspec.structs.replace(
        POST, title="Bank lays off 2,000 employees", counts=Counts(likes=9), observed_ms=START_MS + 1
    )
    scorer.take([live(Entry(2, START_MS + 1, named), at_ms=START_MS + 1)], 1.0)
    second = score_in(scorer.advance(START_MS + 1, 1.0))
    assert (second["category"], second["inputs"]["industry_impact"]["assessed_ms"]) == ("labor", START_MS + 1)
    louder = msgspec.structs.replace(
        seen("reddit", 2, START_MS + 2, likes=50), title="Senate passes law that bans chatbots"
    )
    scorer.take([live(Entry(3, START_MS + 2, louder), at_ms=START_MS + 2)], 2.0)
    assert score_in(scorer.advance(START_MS + 2, 2.0))["category"] == "labor", "until the next tick"
    scorer.take([live(at_ms=START_MS + 1_000)], 3.0)
    third = score_in(scorer.advance(START_MS + 1_000, 3.0))
    assert (third["category"], third["inputs"]["industry_impact"]["assessed_ms"]) == ("policy", START_MS + 1_000)
    assert second["factors"]["industry_impact"] != third["factors"]["industry_impact"]


def test_a_state_that_cannot_be_read_is_an_error() -> None:
    good = ScoredStory(story(0)).encode()
    assert ScoredStory.decode(good).info == story(0)
    for bad in (b"", good[:-5], b"\x93" + good, msgspec.msgpack.encode([2, *msgspec.msgpack.decode(good)[1:]])):
        with pytest.raises(CorruptStateError):
            ScoredStory.decode(bad)
