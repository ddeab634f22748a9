"""A signal is passed on as the bytes it came in, unless the next stage could not read what it is nested in."""

from __future__ import annotations

import msgspec
import pytest

from ingest.signal import decode
from streams.records import encode
from streams.records.source_watermark import SourceWatermark
from streams.records.story_activity import Activity, RawEntry, RawStorySignals, StorySignals, decode_activities
from streams.resolve.sources import MAX_BRACKETS, _passed_on
from tests.streams.examples.activity import seen, story

STACK = 100
"""Calls deep that the next stage reads from, more than it ever does: the limit is Python's, of both together."""


def from_within(depth: int, record: bytes) -> tuple[Activity, ...]:
    return from_within(depth - 1, record) if depth else decode_activities(record)


@pytest.mark.parametrize(
    ("brackets", "kept"),
    [(3, True), (MAX_BRACKETS - 10, True), (MAX_BRACKETS + 1, False), (3 * MAX_BRACKETS // 2, False)],
)
def test_what_is_passed_on_can_be_read_inside_another_record(brackets: int, kept: bool) -> None:
    plain = encode(seen("reddit", 1, 1_704_000_000_000))
    nested = plain[:-1] + b', "own": ' + b"[" * brackets + b"]" * brackets + b"}"
    signal = decode(nested)
    passed = _passed_on(nested, signal)
    assert (passed == nested) is kept
    entry = RawEntry(0, 0, msgspec.Raw(passed))
    record = encode(RawStorySignals(SourceWatermark(0, 1, 0), 0, story(0), [entry]))
    (activity,) = from_within(STACK, b"[" + record + b"]")
    assert isinstance(activity, StorySignals)
    assert activity.entries[0].signal == signal
