"""Parcels: what was added comes out once, in its partition, in order, in records of a bounded size."""

from __future__ import annotations

import msgspec
import pytest

from ingest.signal import encode
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import NOWHERE, StoryInfo
from streams.records.story_activity import (
    Activity,
    MergeIn,
    MergeOut,
    Merging,
    RawEntry,
    StorySignals,
    WatermarkAdvance,
    decode_activities,
)
from streams.resolve.batches import ENOUGH_BYTES, Parcels
from tests.streams.examples.activity import START_MS, seen, story
from transport.partitioning import partition_of

PARTITIONS = 3
MARK = SourceWatermark(1, 4, 0)


def entry(offset: int, words: int = 1) -> RawEntry:
    signal = msgspec.structs.replace(seen("reddit", offset, START_MS + offset), text="word " * words)
    return RawEntry(offset, START_MS + offset, msgspec.Raw(encode(signal)))


def told(parcels: Parcels) -> dict[int, list[Activity]]:
    """Return what each partition is told, in order."""
    heard: dict[int, list[Activity]] = {target: [] for target in range(PARTITIONS)}
    for target, record in parcels.records():
        heard[target] += decode_activities(record)
    return heard


def home(info: StoryInfo) -> int:
    return partition_of(info.id.encode(), PARTITIONS)


def test_each_story_goes_to_its_partition_and_the_mark_comes_last_to_all() -> None:
    parcels = Parcels(PARTITIONS)
    for number in range(12):
        parcels.add_story(story(number), [entry(number)], low=5, mark=MARK, redirected=number == 3)
    parcels.add_mark(SourceWatermark(1, 4, START_MS + 99))
    heard = told(parcels)
    assert sum(1 for _ in parcels.records()) == PARTITIONS, "one record each"
    for target, activities in heard.items():
        *others, last = activities
        parts = [part for part in others if isinstance(part, StorySignals)]
        assert len(parts) == len(others)
        numbers = [number for number in range(12) if home(story(number)) == target]
        assert [part.story for part in parts] == [story(number) for number in numbers]
        assert [part.entries[0].offset for part in parts] == numbers
        assert [part.redirected for part in parts] == [number == 3 for number in numbers]
        assert {part.low for part in parts} <= {5}
        assert last == WatermarkAdvance(SourceWatermark(1, 4, START_MS + 99))


def test_both_stories_of_a_merge_hear_of_it_and_nowhere_hears_nothing() -> None:
    parcels = Parcels(PARTITIONS)
    merging = Merging(START_MS, 1, 0, gone=story(0), into=story(1))
    blocked = Merging(START_MS, 2, 0, gone=story(2), into=StoryInfo(NOWHERE, "", "", "beat", 0))
    parcels.add_merge(merging, MARK)
    parcels.add_merge(blocked, MARK)
    heard = [(target, part) for target, parts in told(parcels).items() for part in parts]
    assert sorted(heard, key=str) == sorted(
        [
            (home(story(0)), MergeOut(MARK, merging)),
            (home(story(1)), MergeIn(MARK, merging)),
            (home(story(2)), MergeOut(MARK, blocked)),
        ],
        key=str,
    )


@pytest.mark.parametrize("words", [1, 10_000, 19_000])
def test_large_signals_are_cut_into_records_of_a_bounded_size_and_low_comes_with_the_last(words: int) -> None:
    parcels = Parcels(PARTITIONS)
    parcels.add_story(story(0), [entry(number, words) for number in range(40)], low=7, mark=MARK)
    records = [record for _, record in parcels.records()]
    assert max(map(len, records)) < ENOUGH_BYTES + 20_000, "and what stands around the signals"
    parts = [part for part in told(parcels)[home(story(0))] if isinstance(part, StorySignals)]
    assert [one.offset for part in parts for one in part.entries] == list(range(40))
    assert [part.low for part in parts] == [0] * (len(parts) - 1) + [7]
    assert (len(records) > 1) == (words > 1)


def test_nothing_added_is_no_record() -> None:
    assert list(Parcels(PARTITIONS).records()) == []


def test_a_record_of_one_part_alone_is_read_too() -> None:
    assert decode_activities(msgspec.json.encode(WatermarkAdvance(MARK))) == (WatermarkAdvance(MARK),)
