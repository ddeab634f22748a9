"""X's posts into signals. Pure: no clock, no network, no memory.

Owns what each field of a post means (https://docs.x.com/x-api/fundamentals/data-dictionary). Must never fetch.

- a post that answers another is a reply in the thread of its conversation; a quote is a post of its own;
- a repost is a repost in the thread of the original; its metrics are the original's, so its own counts are unknown;
- ``impression_count`` is 0 for posts from before X counted views, so 0 views of a post with likes are unknown;
- a post that is withheld everywhere is deleted: its words are gone, its counts still count;
- without a time, a post's id says when it was created (https://docs.x.com/fundamentals/x-ids).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ingest.batch import Signals, errors_to_dead_letters, well_formed
from ingest.fields import clamped_ms, count_of, utc_ms
from ingest.signal import Author, Counts, Signal

PLATFORM: Final = "x"
PERMALINK: Final = "https://x.com/"
EPOCH_MS: Final = 1_288_834_974_657
"""The beginning of time in X's ids, whose upper bits are milliseconds."""
EVERYWHERE: Final = frozenset({"XX", "XY"})
"""Codes of "all countries": withheld by law, and for reasons of copyright."""
NO_LANGUAGES: Final = frozenset({"und", "zxx", "art"})
"""Undetermined, no words, and artificial; codes that begin with ``q`` are X's own for hashtags, links and the like."""

_is_id = re.compile(r"[0-9]{1,20}").fullmatch
_is_name = re.compile(r"[A-Za-z0-9_]{1,30}").fullmatch
_own_link = re.compile(r"https?://(?:[a-z]+\.)?(?:x|twitter)\.com(?:/|$)", re.IGNORECASE)
_escaped = re.compile("&(amp|lt|gt);")
_ESCAPES = {"amp": "&", "lt": "<", "gt": ">"}


class _Metrics(msgspec.Struct):
    retweet_count: int | None = None
    reply_count: int | None = None
    like_count: int | None = None
    quote_count: int | None = None
    impression_count: int | None = None


class _Reference(msgspec.Struct):
    type: str
    id: str


class _Link(msgspec.Struct):
    expanded_url: str | None = None
    unwound_url: str | None = None


class _Entities(msgspec.Struct):
    urls: list[_Link] | None = None


class _Note(msgspec.Struct):
    text: str | None = None


class _Withheld(msgspec.Struct):
    country_codes: list[str] | None = None


class _Post(msgspec.Struct):
    id: str
    text: str | None = None
    created_at: str | None = None
    author_id: str | None = None
    conversation_id: str | None = None
    lang: str | None = None
    public_metrics: _Metrics | None = None
    referenced_tweets: list[_Reference] | None = None
    entities: _Entities | None = None
    note_tweet: _Note | None = None
    withheld: _Withheld | None = None


class _UserMetrics(msgspec.Struct):
    followers_count: int | None = None


class _User(msgspec.Struct):
    id: str
    username: str | None = None
    public_metrics: _UserMetrics | None = None


Authors = Mapping[str, Author]
"""Authors by X's id of them."""
NO_AUTHORS: Final[Authors] = MappingProxyType({})


def signal_id(native: str) -> str:
    """Return the id of the signals for the post ``native``."""
    return f"{PLATFORM}:{native}"


def native_id(id_: str) -> str:
    """Return X's id of the post that a signal observes."""
    return id_.removeprefix(f"{PLATFORM}:")


def authors(users: Iterable[object]) -> dict[str, Author]:
    """Return the authors among the ``includes.users`` of a response; what is no user is left out."""
    found: dict[str, Author] = {}
    for raw in users:
        try:
            user = msgspec.convert(raw, _User)
        except (msgspec.ValidationError, ValueError, OverflowError, RecursionError):
            continue
        metrics = user.public_metrics or _UserMetrics()
        if user.username:
            found[user.id] = Author(name=well_formed(user.username), followers=count_of(metrics.followers_count))
    return found


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, known: Authors = NO_AUTHORS) -> Signals:
    """Return what becomes of one post. ``witnessed_ms``: when it arrived. ``known``: the authors that came with it."""
    post = msgspec.convert(raw, _Post)
    if not _is_id(post.id):
        raise ValueError(f"{post.id[:40]!r} is no id of a post")
    referred = {reference.type: reference.id for reference in post.referenced_tweets or () if _is_id(reference.id)}
    kind, root = _place(post, referred)
    deleted = bool(post.withheld and EVERYWHERE & set(post.withheld.country_codes or ()))
    author = known.get(post.author_id or "")
    found = Signal(
        id=signal_id(post.id),
        kind=kind,  # type: ignore[arg-type]  # one of the three
        platform=PLATFORM,
        thread=signal_id(root),
        author=None if deleted else author,
        text=None if deleted else _text(post),
        url=None if deleted else _link(post, referred),
        permalink=None if deleted else _permalink(post.id, author),
        lang=_lang(post.lang),
        counts=Counts() if kind == "repost" else _counts(post.public_metrics or _Metrics()),
        created_ms=_created_ms(post, witnessed_ms),
        observed_ms=witnessed_ms,
        deleted=deleted,
    )
    return Signals([found])


def snowflake_ms(native: str) -> int:
    """Return when the post ``native`` was created, by its id."""
    return (int(native) >> 22) + EPOCH_MS


def _place(post: _Post, referred: Mapping[str, str]) -> tuple[str, str]:
    """Return the kind of a post, and the root of its thread."""
    original = referred.get("retweeted")
    if original is not None and original != post.id:
        return "repost", original
    root = post.conversation_id if post.conversation_id and _is_id(post.conversation_id) else referred.get("replied_to")
    return ("post", post.id) if root is None or root == post.id else ("reply", root)


def _created_ms(post: _Post, witnessed_ms: int) -> int:
    created_ms = snowflake_ms(post.id) if post.created_at is None else utc_ms(post.created_at)
    return clamped_ms(created_ms, witnessed_ms)


def _counts(metrics: _Metrics) -> Counts:
    likes, replies = count_of(metrics.like_count), count_of(metrics.reply_count)
    shared = [count for count in (metrics.retweet_count, metrics.quote_count) if count is not None]
    shares = count_of(sum(shared)) if shared else None
    views = count_of(metrics.impression_count)
    if views == 0 and (likes or replies or shares):
        views = None
    return Counts(likes=likes, replies=replies, shares=shares, views=views)


def _text(post: _Post) -> str | None:
    """Return the whole text: of a long post ``text`` is the beginning. X escapes three characters."""
    text = (post.note_tweet.text if post.note_tweet else None) or post.text
    return well_formed(_escaped.sub(lambda found: _ESCAPES[found[1]], text)) if text else None


def _link(post: _Post, referred: Mapping[str, str]) -> str | None:
    """Return the first page outside X that the post links, else the post that it quotes."""
    links = post.entities.urls if post.entities and post.entities.urls else ()
    for link in links:
        url = link.unwound_url or link.expanded_url
        if url and not _own_link.match(url):
            return well_formed(url)
    quoted = referred.get("quoted")
    return _permalink(quoted, None) if quoted is not None else None


def _permalink(native: str, author: Author | None) -> str:
    name = author.name if author is not None and author.name and _is_name(author.name) else "i"
    return f"{PERMALINK}{name}/status/{native}"


def _lang(code: str | None) -> str | None:
    return None if not code or code in NO_LANGUAGES or code.startswith("q") else well_formed(code)
