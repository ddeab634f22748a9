"""Activity batches: each part comes out once, in its partition, in order, in records of a bounded size."""

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
from streams.resolve.batches import MAX_BATCH_BYTES, ActivityBatch
from tests.streams.examples.activity import START_MS, seen, story
from transport.partitioning import partition_of

PARTITIONS = 3
MARK = SourceWatermark(1, 4, 0)


def entry(offset: int, words: int = 1) -> RawEntry:
    signal = msgspec.structs.replace(seen("reddit", offset, START_MS + offset), text="word " * words)
    return RawEntry(offset, START_MS + offset, msgspec.Raw(encode(signal)))


def parts_of(batch: ActivityBatch) -> dict[int, list[Activity]]:
    """Return the parts of each partition, in order."""
    parts: dict[int, list[Activity]] = {partition: [] for partition in range(PARTITIONS)}
    for partition, record in batch.records():
        parts[partition] += decode_activities(record)
    return parts


def partition_for(info: StoryInfo) -> int:
    return partition_of(info.id.encode(), PARTITIONS)


def test_each_story_goes_to_its_partition_and_the_watermark_comes_last_in_all() -> None:
    batch = ActivityBatch(PARTITIONS)
    for number in range(12):
        batch.add_story(story(number), [entry(number)], low=5, mark=MARK, redirected=number == 3)
    batch.add_mark(SourceWatermark(1, 4, START_MS + 99))
    received = parts_of(batch)
    assert sum(1 for _ in batch.records()) == PARTITIONS, "one record each"
    for partition, activities in received.items():
        *others, last = activities
        parts = [part for part in others if isinstance(part, StorySignals)]
        assert len(parts) == len(others)
        numbers = [number for number in range(12) if partition_for(story(number)) == partition]
        assert [part.story for part in parts] == [story(number) for number in numbers]
        assert [part.entries[0].offset for part in parts] == numbers
        assert [part.redirected for part in parts] == [number == 3 for number in numbers]
        assert {part.low for part in parts} <= {5}
        assert last == WatermarkAdvance(SourceWatermark(1, 4, START_MS + 99))


def test_both_stories_of_a_merge_get_it_and_a_blocked_story_gets_it_alone() -> None:
    batch = ActivityBatch(PARTITIONS)
    merging = Merging(START_MS, 1, 0, gone=story(0), into=story(1))
    blocked = Merging(START_MS, 2, 0, gone=story(2), into=StoryInfo(NOWHERE, "", "", "beat", 0))
    batch.add_merge(merging, MARK)
    batch.add_merge(blocked, MARK)
    received = [(partition, part) for partition, parts in parts_of(batch).items() for part in parts]
    expected = [
        (partition_for(story(0)), MergeOut(MARK, merging)),
        (partition_for(story(1)), MergeIn(MARK, merging)),
        (partition_for(story(2)), MergeOut(MARK, blocked)),
    ]
    assert sorted(received, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("words", [1, 10_000, 19_000])
def test_large_stories_are_split_into_bounded_records_and_low_comes_with_the_last(words: int) -> None:
    batch = ActivityBatch(PARTITIONS)
    batch.add_story(story(0), [entry(number, words) for number in range(40)], low=7, mark=MARK)
    records = [record for _, record in batch.records()]
    assert max(map(len, records)) < MAX_BATCH_BYTES + 20_000, "plus the fields around the signals"
    parts = [part for part in parts_of(batch)[partition_for(story(0))] if isinstance(part, StorySignals)]
    assert [one.offset for part in parts for one in part.entries] == list(range(40))
    assert [part.low for part in parts] == [0] * (len(parts) - 1) + [7]
    assert (len(records) > 1) == (words > 1)


def test_an_empty_batch_has_no_records() -> None:
    assert list(ActivityBatch(PARTITIONS).records()) == []


def test_a_record_of_one_bare_part_can_be_read() -> None:
    assert decode_activities(msgspec.json.encode(WatermarkAdvance(MARK))) == (WatermarkAdvance(MARK),)
