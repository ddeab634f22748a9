"""What is known of one channel: how far it was read, and the messages that are tracked.

Owns the comparison of what pages show with that: which messages are new or changed, and which are gone. Must never
know HTTP nor HTML.

Numbers of messages run in sequence within a channel. A number that is absent between two that are shown belongs to a
message that was deleted, or to a part of an album. The page names the parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from ingest.batch import as_json
from ingest.platforms.telegram.convert import created_ms

__all__ = ["KnownChannel", "Messages", "digest"]

Messages = Mapping[int, dict[str, object]]
"""The messages of pages that follow one another, by number. Nothing is left out between them."""

MAX_COUNT_CHARS: Final = 20
"""Longest count that is kept: ``1 234.5K`` is one, and the cursor keeps 50 of each message."""


class _Tracked(msgspec.Struct, array_like=True):
    """The last observation of a message: when it was created, its counts as written, and a digest of all it showed."""

    created_ms: int
    views: str | None
    reactions: list[str] | None
    digest: str


class KnownChannel(msgspec.Struct):
    """``last``: the highest number that was read, None before the first poll. ``tracked``: messages by number."""

    last: int | None = None
    tracked: dict[int, _Tracked] = {}

    def changed(self, messages: Messages, since_ms: int) -> list[dict[str, object]]:
        """Return the messages that are new, or differ from their last observation; oldest first.

        Before the first poll, messages from before ``since_ms`` are not new.
        """
        return [message for number, message in sorted(messages.items()) if self._is_changed(number, message, since_ms)]

    def gone(self, channel: str, messages: Messages) -> list[dict[str, object]]:
        """Return what is left of the tracked messages that are absent between messages that are shown."""
        shown = _numbers(messages)
        absent = [n for n in self.tracked if shown and min(shown) < n < max(shown) and n not in shown]
        return [_remains(f"{channel}/{number}", self.tracked[number]) for number in sorted(absent)]

    def missing(self, messages: Messages) -> int:
        """Return how many numbers after the last one that was read are absent: deleted before anybody saw them."""
        shown = {number for number in _numbers(messages) if self.last is None or number > self.last}
        if not shown:
            return 0
        first = min(shown) if self.last is None else self.last + 1
        return max(shown) - first + 1 - len(shown)

    def observe(self, messages: Messages, since_ms: int) -> None:
        """Record what pages showed."""
        shown = _numbers(messages)
        for number in [n for n in self.tracked if shown and min(shown) < n < max(shown) and n not in messages]:
            del self.tracked[number]
        for number, message in messages.items():
            if number in self.tracked or self._is_changed(number, message, since_ms):
                self.tracked[number] = _observed(message, since_ms)
        if shown:
            self.last = max(shown) if self.last is None else max(self.last, *shown)

    def trim(self, max_items: int, oldest_ms: int) -> None:
        """Track at most the newest ``max_items``, and none from before ``oldest_ms``."""
        numbers = sorted(self.tracked, reverse=True)[:max_items]
        self.tracked = {n: self.tracked[n] for n in sorted(numbers) if self.tracked[n].created_ms >= oldest_ms}

    def _is_changed(self, number: int, message: dict[str, object], since_ms: int) -> bool:
        known = self.tracked.get(number)
        if known is not None:
            return known.digest != digest(message)
        if self.last is not None:
            return number > self.last
        created = created_ms(message)
        return created is None or created >= since_ms  # one without a time has to be reported


def _numbers(messages: Messages) -> set[int]:
    """Return the numbers that ``messages`` take up, with those of the parts of albums."""
    numbers = set(messages)
    for message in messages.values():
        album = message.get("album")
        numbers.update(part for part in _list(album) if isinstance(part, int))
    return numbers


def _observed(message: dict[str, object], since_ms: int) -> _Tracked:
    created = created_ms(message)
    return _Tracked(
        since_ms if created is None else created,
        _count(message.get("views")),
        [text for written in _list(message.get("reactions")) if (text := _count(written)) is not None] or None,
        digest(message),
    )


def _count(written: object) -> str | None:
    """Return a count as it is written; None for what is too long to be one, and for the cursor."""
    return written if isinstance(written, str) and len(written) <= MAX_COUNT_CHARS else None


def _remains(post: str, known: _Tracked) -> dict[str, object]:
    time = datetime.fromtimestamp(known.created_ms / 1000, UTC).isoformat()
    return {"post": post, "time": time, "views": known.views, "reactions": known.reactions, "deleted": True}


def digest(message: dict[str, object]) -> str:
    """Return what identifies all that a message shows."""
    return hashlib.sha256(as_json(message)).hexdigest()[:12]


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()
