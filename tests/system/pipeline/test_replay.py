"""A recording through resolve and score, as real processes, on each kind of broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.score import changelog
from tests.conftest import Broker
from tests.system.pipeline.house import House, comparable, house, scored_by_hand, write_recording
from tests.system.pipeline.recording import SUBJECTS, make
from transport.fencing import FENCING_KEY

pytestmark = [pytest.mark.broker, pytest.mark.slow]


async def test_scores_are_those_of_the_plain_set_of_signals(broker: Broker, tmp_path: Path) -> None:
    signals = make()
    recording = write_recording(tmp_path / "r.ndjson", signals)
    async with house(broker) as it:
        await it.replay(recording)
        scores, threads = await it.scores(), await it.threads()
        by_hand = scored_by_hand(signals, threads, signals[-1].observed_ms)
        assert {story: item.noise for story, item in scores.items()} == pytest.approx(by_hand, abs=1e-9)
        assert {item.scored_ms for item in scores.values()} == {signals[-1].observed_ms}
        # Both wordings of a subject are one story, and no two subjects share one.
        subjects = [[s.thread for s in signals if f":s{n}p" in s.id] for n in range(len(SUBJECTS))]
        stories = [set(map(threads.current_stories, threads_of)) for threads_of in subjects]
        assert [len(found) for found in stories] == [1] * len(SUBJECTS)
        assert len(set().union(*stories)) == len(SUBJECTS)

        # A single writer of a log writes its fencing record first, and only then reads the log.
        assert await it.first_keys("stories") == await it.first_keys(changelog.TOPIC) == {FENCING_KEY}

        # Again, from the beginning: nothing is counted twice.
        await it.replay(recording)
        assert comparable(await it.scores()) == comparable(scores)
        await everything_is_accounted_for(it, 2 * len(signals))


async def everything_is_accounted_for(it: House, published: int) -> None:
    counts = await it.metrics("resolve")
    read = counts["hubbub_records_read_total"]
    assert read == published
    done = ("hubbub_records_used_total", "hubbub_records_ignored_total", "hubbub_dead_letters_total")
    assert sum(counts.get(metric, 0) for metric in done) == read


async def test_three_workers_find_the_same_stories_and_scores_as_one(broker: Broker, tmp_path: Path) -> None:
    signals = make(3)
    recording = write_recording(tmp_path / "r.ndjson", signals)
    async with house(broker, prefix="one-") as one:
        await one.replay(recording)
        alone = comparable(await one.scores())
    async with house(broker, roles=("resolve",) * 3 + ("score",) * 2, prefix="three-") as three:
        await three.replay(recording)
        assert comparable(await three.scores()) == alone
