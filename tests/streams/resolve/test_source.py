"""One source: what it passes on can be read inside another record, and what is not a signal becomes a dead letter."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ingest.signal import decode, encode
from streams.records import encode as encode_record
from streams.records.candidates import decode_candidate
from streams.records.source_watermark import SourceWatermark
from streams.records.story_activity import Activity, RawEntry, RawStorySignals, StorySignals, decode_activities
from streams.resolve.config import ResolveConfig
from streams.resolve.memory import Memory
from streams.resolve.source import MAX_BRACKETS, MAX_LEAD_MS, Source, SourceContext, _forwardable
from streams.runtime.clock import Clock
from tests.streams.examples.activity import seen, story
from tests.streams.examples.signals import START_MS, root
from transport.dead_letter import MAX_CARRIED_BYTES, decode_dead_letter

STACK_DEPTH = 100
"""Calls below which the next stage decodes, more than it ever has: Python limits calls and nesting together."""


class NoTopic:
    """Stands for the readers of a memory that reads nothing."""


def make_source() -> Source:
    no_topic: Any = NoTopic()
    context = SourceContext(
        Memory(no_topic, no_topic, lambda: 0.0),
        lambda _: ("beat",),
        ResolveConfig(),
        Clock(lambda: START_MS + 1_000, lambda: 0.0),
        sources=1,
        partitions=1,
    )
    return Source(0, 0, context)


def record(offset: int, value: bytes | None, timestamp: int = START_MS) -> Any:
    return SimpleNamespace(topic="signals", partition=0, offset=offset, value=value, timestamp=timestamp, headers=())


def decode_at_depth(depth: int, value: bytes) -> tuple[Activity, ...]:
    return decode_at_depth(depth - 1, value) if depth else decode_activities(value)


@pytest.mark.parametrize(
    ("brackets", "is_kept"),
    [(3, True), (MAX_BRACKETS - 10, True), (MAX_BRACKETS + 1, False), (3 * MAX_BRACKETS // 2, False)],
)
def test_a_forwarded_signal_can_be_read_inside_another_record(brackets: int, is_kept: bool) -> None:
    plain = encode(seen("reddit", 1, 1_704_000_000_000))
    nested = plain[:-1] + b', "own": ' + b"[" * brackets + b"]" * brackets + b"}"
    signal = decode(nested)
    forwarded = _forwardable(nested, signal)
    assert (forwarded == nested) is is_kept
    entry = RawEntry(0, 0, msgspec.Raw(forwarded))
    activity = encode_record(RawStorySignals(SourceWatermark(0, 1, 0), 0, story(0), [entry]))
    (decoded,) = decode_at_depth(STACK_DEPTH, b"[" + activity + b"]")
    assert isinstance(decoded, StorySignals)
    assert decoded.entries[0].signal == signal


def test_a_candidate_carries_the_post_as_the_bytes_it_came_in() -> None:
    source, post = make_source(), root("x:a", 0)
    raw = encode(post)[:-1] + b',"unknown":[1]}'
    assert source.read([record(0, raw)]) == []
    outgoing = [one for one in source.output(0.0, idle=False, heartbeat=False) if one.topic == "candidates"]
    candidate, mark = [one.value or b"" for one in outgoing]
    assert raw in candidate
    assert decode_candidate(candidate).signal == post
    assert decode_candidate(mark).signal is None


@pytest.mark.parametrize("size", [0, 1, 1_000, MAX_CARRIED_BYTES, MAX_CARRIED_BYTES + 1, 3_000_000, 20_000_000])
def test_a_dead_letter_is_bounded_and_describes_the_whole_original(size: int) -> None:
    source, original = make_source(), b"A" * size
    (outgoing,) = source.read([record(7, original)])
    assert (outgoing.topic, outgoing.key) == ("dead-letters", b"resolve")
    assert len(outgoing.value or b"") < 400_000
    letter = decode_dead_letter(outgoing.value or b"")
    assert (letter.topic, letter.partition, letter.offset) == ("signals", 0, 7)
    assert (letter.original_bytes, letter.truncated) == (size, size > MAX_CARRIED_BYTES)
    assert letter.original_sha256 == hashlib.sha256(original).hexdigest()
    assert source.router.position == 8, "the source goes on after it"


def test_the_timestamp_of_a_record_counts_only_up_to_the_likely_present() -> None:
    source = make_source()
    late = encode_record({**msgspec.to_builtins(root("x:a", 0)), "observed_ms": START_MS + 10 * 86_400_000})
    (outgoing,) = source.read([record(0, late, timestamp=START_MS + 20 * 86_400_000)])
    assert decode_dead_letter(outgoing.value or b"").reason == "bad_time"


def test_a_record_from_ahead_of_the_clock_is_used_and_moves_event_time_by_a_bounded_lead() -> None:
    source = make_source()
    now_ms = START_MS + 1_000
    times_ms = [0, 57 * 60_000, 2_000, 57 * 60_000]
    posts = [root(f"x:{number}", at_ms) for number, at_ms in enumerate(times_ms)]
    assert source.read([record(n, encode(one), one.observed_ms) for n, one in enumerate(posts)]) == []
    outgoing = [one for one in source.output(0.0, idle=True, heartbeat=False) if one.topic == "candidates"]
    sent = [decode_candidate(one.value or b"") for one in outgoing]
    assert [one.signal for one in sent[:-1]] == posts
    assert [one.at_ms for one in sent[:-1]] == [START_MS, *[now_ms + MAX_LEAD_MS] * 3]
    assert sent[-1].mark.mark_ms == now_ms + MAX_LEAD_MS


def test_a_clock_that_was_set_back_does_not_set_event_time_back() -> None:
    source = make_source()
    source.router.stream_ms = ahead_ms = START_MS + 10 * MAX_LEAD_MS
    post = root("x:a", 11 * MAX_LEAD_MS)
    assert source.read([record(0, encode(post), post.observed_ms)]) == []
    assert source.router.stream_ms == ahead_ms


def test_an_unexpected_error_names_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source()
    monkeypatch.setattr(source.router, "read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        source.read([record(3, encode(root("x:a", 0)))])
    assert "offset 3" in caught.value.__notes__[0]
