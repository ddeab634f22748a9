"""A preview page of a channel (``t.me/s/NAME``) as plain values.

Owns where Telegram puts what in its HTML. Must never know what a value means: that is :mod:`convert`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ingest.platforms.telegram.markup import read_markup

__all__ = ["Channel", "ChannelPage", "read_page"]

MAX_DEPTH: Final = 64
"""Deepest nesting that is followed; the pages have some 20 levels."""
MAX_MESSAGES: Final = 200
"""Most messages of one page that are read; Telegram puts 20 on one."""
MAX_VALUES: Final = 50
"""Most links, reactions, or parts of an album of one message that are read."""
VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
BLOCKS: Final = frozenset({"p", "pre", "blockquote"})

PARTS: Final = {
    "tgme_widget_message_reply": "reply",
    "tgme_widget_message_text": "text",
    "tgme_widget_message_views": "views",
    "tgme_widget_message_meta": "meta",
    "tgme_widget_message_forwarded_from_name": "forwarded_from",
    "tgme_widget_message_link_preview": "preview",
    "tgme_widget_message_grouped_wrap": "album",
    "tgme_reaction": "reaction",
    "link_preview_title": "preview_title",
    "tgme_channel_info_header_title": "channel_title",
    "counter_value": "counter_value",
    "counter_type": "counter_type",
}
"""What the text inside an element of a class is."""
_is_album_part = re.compile(r"https?://[^/]+/(?:s/)?\w+/(\d{1,15})\?(?:\S*&)?single").fullmatch


@dataclass(frozen=True, slots=True)
class Channel:
    """What a page says of its channel. ``subscribers``: as written, such as ``12.3K``; None if it does not say."""

    title: str | None = None
    subscribers: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """``messages``: oldest first, as the page has them. ``is_telegram``: whether it is a page of Telegram at all."""

    channel: Channel
    messages: list[dict[str, object]]
    is_telegram: bool


def read_page(body: bytes) -> ChannelPage:
    """Return what a page holds. Anything else than such a page holds no messages."""
    reader = _Reader()
    for token in read_markup(body.decode("utf-8", "replace")):
        if isinstance(token, str):
            reader.add(token)
        elif token.ends:
            reader.end(token.name)
        else:
            reader.begin(token.name, token.attributes)
    reader.close()
    return ChannelPage(reader.channel(), reader.messages, reader.is_telegram)


@dataclass(slots=True)
class _Element:
    tag: str
    part: str
    begins_message: bool = False
    texts: list[str] = field(default_factory=list)


class _Reader:
    """Keeps the open elements. Each says what its text is: a part of a message, of the channel, or nothing."""

    def __init__(self) -> None:
        self.messages: list[dict[str, object]] = []
        self.is_telegram = False
        self._open: list[_Element] = []
        self._message: dict[str, object] | None = None
        self._title: str | None = None
        self._counters: list[tuple[str, str]] = []
        self._counter = ""

    def channel(self) -> Channel:
        """Return what the page says of its channel: the first counter is that of subscribers."""
        return Channel(self._title, self._counters[0][0] if self._counters else None)

    def begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        classes = attributes.get("class", "").split()
        self.is_telegram = self.is_telegram or any(name.startswith("tgme_") for name in classes)
        part = self._part
        if tag == "br":
            self.add("\n")
        if tag in VOID or len(self._open) >= MAX_DEPTH:
            return
        if part == "reaction":
            part = ""  # the emoji: only the number beside it counts
        elif part != "reply":  # what a reply quotes is not the message's own
            part = next((PARTS[name] for name in classes if name in PARTS), part)
        element = _Element(tag, part)
        if "data-post" in attributes and "tgme_widget_message" in classes and self._message is None:
            element.begins_message = True
            self._begin_message(attributes["data-post"], service="service_message" in classes)
        elif self._message is not None and part != "reply":
            self._read_attributes(self._message, tag, part, attributes)
        if tag in BLOCKS:
            self.add("\n")
        self._open.append(element)

    def end(self, tag: str) -> None:
        """Close the innermost element of that kind, and all inside it."""
        if not any(element.tag == tag for element in self._open):
            return
        while self._open:
            element = self._open.pop()
            self._close(element)
            if element.tag == tag:
                break

    def close(self) -> None:
        """Close all elements: the page has ended."""
        while self._open:
            self._close(self._open.pop())

    @property
    def _part(self) -> str:
        return self._open[-1].part if self._open else ""

    def add(self, text: str) -> None:
        """Add text to the innermost element; it goes up to the one that began its part."""
        if self._open and self._open[-1].part:
            self._open[-1].texts.append(text)

    def _begin_message(self, post: str, *, service: bool) -> None:
        self._message = {"post": post}
        if service:
            self._message["service"] = True

    def _read_attributes(self, message: dict[str, object], tag: str, part: str, attributes: Mapping[str, str]) -> None:
        if tag == "time" and attributes.get("datetime"):
            message["time"] = attributes["datetime"]
        href = attributes.get("href", "") if tag == "a" else ""
        if not href:
            return
        if part == "preview":
            message.setdefault("preview_url", href)
        elif part == "forwarded_from":
            message.setdefault("forwarded_url", href)
        elif part == "text":
            _append(message, "links", href)
        elif part == "album" and (found := _is_album_part(href)) is not None:
            _append(message, "album", int(found[1]))

    def _close(self, element: _Element) -> None:
        text = "".join(element.texts)
        above = self._open[-1] if self._open else None
        if above is not None and above.part == element.part:
            above.texts.append(text)
        elif element.part:
            self._end_part(element.part, text.strip())
        if element.begins_message:
            if self._message is not None and len(self.messages) < MAX_MESSAGES:
                self.messages.append(self._message)
            self._message = None

    def _end_part(self, part: str, text: str) -> None:
        if part == "channel_title":
            self._title = self._title or text or None
        elif part == "counter_value":
            self._counter = text
        elif part == "counter_type":
            self._counters.append((self._counter, text))
        elif self._message is None:
            return
        elif part == "reaction":
            if text:
                _append(self._message, "reactions", text)
        elif part == "meta":
            if "edited" in text.split():
                self._message["edited"] = True
        elif part in {"text", "views", "forwarded_from", "preview_title"} and text:
            self._message.setdefault(part, text)


def _append(message: dict[str, object], key: str, value: object) -> None:
    values = message.setdefault(key, [])
    if isinstance(values, list) and len(values) < MAX_VALUES:
        values.append(value)
