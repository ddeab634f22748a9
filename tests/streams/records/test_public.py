"""Scores and events: every field keeps its place in the bytes, and each type of event has one form.

``earlier_public.ndjson`` was written by the code in which the writer built its records as plain dicts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams.records.noise_event import EVENT_TYPES, decode_event, encode_event
from streams.records.noise_score import decode_score, encode_score
from streams.records.strict import InvalidRecordError, SkipReason

RECORDS = (Path(__file__).parent / "earlier_public.ndjson").read_bytes().splitlines()
EVENTS = {msgspec.json.decode(record)["type"]: record for record in RECORDS if b'"type":' in record}
(SCORE,) = (record for record in RECORDS if b'"type":' not in record)


def story_of(record: bytes) -> bytes:
    return str(msgspec.json.decode(record)["story"]).encode()


def test_a_score_keeps_its_fields_in_their_order() -> None:
    """A reader does not know the fields within ``windows``, so it writes them sorted."""
    written = msgspec.json.decode(encode_score(decode_score(story_of(SCORE), SCORE)))
    assert written == msgspec.json.decode(SCORE)
    assert list(written) == list(msgspec.json.decode(SCORE)) == sorted(written)


def test_what_is_unknown_is_written_as_null() -> None:
    unknown = msgspec.structs.replace(decode_score(story_of(SCORE), SCORE), category=None, previous=None)
    assert {b'"category":null', b'"previous":null'} <= set(encode_score(unknown).split(b","))


@pytest.mark.parametrize("type_", EVENT_TYPES)
def test_an_event_is_written_byte_for_byte_as_it_was_read(type_: str) -> None:
    record = EVENTS[type_]
    event = decode_event(story_of(record), record)
    assert event.type == type_
    assert encode_event(event) == record


def test_an_event_of_an_unknown_type_is_skipped_with_its_reason() -> None:
    with pytest.raises(InvalidRecordError) as caught:
        decode_event(b"st_a", b'{"at_ms":1,"story":"st_a","type":"unheard_of","v":1}')
    assert caught.value.reason is SkipReason.WRONG_SHAPE
