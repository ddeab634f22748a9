"""The changelog's offset record: it names the topics' incarnations, and its earlier form is still read."""

from __future__ import annotations

import pytest

from streams.score.changelog import OFFSET_KEY, CorruptOffsetError, RestoredPartition, records


@pytest.mark.parametrize("topic_ids", [(), ("dQw4w9WgXcQ", ""), ("one", "two")])
def test_an_offset_is_read_back_with_the_ids_it_was_written_with(topic_ids: tuple[str, ...]) -> None:
    restored = RestoredPartition()
    for key, value in records({"st_1": b"state", "st_2": None}, 17, topic_ids):
        restored.apply(key, value)
    assert (restored.offset, tuple(restored.topic_ids)) == (17, topic_ids)
    assert restored.states == {b"st_1": b"state"}


def test_an_offset_of_an_earlier_version_belongs_to_no_known_incarnation() -> None:
    restored = RestoredPartition()
    restored.apply(OFFSET_KEY, b"42")
    assert (restored.offset, list(restored.topic_ids)) == (42, [])


@pytest.mark.parametrize("value", [None, b"", b"x", b"-1", b" 3"])
def test_an_offset_that_is_no_number_is_an_error(value: bytes | None) -> None:
    with pytest.raises(CorruptOffsetError):
        RestoredPartition().apply(OFFSET_KEY, value)
