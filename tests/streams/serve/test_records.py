"""Decoding scores and events: what the contract allows, and a reason for everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.records.strict import InvalidRecordError, SkipReason
from tests.streams.serve.newsroom import encoded, event_record, score_record


def test_the_golden_record_of_the_contract() -> None:
    score = decode_score(*encoded(score_record()))
    assert (score.noise, score.band, score.state, score.factors.engagement) == (39.5, "murmur", "trending", 83.0)
    assert score.platforms["reddit"].interactions == 5120


def test_fields_may_be_added() -> None:
    record = score_record(added={"deep": [1, {"x": None}]}, top=[{"id": "a:1", "platform": "a", "new": 1}])
    assert decode_score(*encoded(record)).top[0].title is None
    assert decode_event(*encoded(event_record("spike", evidence={"counts": [1]}, added=1))).type == "spike"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"noise": 100.01}, SkipReason.WRONG_SHAPE),
        ({"noise": -1}, SkipReason.WRONG_SHAPE),
        ({"noise": None}, SkipReason.WRONG_SHAPE),
        ({"noise": "39"}, SkipReason.WRONG_SHAPE),
        ({"noise": float("nan")}, SkipReason.NOT_JSON),
        ({"velocity_per_hour": float("inf")}, SkipReason.NOT_JSON),
        ({"band": "loud"}, SkipReason.WRONG_SHAPE),
        ({"state": "Emerging"}, SkipReason.WRONG_SHAPE),
        ({"factors": {"reach": 1}}, SkipReason.WRONG_SHAPE),
        ({"scored_ms": 1.7e15}, SkipReason.WRONG_SHAPE),
        ({"top": ["javascript:alert(1)"]}, SkipReason.WRONG_SHAPE),
        ({"v": 2}, SkipReason.WRONG_SHAPE),
        ({"added": "x" * 1_100_000}, SkipReason.TOO_LARGE),
    ],
)
def test_an_invalid_score_is_refused_with_its_reason(changed: dict[str, Any], reason: SkipReason) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        decode_score(*encoded(score_record(**changed)))
    assert caught.value.reason is reason


def test_a_record_with_the_key_of_another_story_is_refused() -> None:
    _, value = encoded(score_record("st_1"))
    for key in (b"st_2", None, b""):
        with pytest.raises(InvalidRecordError) as caught:
            decode_score(key, value)
        assert caught.value.reason is SkipReason.WRONG_KEY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(score_record())), value=JSON)
def test_any_value_of_a_field_gives_a_score_or_a_reason(field: str, value: object) -> None:
    try:
        score = decode_score(*encoded({**score_record(), field: value, "story": "st_1"}))
    except InvalidRecordError:
        return
    assert 0 <= score.noise <= 100


@given(
    cut=st.integers(0, 800),
    junk=st.binary(max_size=20),
    record=st.sampled_from([score_record(), event_record("spike")]),
)
def test_broken_bytes_give_a_score_or_a_reason(cut: int, junk: bytes, record: dict[str, object]) -> None:
    value = json.dumps(record).encode()
    for decode in (decode_score, decode_event):
        try:
            decode(b"st_1", value[:cut] + junk + value[cut + len(junk) :])
        except InvalidRecordError as error:
            assert error.reason in SkipReason  # noqa: PT017 (either way is right)


def test_deep_nesting_is_refused_or_accepted_but_never_crashes() -> None:
    value = json.dumps(score_record())[:-1] + ', "added": ' + "[" * 200_000 + "]" * 200_000 + "}"
    with pytest.raises(InvalidRecordError):
        decode_score(b"st_1", value.encode())
