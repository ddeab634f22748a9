"""Jetstream's two wires: what to ask for, and the events as they come.

Owns the URLs and the frames of both (``network.bsky.jetstream.subscribeEvents`` and the older ``/subscribe``). Must
never know what a record says, nor which host is asked.

A cursor is where to go on, inclusive. The first wire counts microseconds of UTC, the second has numbers of its own on
each host. Both take microseconds, so that is how a collector begins on another host.
"""

import json
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from ingest.platforms.bluesky.addresses import POSTS, REPOSTS
from transport.errors import RetryLaterError

GONE: Final = frozenset({"deleted", "takendown", "suspended", "deactivated"})
"""The states of an account in which the platform shows nothing of it."""
MAX_REFUSAL_CHARS: Final = 200
SUBPROTOCOL: Final = "xrpc.v1.json"
"""What the second wire calls its form; the first one has no name and ignores it."""


class Wire(StrEnum):
    """How a host speaks."""

    V1 = "v1"
    V2 = "v2"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of either wire. ``cursor``, ``at_us``: where and when the host has it.

    ``operation`` to ``record`` are of a commit, else empty; ``record`` is JSON. ``gone``: the platform shows
    nothing of the account any more. ``handle``: the name that an account has taken. ``skipped``: the host says that it
    has begun later than it was asked to.
    """

    did: str
    cursor: int
    at_us: int
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: msgspec.Raw = msgspec.Raw()
    gone: bool = False
    handle: str | None = None
    skipped: bool = False


class _Ref(msgspec.Struct):
    uri: str


class _Reply(msgspec.Struct):
    root: _Ref


class _Reference(msgspec.Struct):
    """The part of a record that says what it is about."""

    reply: _Reply | None = None
    subject: _Ref | None = None


class _Identity(msgspec.Struct):
    handle: str | None = None


class _Account(msgspec.Struct):
    active: bool
    status: str | None = None

    @property
    def gone(self) -> bool:
        return not self.active and self.status in GONE


class _Commit(msgspec.Struct):
    operation: str
    collection: str
    rkey: str
    record: msgspec.Raw = msgspec.Raw()


class _V1(msgspec.Struct):
    did: str
    time_us: int
    commit: _Commit | None = None
    identity: _Identity | None = None
    account: _Account | None = None


class _Payload(msgspec.Struct):
    type: str = msgspec.field(name="$type")
    seq: int = 0
    did: str = ""
    time: datetime | None = None
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: msgspec.Raw = msgspec.Raw()
    identity: _Identity | None = None
    account: _Account | None = None


class _V2(msgspec.Struct):
    type: str = msgspec.field(name="$type")
    payload: _Payload | None = None
    error: str = ""
    message: str = ""


_read_v1 = msgspec.json.Decoder(_V1).decode
_read_v2 = msgspec.json.Decoder(_V2).decode
_read_reference = msgspec.json.Decoder(_Reference).decode


def subscribe_url(wire: Wire, host: str, cursor: int) -> str:
    """Return where to connect for posts, reposts and what happens to accounts, from ``cursor`` on."""
    host = host.rstrip("/")
    if wire is Wire.V1:
        return f"{host}/subscribe?wantedCollections={POSTS}&wantedCollections={REPOSTS}&cursor={cursor}"
    return (
        f"{host}/xrpc/network.bsky.jetstream.subscribeEvents?collections={POSTS}&collections={REPOSTS}"
        f"&kinds=commit&kinds=account&kinds=identity&cursor={cursor}"
    )


def read(wire: Wire, frame: bytes) -> Event | None:
    """Return the event in ``frame``; None for one that says nothing to us.

    Raises:
        RetryLaterError: the host ends the stream.
        msgspec.DecodeError: the frame is no event.
    """
    if wire is Wire.V1:
        return _v1(_read_v1(frame))
    message = _read_v2(frame)
    if message.type == "error":
        raise RetryLaterError(f"the host ends the stream: {message.error} {message.message}"[:MAX_REFUSAL_CHARS])
    return None if message.payload is None else _v2(message.payload)


def repaired(frame: bytes) -> bytes:
    """Return ``frame`` without lone surrogates, which JSON can spell, clients do send, and :func:`read` refuses.

    Raises:
        ValueError, RecursionError: the frame is no JSON.
    """
    return json.dumps(json.loads(frame), ensure_ascii=False).encode(errors="replace")


def about(event: Event) -> str | None:
    """Return the URI of what the record of ``event`` is about: the root of a reply's thread, what a repost passes on.

    Raises:
        msgspec.DecodeError: the record is no JSON, or of another shape.
    """
    record = _read_reference(event.record)
    if event.collection == REPOSTS:
        return "" if record.subject is None else record.subject.uri
    return None if record.reply is None else record.reply.root.uri


def item_in(wire: Wire, frame: bytes) -> object:
    """Return the parsed event in ``frame``, which :func:`read` has read before.

    Raises:
        ValueError, RecursionError: its record is no JSON.
    """
    value = json.loads(frame)
    return value if wire is Wire.V1 else value["payload"]


def _v1(event: _V1) -> Event:
    commit, cursor = event.commit, event.time_us
    if commit is not None:
        return Event(event.did, cursor, cursor, commit.operation, commit.collection, commit.rkey, commit.record)
    handle = None if event.identity is None else event.identity.handle
    return Event(event.did, cursor, cursor, gone=event.account is not None and event.account.gone, handle=handle)


def _v2(payload: _Payload) -> Event | None:
    kind = payload.type.rpartition("#")[2]
    if kind == "info":
        return Event("", 0, 0, skipped=True)
    if payload.time is None or not payload.seq:
        raise msgspec.ValidationError("an event without time or seq")
    at_us = int(payload.time.timestamp() * 1_000_000)
    if kind == "commit":
        return Event(
            payload.did, payload.seq, at_us, payload.operation, payload.collection, payload.rkey, payload.record
        )
    handle = None if payload.identity is None else payload.identity.handle
    gone = payload.account is not None and payload.account.gone
    return Event(payload.did, payload.seq, at_us, gone=gone, handle=handle)
