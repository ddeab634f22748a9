"""The record of the topic ``dead-letters``: an original that could not be used, its place and the reason.

Owns the record's fields, which are a contract with other programs, and how much of an original it carries. It is on
this floor because collectors and streams both write it. Must never know why an original could not be used.
"""

import base64
import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

MAX_CARRIED_BYTES = 262_144
"""Bounds the part of the original in a dead letter. In base64 it fills a third of the 1 MiB that brokers accept."""
MAX_DETAIL_CHARS = 1_000


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An original that could not be used.

    ``stage`` is the role that rejected it; ``reason`` is a label from that stage's closed list; ``detail`` is text for
    operators. ``topic``, ``partition`` and ``offset`` locate a record. A ``collector`` rejects an item of its platform,
    which has no such place: the three are None. ``original_b64`` carries the original, or its beginning if
    ``truncated``. ``original_bytes`` and ``original_sha256`` describe all of it; None in letters of earlier versions.
    """

    v: int = 1
    stage: str
    reason: str
    detail: str
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    collector: str | None = None
    at_ms: Annotated[int, Meta(ge=0, le=4_102_444_800_000)]
    original_b64: str
    original_bytes: int | None = None
    original_sha256: str | None = None
    truncated: bool = False

    @property
    def carried(self) -> bytes:
        """The part of the original that is carried: all of it, unless ``truncated``."""
        return base64.b64decode(self.original_b64)

    @property
    def original(self) -> bytes | None:
        """The original; None if it is ``truncated`` and has to be read from its place."""
        return None if self.truncated else self.carried

    def is_original(self, value: bytes) -> bool:
        """Return whether ``value``, as read from this place, is the original: the place may hold another."""
        if self.original_sha256 is None:
            return value == self.original
        return len(value) == self.original_bytes and hashlib.sha256(value).hexdigest() == self.original_sha256


def encode_dead_letter(
    *,
    stage: str,
    reason: str,
    detail: str,
    at_ms: int,
    original: bytes,
    topic: str | None = None,
    partition: int | None = None,
    offset: int | None = None,
    collector: str | None = None,
) -> bytes:
    """Return the record for ``original``: at most 400 kB, however large that is. ``detail`` is cut to 1 000 chars."""
    letter = DeadLetter(
        stage=stage,
        reason=reason,
        detail=detail[:MAX_DETAIL_CHARS],
        topic=topic,
        partition=partition,
        offset=offset,
        collector=collector,
        at_ms=at_ms,
        original_b64=base64.b64encode(original[:MAX_CARRIED_BYTES]).decode("ascii"),
        original_bytes=len(original),
        original_sha256=hashlib.sha256(original).hexdigest(),
        truncated=len(original) > MAX_CARRIED_BYTES,
    )
    return msgspec.json.encode(letter)


decode_dead_letter = msgspec.json.Decoder(DeadLetter).decode
