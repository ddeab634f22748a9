"""Telegram's messages into signals. Pure: no clock, no network, no memory.

Owns what each value of a message means (:mod:`page` reads them off the page). Must never fetch.

- a message is a post; one that is forwarded from a channel that is read, too, is a repost in that message's thread;
- ``views`` are rounded by Telegram (12.3K); ``likes`` is the sum of all reactions, unknown where there are none;
- the author is the channel, its followers are the subscribers;
- a service message (created, pinned, renamed) holds no words of an author and is ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ingest.batch import Ignored, Signals, errors_to_dead_letters, well_formed
from ingest.fields import utc_ms
from ingest.platforms.telegram.page import Channel
from ingest.signal import Author, Community, Counts, Signal

__all__ = ["PLATFORM", "Name", "convert", "created_ms", "name_of", "signal_id"]

PLATFORM: Final = "telegram"
UNKNOWN: Final = Channel()
SITE: Final = "https://t.me/"
OWN_HOSTS: Final = frozenset({"t.me", "telegram.me", "telegram.org"})
FACTORS: Final = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_post_name = re.compile(r"([A-Za-z]\w{3,31})/([1-9]\d{0,14})", re.ASCII).fullmatch
_post_link = re.compile(
    r"https?://(?:t|telegram)\.me/(?:s/)?([A-Za-z]\w{3,31}/[1-9]\d{0,14})(?:\?.*)?", re.ASCII
).fullmatch
_count = re.compile(r"(\d{1,15})(?:[.,](\d{1,3}))?([KMB]?)").fullmatch


class _Message(msgspec.Struct):
    """A message as it stands on the page. All but the name may be absent."""

    post: str
    time: str | None = None
    text: str | None = None
    views: str | None = None
    reactions: list[str] | None = None
    links: list[str] = []
    preview_url: str | None = None
    preview_title: str | None = None
    forwarded_url: str | None = None
    service: bool = False
    deleted: bool = False


class Name(NamedTuple):
    """The name of a message: its channel in lower case (letter case does not matter in Telegram), and its number."""

    channel: str
    number: int


def name_of(raw: object) -> Name | None:
    """Return the name of a message as it stands on a page; None if it has none."""
    post = raw.get("post") if isinstance(raw, dict) else None
    found = _post_name(post) if isinstance(post, str) else None
    return None if found is None else Name(found[1].lower(), int(found[2]))


def signal_id(name: Name) -> str:
    """Return the id of the signal for a message."""
    return f"{PLATFORM}:{name.channel}/{name.number}"


def created_ms(raw: object) -> int | None:
    """Return when a message was created; None if it does not say."""
    time = raw.get("time") if isinstance(raw, dict) else None
    try:
        return utc_ms(time) if isinstance(time, str) else None
    except (ValueError, OverflowError):
        return None


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, channel: Channel = UNKNOWN, collected: Collection[str] = ()) -> Signals:
    """Return what becomes of one message.

    ``raw``: a message of a page. ``witnessed_ms``: when the page arrived. ``channel``: what the page says of it.
    ``collected``: names of the channels that are read, in lower case.
    """
    message = msgspec.convert(raw, _Message)
    name = name_of(raw)
    if name is None:
        raise ValueError(f"{message.post[:100]!r} is no name of a message")
    if message.service:
        return Signals(ignored=Counter([Ignored.SERVICE]))
    if message.time is None:
        raise ValueError("no time")
    original = _original(message, collected)
    id_ = signal_id(name)
    gone = message.deleted
    text = message.text or message.preview_title
    handle = message.post.partition("/")[0]
    found = Signal(
        id=id_,
        kind="post" if original in (None, id_) else "repost",
        platform=PLATFORM,
        thread=original or id_,
        author=None if gone else Author(name=handle, followers=_number(channel.subscribers)),
        community=Community(name=well_formed(channel.title or handle), members=_number(channel.subscribers)),
        text=well_formed(text) if text and not gone else None,
        url=None if gone else _link(message),
        permalink=f"{SITE}{message.post}",
        counts=Counts(likes=_sum(message.reactions), views=_number(message.views)),
        created_ms=min(utc_ms(message.time), witnessed_ms),
        observed_ms=witnessed_ms,
        deleted=gone,
    )
    return Signals([found])


def _original(message: _Message, collected: Collection[str]) -> str | None:
    """Return the thread of a forwarded message if its channel is read too; else it says all there is to know."""
    found = _post_link(message.forwarded_url or "")
    name = name_of({"post": found[1]}) if found else None
    return signal_id(name) if name is not None and name.channel in collected else None


def _link(message: _Message) -> str | None:
    """Return the page that a message is about: that of its preview, else the first link that leaves Telegram."""
    for url in (message.preview_url, *message.links):
        try:
            parts = urlsplit(url or "")
            if parts.scheme in {"http", "https"} and parts.hostname not in OWN_HOSTS:
                return well_formed(parts.geturl())
        except ValueError:  # no URL at all, such as "http://[::1"
            continue
    return None


def _number(text: str | None) -> int | None:
    """Return a count as Telegram writes it.

    >>> _number("540"), _number("12.3K"), _number("1.27M"), _number("8 890 123"), _number("many"), _number(None)
    (540, 12300, 1270000, 8890123, None, None)
    """
    found = _count("".join((text or "").split()))
    if found is None:
        return None
    whole, part, unit = found[1], found[2] or "", found[3]
    factor = FACTORS[unit]
    return int(whole) * factor + int(part or 0) * factor // int("1" + "0" * len(part))


def _sum(reactions: list[str] | None) -> int | None:
    numbers = [number for number in map(_number, reactions or []) if number is not None]
    return sum(numbers) if numbers else None
