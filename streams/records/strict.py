"""Strict decoding of records that other programs may write: a record of the contract, or a reason why it is none.

Owns the reasons and the bounds of numbers. Fields may be added to a record, so unknown ones are ignored.
"""

from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Meta

from ingest.signal import LATEST_MS
from transport.errors import NeverRetryError

MAX_RECORD_BYTES = 1_048_576
"""A larger record is refused before it is parsed. Kafka's default limit on a record is the same."""

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Slug = Annotated[str, Meta(max_length=512)]
Millis = Annotated[int, Meta(ge=0, le=LATEST_MS)]
Amount = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, le=1e24)]
"""The sums of a story may be larger than any one count."""


class SkipReason(StrEnum):
    """Why a record is skipped. A closed list: each value is a metric label."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    WRONG_KEY = "wrong_key"


class InvalidRecordError(NeverRetryError, ValueError):
    """A record breaks the contract of its topic. ``detail`` is for the person who fixes its producer."""

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _OfStory(Protocol):
    @property
    def story(self) -> str: ...


T = TypeVar("T", bound=_OfStory)


def decode(decoder: msgspec.json.Decoder[T], key: bytes | None, value: bytes) -> T:
    """Decode a record.

    Raises:
        InvalidRecordError: it is too large, not JSON, or not of the decoder's shape, or ``key`` is not its story's id.
    """
    if len(value) > MAX_RECORD_BYTES:
        raise InvalidRecordError(SkipReason.TOO_LARGE, f"{len(value)} bytes; the limit is {MAX_RECORD_BYTES}")
    try:
        record = decoder.decode(value)
    except msgspec.ValidationError as error:
        raise InvalidRecordError(SkipReason.WRONG_SHAPE, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError(SkipReason.NOT_JSON, str(error)) from None
    if key != record.story.encode():
        raise InvalidRecordError(SkipReason.WRONG_KEY, f"the key {key!r} is not the story {record.story!r}")
    return record
