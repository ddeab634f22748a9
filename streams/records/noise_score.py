"""The record of the topic ``noise-scores``: how loud a story is.

Owns its fields, for the score stage that writes it and for everyone who reads it. Must never know how a score is
made, nor what is done with it. Every string in it may be untrusted. All times are UTC epoch milliseconds.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scoring import Band, Factors, State
from scoring.composite import Points
from streams.records.strict import Amount, Id, Millis, Slug, decode


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
    """How loud a story is at ``scored_ms``. Fields are in alphabetical order, which is their order on the wire.

    ``noise`` = ``raw``·``decay``. ``previous``: the noise of the last emitted score. ``windows`` and ``inputs`` are
    what the score was made from, by window and by factor. ``inputs`` also has ``people``: who speaks, and the shares of
    copies, of one author and of one domain. They are for people to read: free in form.
    """

    band: Band
    beat: str
    category: str | None = None
    decay: Annotated[float, Meta(ge=0, le=1)]
    factors: Factors
    figures: Sequence[str] = ()
    first_seen_ms: Millis
    inputs: Mapping[str, object] = {}
    last_coverage_ms: Millis
    noise: Points
    platforms: Mapping[str, PlatformShare] = {}
    previous: Points | None = None
    raw: Points
    scored_ms: Millis
    slug: Slug
    state: State
    story: Id
    title: str
    top: Sequence[Post] = ()
    v: Literal[1] = 1
    velocity_per_hour: Amount = 0
    windows: Mapping[str, object] = {}


_decoder = msgspec.json.Decoder(NoiseScore)
encode_score = msgspec.json.Encoder(order="deterministic").encode
"""Encode a NoiseScore. Keys of maps are sorted, so equal scores are equal bytes."""


def decode_score(key: bytes | None, value: bytes) -> NoiseScore:
    """Decode one record of ``noise-scores``.

    Raises:
        InvalidRecordError: it is not a NoiseScore, or its key is not the id of its story.
    """
    return decode(_decoder, key, value)
