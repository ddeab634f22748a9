"""The lines of a body, and what becomes of each.

Owns the form of a body (one JSON value, or one a line), which platforms may be written, and the report to the sender.
Must never know HTTP, nor who sends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.batch import Signals, Unreadable
from ingest.platforms.webhook.convert import convert
from ingest.platforms.webhook.refusal import RefusedRequestError
from ingest.signal import Reason, Signal

__all__ = ["MAX_DEAD_SHARE", "MIN_LINES", "Lines", "is_mostly_unreadable", "read_lines"]

MAX_DEAD_SHARE: Final = 0.5
MIN_LINES: Final = 20
"""Of so many lines or more, the larger part must be signals: the loop holds back a batch that breaks this rule."""
LINES_AT_A_TIME: Final = 100
"""Lines converted before other requests get their turn: about 2 ms."""
MAX_DETAIL_CHARS: Final = 300
NOT_ALLOWED: Final = "platform_not_allowed"


class Refused(msgspec.Struct, frozen=True):
    """A line that is no signal. ``line``: its number, from 1. ``reason``: from a closed list."""

    line: int
    reason: str
    detail: str


@dataclass(slots=True)
class Lines:
    """What became of the lines of one request."""

    signals: Signals = field(default_factory=Signals)
    refused: list[Refused] = field(default_factory=list)


def is_mostly_unreadable(dead: int, read: int) -> bool:
    """Return whether so many of the lines ``read`` are ``dead`` that the sender's format must be wrong."""
    return read >= MIN_LINES and dead > MAX_DEAD_SHARE * read


async def read_lines(
    body: bytes, *, single: bool, max_lines: int, witnessed_ms: int, may_write: Callable[[str], bool]
) -> Lines:
    """Read a body of one JSON value (``single``) or of one a line. ``may_write``: of a platform's name.

    Raises:
        RefusedRequestError: there is no line, or there are more than ``max_lines``.
    """
    lines = Lines()
    read = 0
    for number, line in [(1, body)] if single else _numbered(body):
        if number % LINES_AT_A_TIME == 0:
            await asyncio.sleep(0)
        if not line or line.isspace():
            continue
        read += 1
        if read > max_lines:
            raise RefusedRequestError(413, "too_many_lines", f"more than {max_lines} lines: send several requests")
        became = _read_line(line, witnessed_ms, may_write)
        lines.signals.extend([became])
        lines.refused += [Refused(number, dead.reason, dead.detail[:MAX_DETAIL_CHARS]) for dead in became.unreadable]
    if read == 0:
        raise RefusedRequestError(400, "empty", "the body holds no signal")
    return lines


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers, without a copy of the whole body."""
    start, number = 0, 1
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        yield number, body[start:end]
        start, number = end + 1, number + 1


def _read_line(line: bytes, witnessed_ms: int, may_write: Callable[[str], bool]) -> Signals:
    """Return what becomes of one line; a dead letter carries the line as it was sent."""
    try:
        raw = _parse(line)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return Signals(unreadable=[Unreadable(Reason.NOT_JSON.value, str(error), line)])
    became = convert(raw, witnessed_ms)
    if became.unreadable:
        dead = became.unreadable[0]
        return Signals(unreadable=[Unreadable(dead.reason, dead.detail, line)])
    for found in became.signals:
        if (name := _foreign_platform(found, may_write)) is not None:
            detail = f"senders may not write the platform {name!r}; the option platforms of [collect.webhook] allows it"
            return Signals(unreadable=[Unreadable(NOT_ALLOWED, detail, line)])
    return became


def _parse(line: bytes) -> object:
    """Return the parsed JSON. Half a surrogate pair, which JSON can spell and UTF-8 cannot carry, becomes ``?``."""
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        if b"\\u" not in line:
            raise
        whole = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.decode(whole)


def _foreign_platform(found: Signal, may_write: Callable[[str], bool]) -> str | None:
    """Return the platform of the signal or of its thread that may not be written, None if both may."""
    names = (found.platform, found.thread.partition(":")[0])
    return next((name for name in names if not may_write(name)), None)
