"""Dead letters: records that nobody could use, kept with where they came from and why.

Owns the record of the topic ``dead-letters`` as the streams write it and as everybody reads it. Its fields are a
contract with other programs.
"""

from __future__ import annotations

import base64

import msgspec

__all__ = ["DeadLetter", "decode_dead_letter", "encode_dead_letter"]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be used.

    ``stage`` is the role that gave it up and ``reason`` a label from that stage's closed list; ``detail`` is for the
    person who looks into it. ``topic``, ``partition`` and ``offset`` say where the record stands, ``original_b64``
    carries its bytes. What a ``collector`` gave up came from its platform and stands nowhere: those are None.
    """

    v: int = 1
    stage: str
    reason: str
    detail: str
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    collector: str | None = None
    at_ms: int
    original_b64: str

    @property
    def original(self) -> bytes:
        """The record's bytes."""
        return base64.b64decode(self.original_b64)


def encode_dead_letter(
    *, stage: str, reason: str, detail: str, topic: str, partition: int, offset: int, at_ms: int, original: bytes
) -> bytes:
    """Return the record to publish for ``original``, whose detail is cut at 1 000 characters."""
    letter = DeadLetter(
        stage=stage,
        reason=reason,
        detail=detail[:1000],
        topic=topic,
        partition=partition,
        offset=offset,
        at_ms=at_ms,
        original_b64=base64.b64encode(original).decode("ascii"),
    )
    return msgspec.json.encode(letter)


decode_dead_letter = msgspec.json.Decoder(DeadLetter).decode
