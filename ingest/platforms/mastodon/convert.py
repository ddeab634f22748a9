"""Mastodon's statuses into signals. Pure: no clock, no network, no memory.

Owns what each field of a status means (https://docs.joinmastodon.org/entities/Status/). Must never fetch.

- a status is a post; a reply if it answers another; a repost if it boosts another;
- ``favourites_count`` is likes, ``reblogs_count`` shares, ``replies_count`` replies, as the asked instance knows them;
- the author is ``name@host``, the same on every instance; the community is the author's instance, without a size: its
  users do not all see the status, but the author's followers do;
- a status that is not public is ignored, and one of an author who wants not to be indexed (``noindex``).
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

import msgspec

from ingest.batch import Ignored, Signals, errors_to_dead_letters, well_formed
from ingest.fields import epoch_ms
from ingest.plain_text import plain_text
from ingest.platforms.mastodon.identity import PLATFORM, host_of, signal_id
from ingest.signal import MAX_URL_CHARS, Author, Community, Counts, Signal

__all__ = ["PLATFORM", "convert", "edited_at", "local_id", "parent_id", "parts"]

_link = re.compile(r"""<a\s(?![^<>]*\bclass=["'][^"'<>]*\b(?:mention|hashtag)\b)[^<>]*\bhref=["'](https?://[^"'<>]+)""")
"""A link that is neither a mention nor a hashtag."""
MAX_ID_CHARS: Final = 40
"""Longest local id that is kept. Mastodon's have 18 digits."""


class _Account(msgspec.Struct):
    username: str | None = None
    followers_count: int | None = None
    noindex: bool | None = None


class _Card(msgspec.Struct):
    url: str | None = None


class _Boosted(msgspec.Struct):
    uri: str


class _Status(msgspec.Struct):
    uri: str
    created_at: datetime
    visibility: str | None = None
    in_reply_to_id: str | None = None
    reblog: _Boosted | None = None
    account: _Account | None = None
    spoiler_text: str | None = None
    content: str | None = None
    url: str | None = None
    card: _Card | None = None
    language: str | None = None
    favourites_count: int | None = None
    reblogs_count: int | None = None
    replies_count: int | None = None


def parts(raw: object) -> Iterator[object]:
    """Yield the statuses within a status: the one that it boosts or quotes, then itself."""
    if isinstance(raw, dict):
        quote = raw.get("quote")
        for inner in (raw.get("reblog"), quote.get("quoted_status") if isinstance(quote, dict) else None):
            if isinstance(inner, dict):
                yield inner
    yield raw


def local_id(raw: object) -> str | None:
    """Return the id of a status on the instance that was asked; None if it has none."""
    return _number(raw.get("id")) if isinstance(raw, dict) else None


def parent_id(raw: object) -> str | None:
    """Return the local id of the status that ``raw`` answers; None if it answers none."""
    return _number(raw.get("in_reply_to_id")) if isinstance(raw, dict) and raw.get("reblog") is None else None


def edited_at(raw: object) -> str:
    """Return when a status was edited, as the platform writes it; "" if never. Later times are greater texts."""
    edited = raw.get("edited_at") if isinstance(raw, dict) else None
    return edited[:MAX_ID_CHARS] if isinstance(edited, str) else ""


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, thread: str | None = None) -> Signals:
    """Return what becomes of one status.

    ``raw``: the parsed JSON. ``witnessed_ms``: when it arrived. ``thread``: for a reply, the id of the post at the root
    of its thread; None if that cannot be found.
    """
    status = msgspec.convert(raw, _Status)
    id_ = signal_id(status.uri)
    kind: Literal["post", "reply", "repost"] = "post"
    if status.reblog is not None:
        kind, thread = "repost", signal_id(status.reblog.uri)
    elif status.in_reply_to_id is not None:
        kind = "reply"
    else:
        thread = id_
    if (ignored := _why_ignored(status, thread)) is not None:
        return Signals(ignored=Counter([ignored]))
    markup = status.content if status.reblog is None and status.content else ""
    host = host_of(status.uri)
    return Signals(
        [
            Signal(
                id=id_,
                kind=kind,
                platform=PLATFORM,
                thread=thread or id_,
                author=_author(status.account, host),
                community=Community(name=host) if host else None,
                text=_text(status.spoiler_text, markup),
                url=_shared_link(status.card, markup) if markup else None,
                permalink=_address(status.url) or _address(status.uri),
                lang=status.language or None,
                counts=Counts() if kind == "repost" else _counts(status),
                created_ms=min(epoch_ms(status.created_at), witnessed_ms),
                observed_ms=witnessed_ms,
            )
        ]
    )


def _why_ignored(status: _Status, thread: str | None) -> Ignored | None:
    if status.visibility != "public":
        return Ignored.NOT_PUBLIC
    if status.account is not None and status.account.noindex:
        return Ignored.OPTED_OUT
    return Ignored.ORPHAN if thread is None else None


def _author(account: _Account | None, host: str) -> Author | None:
    if account is None or not account.username:
        return None
    name = f"{account.username}@{host}" if host else account.username
    return Author(name=well_formed(name), followers=_count(account.followers_count))


def _text(warning: str | None, markup: str) -> str | None:
    """Return the content warning and the content, as plain text."""
    said = [part for part in (plain_text(warning or ""), plain_text(markup)) if part]
    return well_formed("\n\n".join(said)) or None


def _shared_link(card: _Card | None, markup: str) -> str | None:
    """Return the page that a status is about: that of its preview, else its first link."""
    if card is not None and (previewed := _address(card.url)) is not None:
        return previewed
    found = _link.search(markup)
    return None if found is None else _address(plain_text(found[1]))


def _address(text: str | None) -> str | None:
    """Return an address of the web; None for anything else."""
    if text is None or len(text) > MAX_URL_CHARS or not text.startswith(("https://", "http://")):
        return None
    return well_formed(text)


def _counts(status: _Status) -> Counts:
    return Counts(
        likes=_count(status.favourites_count), replies=_count(status.replies_count), shares=_count(status.reblogs_count)
    )


def _count(number: int | None) -> int | None:
    """Return a number; None for -1, by which some instances hide it."""
    return None if number is None or number < 0 else number


def _number(id_: object) -> str | None:
    return id_ if isinstance(id_, str) and len(id_) <= MAX_ID_CHARS and id_.isascii() and id_.isdigit() else None
