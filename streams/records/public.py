"""The records that serve reads: noise scores and noise events, decoded strictly.

Owns the reader's view of the topics ``noise-scores`` and ``noise-events`` (CONTRACT: fields may be added, so unknown
ones are let pass, and the bytes as they came are what the API hands on). Must never know how a score is made, nor what
is done with it. Every string in here may come from a stranger. All times are UTC epoch milliseconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

__all__ = [
    "BANDS",
    "EVENT_TYPES",
    "FACTORS",
    "STATES",
    "Band",
    "EventType",
    "Factors",
    "InvalidRecordError",
    "NoiseEvent",
    "NoiseScore",
    "PlatformShare",
    "Post",
    "SkipReason",
    "State",
    "decode_event",
    "decode_score",
]

Band = Literal["whisper", "murmur", "buzz", "clamor", "uproar"]
BANDS: tuple[Band, ...] = ("whisper", "murmur", "buzz", "clamor", "uproar")
"""From quiet to loud."""

State = Literal["trending", "spike", "controversy", "scandal", "resolved"]
STATES: tuple[State, ...] = ("trending", "spike", "controversy", "scandal", "resolved")
"""In the order of a story's life."""

EventType = Literal["new_story", "noise_update", "state_change", "spike", "spike_over", "merged", "resolved"]
EVENT_TYPES: tuple[EventType, ...] = (
    "new_story",
    "noise_update",
    "state_change",
    "spike",
    "spike_over",
    "merged",
    "resolved",
)

MAX_RECORD_BYTES = 1_048_576
"""A larger record is refused before it is parsed; Kafka's own default limit on a record is the same."""

T = TypeVar("T")

Points = Annotated[float, Meta(ge=0, le=100)]
Id = Annotated[str, Meta(min_length=1, max_length=256)]
Millis = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]
Amount = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, le=1e24)]
"""What a story adds up to may be more than any one count can be."""


class SkipReason(StrEnum):
    """Why a record is skipped. A closed list: each value is a metric label."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    WRONG_KEY = "wrong_key"


class InvalidRecordError(ValueError):
    """A record that breaks the contract of its topic. ``detail`` is for the person who mends the producer."""

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Factors(msgspec.Struct, frozen=True, gc=False):
    """The seven factors of a score, each 0 to 100."""

    reach: Points
    engagement: Points
    star_power: Points
    duration: Points
    cross_platform: Points
    polarity: Points
    industry_impact: Points


FACTORS: tuple[str, ...] = Factors.__struct_fields__


class PlatformShare(msgspec.Struct, frozen=True, gc=False):
    """What one platform has of a story: ``items`` posts and replies, with ``interactions`` in all."""

    items: Amount = 0
    interactions: Amount = 0


class Post(msgspec.Struct, frozen=True, gc=False):
    """One of the loudest posts of a story."""

    id: str
    platform: str
    title: str | None = None
    permalink: str | None = None
    interactions: Amount = 0


class NoiseScore(msgspec.Struct, frozen=True, kw_only=True):
    """How loud a story is at ``scored_ms``.

    ``noise`` = ``raw``·``decay``; ``previous``: the noise last emitted. ``windows`` and ``inputs`` are what the score
    was made from, by window and by factor, for people to read: free in form.
    """

    v: Literal[1] = 1
    story: Id
    slug: Annotated[str, Meta(max_length=512)]
    title: str
    beat: str
    category: str | None = None
    noise: Points
    previous: Points | None = None
    band: Band
    state: State
    raw: Points
    decay: Annotated[float, Meta(ge=0, le=1)]
    factors: Factors
    velocity_per_hour: Amount = 0
    windows: dict[str, dict[str, object]] = {}
    platforms: dict[str, PlatformShare] = {}
    figures: list[str] = []
    top: list[Post] = []
    inputs: dict[str, object] = {}
    first_seen_ms: Millis
    last_coverage_ms: Millis
    scored_ms: Millis


class NoiseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a story. Which fields are set depends on ``type``."""

    v: Literal[1] = 1
    type: EventType
    story: Id
    slug: Annotated[str, Meta(max_length=512)] = ""
    at_ms: Millis
    noise: Points | None = None
    into: Id | None = None


_score = msgspec.json.Decoder(NoiseScore)
_event = msgspec.json.Decoder(NoiseEvent)


def decode_score(key: bytes | None, value: bytes) -> NoiseScore:
    """Decode one record of ``noise-scores``.

    Raises:
        InvalidRecordError: it is no NoiseScore, or its key is not the id of its story.
    """
    score = _decode(_score, value)
    _check_key(key, score.story)
    return score


def decode_event(key: bytes | None, value: bytes) -> NoiseEvent:
    """Decode one record of ``noise-events``.

    Raises:
        InvalidRecordError: it is no NoiseEvent, or its key is not the id of its story.
    """
    event = _decode(_event, value)
    _check_key(key, event.story)
    return event


def _decode(decoder: msgspec.json.Decoder[T], value: bytes) -> T:
    if len(value) > MAX_RECORD_BYTES:
        raise InvalidRecordError(SkipReason.TOO_LARGE, f"{len(value)} bytes; at most {MAX_RECORD_BYTES} are taken")
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        raise InvalidRecordError(SkipReason.WRONG_SHAPE, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError(SkipReason.NOT_JSON, str(error)) from None


def _check_key(key: bytes | None, story: str) -> None:
    if key != story.encode():
        raise InvalidRecordError(SkipReason.WRONG_KEY, f"the key {key!r} is not the story {story!r}")
