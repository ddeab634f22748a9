"""Dead letters: bounded for an original of any size, and readable in the form of earlier versions."""

from __future__ import annotations

import msgspec
import pytest

from transport.dead_letter import MAX_CARRIED_BYTES, decode_dead_letter, encode_dead_letter

WORST_TEXT = "\x00" * 5_000
"""A NUL takes six bytes in JSON, the most that any character takes."""


def encoded(original: bytes) -> bytes:
    return encode_dead_letter(
        stage="resolve",
        reason="not_json",
        detail=WORST_TEXT,
        topic="signals",
        partition=3,
        offset=7,
        at_ms=1,
        original=original,
    )


@pytest.mark.parametrize("size", [0, 1, MAX_CARRIED_BYTES])
def test_an_original_that_fits_is_carried_whole(size: int) -> None:
    original = b"\xff" * size
    letter = decode_dead_letter(encoded(original))
    assert (letter.original, letter.original_bytes, letter.truncated) == (original, size, False)
    assert letter.is_original(original)


@pytest.mark.parametrize("size", [MAX_CARRIED_BYTES + 1, 20_000_000])
def test_a_larger_original_is_carried_in_part_and_recognised_by_its_hash(size: int) -> None:
    original = b"ab" * (size // 2) + b"c" * (size % 2)
    record = encoded(original)
    assert len(record) < 400_000
    letter = decode_dead_letter(record)
    assert (letter.original, letter.original_bytes, letter.truncated) == (None, size, True)
    assert letter.carried == original[:MAX_CARRIED_BYTES]
    assert (letter.topic, letter.partition, letter.offset) == ("signals", 3, 7)
    assert letter.is_original(original)
    assert not letter.is_original(original[:-1] + b"?")
    assert not letter.is_original(letter.carried)


@pytest.mark.parametrize(
    ("record", "topic", "collector"),
    [
        (
            b'{"v":1,"stage":"resolve","reason":"not_json","detail":"d","topic":"signals","partition":0,"offset":5,'
            b'"collector":null,"at_ms":1,"original_b64":"eA=="}',
            "signals",
            None,
        ),
        (
            b'{"v":1,"stage":"collect","collector":"reddit","reason":"bad_id","detail":"d","topic":null,'
            b'"partition":null,"offset":null,"at_ms":1,"original_b64":"eA=="}',
            None,
            "reddit",
        ),
    ],
    ids=["of a stream", "of a collector"],
)
def test_letters_of_earlier_versions_are_read(record: bytes, topic: str | None, collector: str | None) -> None:
    letter = decode_dead_letter(record)
    assert (letter.topic, letter.collector, letter.original) == (topic, collector, b"x")
    assert letter.is_original(b"x")
    assert not letter.is_original(b"y")


def test_every_field_is_written_also_when_it_is_null() -> None:
    record = encode_dead_letter(
        stage="collect", reason="bad_id", detail="d", at_ms=1, original=b"x", collector="reddit"
    )
    assert list(msgspec.json.decode(record)) == [
        *("v", "stage", "reason", "detail", "topic", "partition", "offset", "collector", "at_ms"),
        *("original_b64", "original_bytes", "original_sha256", "truncated"),
    ]
