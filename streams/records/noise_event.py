"""The records of the topic ``noise-events``: what happened to a story.

Owns one form for each type of event, for the score stage that writes it and for everyone who reads it. Must never know
why something happens. Every string in it may be untrusted. All times are UTC epoch milliseconds.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec
from msgspec import field

from scoring import State
from scoring.composite import Points
from streams.records.strict import Amount, Id, Millis, Slug, decode


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all events have. Hubbub writes all fields of a type; a reader accepts an event that lacks some."""

    v: Literal[1] = 1
    story: Id
    slug: Slug = ""
    at_ms: Millis

    @property
    def type(self) -> str:
        """The type, one of ``EVENT_TYPES``."""
        return str(self.__struct_config__.tag)


class NewStory(_Event, frozen=True, kw_only=True, tag="new_story"):
    """A story has begun."""


class NoiseUpdate(_Event, frozen=True, kw_only=True, tag="noise_update"):
    """A story has a new score; ``previous``: the noise of the score before."""

    noise: Points | None = None
    previous: Points | None = None
    state: State | None = None


class StateChange(_Event, frozen=True, kw_only=True, tag="state_change"):
    """A story has changed its state; ``reason``: by which rule, in words."""

    from_: State | None = field(name="from", default=None)
    to: State | None = None
    noise: Points | None = None
    reason: str = ""


class SpikeStart(_Event, frozen=True, kw_only=True, tag="spike"):
    """A story's rate of coverage has risen above its baseline. ``evidence``: the numbers that show it, and posts."""

    velocity_per_hour: Amount | None = None
    expected_per_hour: Amount | None = None
    evidence: Mapping[str, object] = {}


class SpikeEnd(SpikeStart, frozen=True, kw_only=True, tag="spike_over"):
    """The rate of coverage is no longer above the baseline."""


class Merged(_Event, frozen=True, kw_only=True, tag="merged"):
    """A story was merged into another and has ended."""

    into: Id | None = None


class Resolved(_Event, frozen=True, kw_only=True, tag="resolved"):
    """A story has come to rest."""

    noise: Points | None = None


NoiseEvent = NewStory | NoiseUpdate | StateChange | SpikeStart | SpikeEnd | Merged | Resolved
EVENT_TYPES: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in get_args(NoiseEvent))

_decoder: msgspec.json.Decoder[NoiseEvent] = msgspec.json.Decoder(NoiseEvent)
encode_event = msgspec.json.Encoder(order="sorted").encode
"""Encode an event. Keys are sorted, so equal events are equal bytes."""


def decode_event(key: bytes | None, value: bytes) -> NoiseEvent:
    """Decode one record of ``noise-events``.

    Raises:
        InvalidRecordError: it is not an event, or its key is not the id of its story.
    """
    return decode(_decoder, key, value)
