"""Records in the bytes that earlier versions wrote, and in ours: both are read, and ours are read by earlier versions.

``earlier.tsv`` was written by the code before records had tags, a record a line with its name before it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ingest.signal import Counts, Signal
from streams.records import encode
from streams.records.candidates import Candidate, decode_candidate
from streams.records.progress import Progress, PublishProgress, ResolveProgress, ScoreProgress, decode_progress
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import (
    Assignment,
    Lesson,
    Merge,
    Moved,
    OperatorCommand,
    Reached,
    StoriesRecord,
    StoryInfo,
    ThreadRecord,
    decode_stories,
)
from streams.records.story_activity import (
    Activity,
    Entry,
    ForwardedSignals,
    MergeIn,
    MergeOut,
    Merging,
    RawEntry,
    RawStorySignals,
    StorySignals,
    Transfer,
    TransferArrival,
    WatermarkAdvance,
    decode_activities,
)

EARLIER = dict(
    line.split("\t") for line in (Path(__file__).parent / "earlier.tsv").read_text(encoding="utf-8").splitlines()
)
SIGNAL = Signal(
    id="reddit:t3_a",
    kind="post",
    platform="reddit",
    thread="reddit:t3_a",
    title="A title",
    counts=Counts(likes=3),
    created_ms=1_767_225_600_900,
    observed_ms=1_767_225_601_000,
)
MARK = SourceWatermark(1, 4, 5_000, idle=True, settle="replay-1")
STORY = StoryInfo("st_a", "slug-a", "Title A", "ai", 800)
GONE = StoryInfo("st_b", "slug-b", "Title B", "ai", 700, into="st_a", merged_ms=1_000)
CREATED = StoryInfo("st_n", "slug-n", "N", "ai", 5)
MERGING = Merging(1_000, 7, 0, GONE, STORY)
ENTRIES = (Entry(18, 1_000, SIGNAL),)

ACTIVITIES: dict[str, Activity] = {
    "activity mark": WatermarkAdvance(MARK),
    "activity signals": StorySignals(MARK, 17, STORY, ENTRIES, redirected=True),
    "activity merge out": MergeOut(MARK, MERGING),
    "activity merge in": MergeIn(MARK, MERGING),
    "activity transfer": TransferArrival(Transfer(MERGING, b"state", ("st_c",))),
    "activity forwarded": ForwardedSignals(STORY, ENTRIES, 2),
}
CANDIDATES = {"candidate": Candidate(MARK, ("ai",), 1_000, SIGNAL), "candidate mark": Candidate(MARK)}
PROGRESS: dict[str, Progress] = {
    "progress publish": PublishProgress("replay-1", 5_000, 6_000, active=False, offsets={0: 3, 1: 20}),
    "progress resolve": ResolveProgress(
        "1",
        5_000,
        6_000,
        heard=("replay-1",),
        offsets={1: 20},
        counts={"read": 20, "used": 20},
        low=18,
        low_ms=1_000,
        committed=15,
        committed_ms=950,
    ),
    "progress score": ScoreProgress("1", 5_000, 6_000, settled="replay-1"),
}
STORIES: dict[str, tuple[bytes, StoriesRecord]] = {
    "story": (b"s:st_a", STORY),
    "story merged": (b"s:st_b", GONE),
    "story expired": (b"s:st_a", StoryInfo("st_a", "slug-a", "Title A", "ai", 800, forgotten_ms=9_000)),
    "decision": (
        b"t:reddit:t3_a",
        ThreadRecord(
            "reddit:t3_a",
            7,
            1_000,
            (Assignment("st_a", "ai", "new", msgspec.Raw(b'{"x":[1]}')),),
            (Merge("st_b", "st_a"),),
            "A title",
            (Lesson(msgspec.Raw(b"[2]"), STORY, "st_b"),),
        ),
    ),
    "decision none": (b"t:reddit:t3_a", ThreadRecord("reddit:t3_a", 7, 1_000, ())),
    "moved": (b"m:reddit:t3_a", Moved("reddit:t3_a", "st_a", 1_000)),
    "order merge": (b"o:merge:st_b", OperatorCommand("merge", "st_b", "st_a", given_ms=5)),
    "order pin": (
        b"o:pin:reddit:t3_a",
        OperatorCommand("pin", "reddit:t3_a", "st_n", found=CREATED, given_ms=5, features=msgspec.Raw(b"[3]")),
    ),
    "order rename": (b"o:rename:st_a", OperatorCommand("rename", "st_a", title="Another", given_ms=5)),
    "order block": (b"o:block:st_a", OperatorCommand("block", "st_a", given_ms=5)),
    "reached": (b"decided", Reached(5_000)),
}


def test_every_earlier_record_has_a_test() -> None:
    assert EARLIER.keys() == {*ACTIVITIES, *CANDIDATES, *PROGRESS, *STORIES, "activity array"}


@pytest.mark.parametrize("name", ACTIVITIES)
def test_an_activity_is_read_with_and_without_its_tag(name: str) -> None:
    activity = ACTIVITIES[name]
    assert decode_activities(EARLIER[name].encode()) == (activity,)
    assert decode_activities(encode(activity)) == (activity,)


def test_several_activities_in_one_record_are_read() -> None:
    expected = (StorySignals(MARK, 17, STORY, ENTRIES), MergeOut(MARK, MERGING), WatermarkAdvance(MARK))
    assert decode_activities(EARLIER["activity array"].encode()) == expected
    assert decode_activities(encode(list(expected))) == expected


def test_signals_that_are_passed_on_as_bytes_are_read() -> None:
    raw = RawStorySignals(MARK, 17, STORY, [RawEntry(18, 1_000, msgspec.Raw(encode(SIGNAL)))])
    assert decode_activities(encode(raw)) == (StorySignals(MARK, 17, STORY, ENTRIES),)


@pytest.mark.parametrize("name", ACTIVITIES)
def test_earlier_versions_find_the_fields_of_an_activity_where_they_look(name: str) -> None:
    """They ignore fields that they do not know, and have a default for each field but ``mark``."""
    earlier, ours = msgspec.json.decode(EARLIER[name]), msgspec.json.decode(encode(ACTIVITIES[name]))
    assert "mark" in ours
    assert _without_defaults(ours) == _without_defaults(earlier)


def _without_defaults(value: object) -> object:
    """Return ``value`` without tags, and without the fields of its maps that are null, zero, false or empty."""
    if isinstance(value, list):
        return [_without_defaults(one) for one in value]
    if not isinstance(value, dict):
        return value
    empty: tuple[object, ...] = (None, 0, "", [])
    return {name: _without_defaults(one) for name, one in value.items() if name != "type" and one not in empty}


@pytest.mark.parametrize(
    "record",
    [
        b"{}",
        b'{"mark":null}',
        b'{"type":"unheard_of","mark":{"source":0,"sources":1,"mark_ms":1}}',
        b'{"type":"merge_out","mark":{"source":0,"sources":1,"mark_ms":1}}',
        b'{"type":"mark","mark":{"source":-1,"sources":1,"mark_ms":1}}',
    ],
)
def test_an_activity_that_is_damaged_or_from_a_later_version_is_an_error(record: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_activities(record)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_is_read_as_earlier_versions_wrote_it(name: str) -> None:
    assert decode_candidate(EARLIER[name].encode()) == CANDIDATES[name]
    assert decode_candidate(encode(CANDIDATES[name])) == CANDIDATES[name]


@pytest.mark.parametrize("name", PROGRESS)
def test_progress_is_read_by_its_stage(name: str) -> None:
    assert decode_progress(EARLIER[name].encode()) == PROGRESS[name]
    assert decode_progress(encode(PROGRESS[name])) == PROGRESS[name]


@pytest.mark.parametrize("name", STORIES)
def test_a_record_of_stories_is_read_by_its_key_with_and_without_a_tag(name: str) -> None:
    key, record = STORIES[name]
    assert encode(decode_stories(key, EARLIER[name].encode())) == encode(record)
    assert encode(decode_stories(key, encode(record))) == encode(record)


def test_a_record_of_stories_under_the_key_of_another_kind_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="type"):
        decode_stories(b"m:reddit:t3_a", encode(STORIES["order pin"][1]))
    assert decode_stories(b"fence", b"{}") is None
