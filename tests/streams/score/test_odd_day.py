"""A made-up day of storms, bots and feeds, each put together as one story: only people make a story loud."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from hubbub.recordings import read_recordings
from ingest.signal import Signal
from scoring import Ledger, makeup, score
from streams.records.noise_score import decode_score
from streams.records.stories import StoryInfo
from streams.score.deciding import decide
from streams.score.render import score_record
from streams.score.scored_story import ScoredStory

HOUR_MS = 3_600_000
GENUINE, STORM, BOT, TAGGER, SERIES, FEED = "gsbhdf"


@pytest.fixture(scope="module")
def groups(shared: Path) -> dict[str, list[Signal]]:
    """Return the signals of each group, by the first character of their native ids."""
    found: defaultdict[str, list[Signal]] = defaultdict(list)
    for signal, _ in read_recordings([shared / "recordings" / "odd-day.ndjson.gz"], lambda *_: None):
        found[signal.id.partition(":")[2][0]].append(signal)
    return found


def live(signals: list[Signal]) -> tuple[list[str], float, float]:
    """Return the events of a story of these signals, its highest noise, and that at the end of the recording."""
    story = ScoredStory(StoryInfo("st_1", "slug", "title", "beat", signals[0].created_ms))
    ledger, events, noises = story.scoring.ledger, list[str](), list[float]()
    waiting = sorted(signals, key=lambda signal: signal.observed_ms, reverse=True)
    ends_ms = signals[0].created_ms + 73 * HOUR_MS
    while True:
        nexts = [*(signal.observed_ms for signal in waiting[-1:]), *([story.due_ms] if story.due_ms else [])]
        if (at_ms := min(nexts, default=ends_ms + 1)) > ends_ms:
            break
        while waiting and waiting[-1].observed_ms <= at_ms:
            ledger.apply(waiting.pop())
        events += [event.type for event in decide(story, {}, at_ms)]
        noises.append(score(ledger, at_ms, tiers={}).noise)
    return events, max(noises), score(ledger, ends_ms, tiers={}).noise


@pytest.mark.parametrize("group", [STORM, BOT, TAGGER, SERIES, FEED])
def test_what_few_people_make_does_not_spike_and_is_quiet(groups: dict[str, list[Signal]], group: str) -> None:
    events, highest, last = live(groups[group])
    assert "spike" not in events
    assert last < live(groups[GENUINE])[2]
    if group in (STORM, BOT, TAGGER):
        assert highest < 20.05  # without an assessor, which gives each of them less than 50 for its impact
    if group != FEED:
        assert last < 20


def test_the_second_night_of_a_feed_is_no_coverage(groups: dict[str, list[Signal]]) -> None:
    first, second = groups[FEED][:120], groups[FEED][120:]
    ledger = Ledger()
    for signal in first:
        ledger.apply(signal)
    once = score(ledger, first[-1].observed_ms, tiers={})
    for signal in second:
        ledger.apply(signal)
    twice = score(ledger, second[-1].observed_ms, tiers={})
    assert twice.last_coverage_ms == once.last_coverage_ms
    assert twice.velocity_per_hour <= 1  # a sketched ledger does not know all that an author says in five minutes
    for one, again in zip(first, second, strict=True):
        alone = Ledger()
        for signal in (one, again):
            alone.apply(signal)
        found = score(alone, again.observed_ms, tiers={})
        assert (found.last_coverage_ms, found.velocity_per_hour) == (one.created_ms, 0)


@pytest.mark.parametrize("group", [GENUINE, STORM])
def test_a_score_says_of_whom_and_what_the_story_consists(groups: dict[str, list[Signal]], group: str) -> None:
    ledger = Ledger()
    for signal in groups[group]:
        ledger.apply(signal)
    info, at_ms = StoryInfo("st_1", "slug", "title", "beat", 1), groups[group][-1].observed_ms
    record = score_record(
        info, score(ledger, at_ms), ledger.evidence, state="trending", previous=None, at_ms=at_ms, makeup=makeup(ledger)
    )
    people = msgspec.to_builtins(decode_score(b"st_1", record).inputs["people"])
    assert people["original_texts"] == (5 if group == GENUINE else 1)
    assert people["share_of_copies"] == pytest.approx(0.8 if group == GENUINE else 1.0, abs=0.01)
    assert people["share_of_one_author"] == pytest.approx(0.04 if group == GENUINE else 0.0, abs=0.01)
    assert people["share_of_one_domain"] == 0
