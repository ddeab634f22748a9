"""A record is taken once and in order; states and offset of a changelog fit, wherever its reader stops."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records import encode
from streams.records.skipped import skipped_key, skipped_offsets
from streams.records.source_watermark import SourceWatermark
from streams.records.story_activity import WatermarkAdvance
from streams.score.assigned_partition import AssignedPartition, InputRecord, MissingInputError
from streams.score.changelog import CorruptOffsetError, RestoredPartition, records
from streams.score.config import ScoreConfig
from streams.score.scorer import PartitionScorer
from tests.streams.examples.activity import Unread

MARK = encode(WatermarkAdvance(SourceWatermark(0, 1, 1_000)))
BATCHES = st.lists(st.dictionaries(st.sampled_from(["st_a", "st_b", "st_c"]), st.one_of(st.none(), st.just(b""))))


def assigned(begin: int, skipped: Collection[int] = ()) -> AssignedPartition:
    config = ScoreConfig(keep_every_seconds=0, keep_every_behind_seconds=0)
    return AssignedPartition(3, begin, PartitionScorer({}, config, Unread()), skipped)


def record(offset: int, acknowledged: list[int]) -> InputRecord:
    return InputRecord(3, offset, 1, MARK, partial(acknowledged.append, offset))


def test_a_record_is_taken_in_order_and_once() -> None:
    one = assigned(7)
    acknowledged: list[int] = []
    for offset in (5, 6, 7, 7, 8, 6, 9):
        one.take(record(offset, acknowledged), 0.0)
    assert (one.next, one.applied) == (10, 7)
    for acknowledge in one.confirm(one.scorer.advance(0, 0.0)):
        acknowledge()
    assert (one.applied, acknowledged) == (10, [7, 8, 9])


def test_a_record_that_was_left_out_is_an_error() -> None:
    one = assigned(7)
    with pytest.raises(MissingInputError, match="partition 3 of story-activity: offset 7 was to come next, but 8 came"):
        one.take(record(8, []), 0.0)


def test_a_record_that_cannot_be_taken_is_named_and_passed_over_once_it_is_skipped() -> None:
    junk = record(7, [])._replace(value=b"junk")
    with pytest.raises(msgspec.DecodeError) as stopped:
        assigned(7).take(junk, 0.0)
    note = (
        "the record is at offset 7 of story-activity, partition 3; to go on without it: hubbub skip story-activity:3:7"
    )
    assert stopped.value.__notes__ == [note]

    remembered = RestoredPartition()
    remembered.apply(skipped_key("story-activity", 3, 7), b"")
    assert remembered.states == {}
    one = assigned(7, skipped_offsets(remembered.skipped, "story-activity", 3))
    acknowledged: list[int] = []
    for taken in (record(7, acknowledged)._replace(value=b"junk"), record(8, acknowledged)):
        one.take(taken, 0.0)
    for acknowledge in one.confirm(one.scorer.advance(0, 0.0)):
        acknowledge()
    assert (one.applied, acknowledged) == (9, [7, 8])


@given(BATCHES, st.data())
def test_wherever_the_changelog_ends_the_states_hold_what_the_offset_says(
    batches: list[dict[str, bytes | None]], data: st.DataObject
) -> None:
    """Batch n has the records from 10 n on; a state names its batch."""
    log, states = [], dict[str, int | None]()
    history = [dict(states)]
    for number, batch in enumerate(batches):
        written = {story: None if state is None else b"%d" % number for story, state in batch.items()}
        log += [SimpleNamespace(key=key, value=value) for key, value in records(written, 10 * number)]
        states |= {story: None if state is None else number for story, state in batch.items()}
        history.append(dict(states))
    remembered = RestoredPartition()
    for record in log[: data.draw(st.integers(0, len(log)))]:
        remembered.apply(record.key, record.value)
    known = (remembered.offset or 0) // 10
    for story, since in history[known].items():
        found = remembered.states.get(story.encode())
        ahead = batches[known].get(story, "") if known < len(batches) else ""
        assert found == (None if since is None else b"%d" % since) or (ahead != "" and found in (None, b"%d" % known))


@pytest.mark.parametrize("value", [None, b"", b"-1", b"many"])
def test_an_offset_that_is_not_a_number_is_an_error(value: bytes | None) -> None:
    with pytest.raises(CorruptOffsetError, match="which is no offset"):
        RestoredPartition().apply(b"offset", value)
