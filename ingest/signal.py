"""The signal: one observation of one item on one platform, and its wire form.

Owns the record of the topic ``signals``: its fields, its strict decoding, its encoding and its key. Must never know
its producer (a collector, a replay, another program) nor its use (stories, scores).

A signal is identified by (``id``, ``observed_ms``). An item seen again is the same ``id`` with a later
``observed_ms``. Counts are totals at ``observed_ms``. An unknown value is ``None``, never 0. All times are UTC epoch
milliseconds.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from transport.errors import NeverRetryError

MAX_RECORD_BYTES = 1_048_576
"""Largest record; a larger one is rejected before it is parsed. It is Kafka's default limit."""

MAX_TEXT_CHARS = 100_000
MAX_NAME_CHARS = 10_000
"""Longest name. A paper lists its authors in one name, of up to 5 000 characters in recordings."""
MAX_ID_CHARS = 512
MAX_URL_CHARS = 8_192
MAX_COUNT = 2**53 - 1
"""Largest count: the largest integer that all JSON readers agree on (RFC 8259, section 6)."""

EARLIEST_MS = 946_684_800_000
"""2000-01-01: older than every platform here. Seconds that are sent as milliseconds lie before it."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01: microseconds that are sent as milliseconds lie after it."""
CLOCK_SKEW_MS = 300_000
"""Largest difference between the clocks of a platform, a collector and a broker."""
LIKELY_MS = 86_400_000
"""Largest error of our own clock. An item from further in the future is wrong whatever the clock says."""


class Reason(StrEnum):
    """Why a record is not a signal. A closed list: each value is a metric label and a dead letter's reason."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    BAD_COUNT = "bad_count"
    BAD_TEXT = "bad_text"


class InvalidSignalError(NeverRetryError, ValueError):
    """A record that is not a signal. ``reason`` is for counting, ``detail`` for the person who fixes the producer."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Name = Annotated[str, Meta(max_length=MAX_NAME_CHARS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
Url = Annotated[str, Meta(max_length=MAX_URL_CHARS)]
Id = Annotated[str, Meta(min_length=3, max_length=MAX_ID_CHARS)]
Millis = Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)]


class Author(msgspec.Struct, frozen=True, gc=False):
    """The author of the item. ``followers``: the audience that the platform states, None if unknown."""

    name: Name | None = None
    followers: Count | None = None


class Community(msgspec.Struct, frozen=True, gc=False):
    """The place of the post: a subreddit, an instance, a news site. ``members``: its stated size."""

    name: Name | None = None
    members: Count | None = None


class Counts(msgspec.Struct, frozen=True, gc=False):
    """Totals at the time of observation; None is unknown. ``like_ratio``: share of up-votes, 0 to 1."""

    likes: Count | None = None
    replies: Count | None = None
    shares: Count | None = None
    views: Count | None = None
    like_ratio: Annotated[float, Meta(ge=0, le=1)] | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One observation of one item.

    ``id`` is ``platform:native-id``; ``thread`` is the id of the root post (a post is its own root).
    ``likes`` may be the platform's net score, but is never below 0. A field that may be ``None`` may be absent.
    ``deleted``: the platform or the author took the item back. Its counts still count, its words are shown no more.
    """

    v: Literal[1] = 1
    id: Id
    kind: Literal["post", "reply", "repost"]
    platform: Annotated[str, Meta(min_length=1, max_length=64)]
    thread: Id
    author: Author | None = None
    community: Community | None = None
    title: Text | None = None
    text: Text | None = None
    url: Url | None = None
    permalink: Url | None = None
    lang: Annotated[str, Meta(max_length=64)] | None = None
    counts: Counts = Counts()
    created_ms: Millis
    observed_ms: Millis
    deleted: bool = False

    @property
    def is_root(self) -> bool:
        """True for the root post of a thread."""
        return self.id == self.thread


_decoder = msgspec.json.Decoder(Signal)
_encoder = msgspec.json.Encoder()
_is_id = re.compile(r"[a-z0-9][a-z0-9_.-]*:[!-~]+").fullmatch


def decode(raw: bytes, latest_ms: int | None = None) -> Signal:
    """Decode one record of the topic ``signals``, strictly.

    ``latest_ms``: when the record was appended to the log, its Kafka timestamp. An observation more than 5 minutes
    later, the allowance for clocks, is from the future and rejected. The log's time gives the same result in every
    replay, which the reader's time would not.

    Raises:
        InvalidSignalError: with a :class:`Reason` from the closed list, for anything that is not a signal.
    """
    if len(raw) > MAX_RECORD_BYTES:
        raise InvalidSignalError(Reason.TOO_LARGE, f"{len(raw)} bytes; at most {MAX_RECORD_BYTES} are accepted")
    try:
        signal = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _explain(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSignalError(Reason.NOT_JSON, str(error)) from None
    check(signal, latest_ms)
    return signal


def check(signal: Signal, latest_ms: int | None = None) -> None:
    """Raise :class:`InvalidSignalError` if the fields of ``signal`` do not fit together."""
    id_, thread = signal.id, signal.thread
    if not _is_id(id_) or not id_.startswith(signal.platform) or id_[len(signal.platform)] != ":":
        raise InvalidSignalError(Reason.BAD_ID, f"id {id_!r} is not '{signal.platform}:' and a native id in ASCII")
    if id_ != thread:
        if not _is_id(thread):
            raise InvalidSignalError(Reason.BAD_ID, f"thread {thread!r} is not a platform, ':' and an id in ASCII")
        if signal.kind == "post":
            raise InvalidSignalError(Reason.BAD_ID, f"a post is its own thread; id {id_!r}, thread {thread!r}")
    elif signal.kind != "post":
        raise InvalidSignalError(Reason.BAD_ID, f"a {signal.kind} needs the id of another item as its thread")
    observed_ms = signal.observed_ms
    if signal.created_ms > observed_ms + CLOCK_SKEW_MS:
        raise InvalidSignalError(Reason.BAD_TIME, f"created at {signal.created_ms}, after it was seen at {observed_ms}")
    if latest_ms is not None and observed_ms > latest_ms + CLOCK_SKEW_MS:
        raise InvalidSignalError(Reason.BAD_TIME, f"seen at {observed_ms}, but written to the log at {latest_ms}")


def encode(signal: Signal) -> bytes:
    """Encode for the wire.

    Raises:
        InvalidSignalError: a text holds a lone surrogate, which UTF-8 cannot carry.
    """
    try:
        return _encoder.encode(signal)
    except UnicodeEncodeError as error:
        raise InvalidSignalError(Reason.BAD_TEXT, str(error)) from None


def key(signal: Signal) -> bytes:
    """Return the record's key, its thread: a thread stays in one partition, in order."""
    return signal.thread.encode()


def _explain(error: msgspec.ValidationError) -> InvalidSignalError:
    """Turn msgspec's message, which ends with the path of the field, into a reason of the closed list."""
    detail = str(error)
    field = detail.rpartition("$.")[2].rstrip("`") if "$." in detail else ""
    if field in {"id", "thread"}:
        reason = Reason.BAD_ID
    elif field in {"created_ms", "observed_ms"}:
        reason = Reason.BAD_TIME
    elif field.startswith("counts.") or field in {"author.followers", "community.members"}:
        reason = Reason.BAD_COUNT
    elif "length" in detail:
        reason = Reason.BAD_TEXT
    else:
        reason = Reason.WRONG_SHAPE
    return InvalidSignalError(reason, detail)
