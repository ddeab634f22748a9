"""Hacker News items into signals. Pure: no clock, no network, no memory.

Owns what each field of an item means (https://github.com/HackerNews/API). Must never fetch.

- story, job and poll are posts; ``score`` is likes, ``descendants`` is replies (all comments, at any depth);
- comment is a reply; its thread is the post at the root, which the item does not name: the caller finds it;
- pollopt, an answer of a poll, is no item of its own and ignored;
- deleted and dead items show nothing to a reader. One that was published becomes a signal with ``deleted`` and no
  words; any other is ignored. An item that comes back is converted like any other.
"""

from collections import Counter

import msgspec

from ingest.batch import Ignored, Signals, Unreadable, errors_to_dead_letters, well_formed
from ingest.fields import count_of
from ingest.plain_text import plain_text
from ingest.signal import Author, Counts, Signal

PLATFORM = "hackernews"
PERMALINK = "https://news.ycombinator.com/item?id="
POSTS = {"story", "job", "poll"}


class _Item(msgspec.Struct):
    """An item as the platform gives it. All but the id may be absent."""

    id: int
    type: str | None = None
    by: str | None = None
    time: int | None = None
    title: str | None = None
    text: str | None = None
    url: str | None = None
    score: int | None = None
    descendants: int | None = None
    parent: int | None = None
    dead: bool = False
    deleted: bool = False


def signal_id(item_id: int) -> str:
    """Return the id of the signal for the item ``item_id``."""
    return f"{PLATFORM}:{item_id}"


def parent_id(raw: object) -> int | None:
    """Return what a comment answers; None for any other item, and for an unreadable one."""
    parent = raw.get("parent") if isinstance(raw, dict) and raw.get("type") == "comment" else None
    return parent if type(parent) is int else None


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, root_id: int | None = None, published: bool = False) -> Signals:
    """Return what becomes of one item.

    ``raw``: the parsed JSON, None where the platform has no such item. ``witnessed_ms``: when it arrived. ``root_id``:
    for a comment, the post at the root of its thread; None if that cannot be found. ``published``: whether a signal of
    it was published before, which a deletion takes back.
    """
    if raw is None:
        return Signals(ignored=Counter([Ignored.MISSING]))
    item = msgspec.convert(raw, _Item)
    is_post = item.type in POSTS
    if is_post:
        root_id = item.id
    if (ignored := _why_ignored(item, root_id, published)) is not None:
        return Signals(ignored=Counter([ignored]))
    if not is_post and item.type != "comment":
        return Signals(unreadable=[Unreadable.of(raw, "unknown_kind", f"type {item.type!r}")])
    if item.time is None or root_id is None:
        raise ValueError("no time")
    gone = item.deleted or item.dead
    return Signals(
        [
            Signal(
                id=signal_id(item.id),
                kind="post" if is_post else "reply",
                platform=PLATFORM,
                thread=signal_id(root_id),
                author=Author(name=well_formed(item.by)) if item.by and not gone else None,
                title=well_formed(item.title) if item.title and not gone else None,
                text=well_formed(plain_text(item.text)) if item.text and not gone else None,
                url=well_formed(item.url) if item.url and not gone else None,
                permalink=f"{PERMALINK}{item.id}",
                counts=Counts(likes=count_of(item.score), replies=count_of(item.descendants)),
                created_ms=item.time * 1000,
                observed_ms=witnessed_ms,
                deleted=gone,
            )
        ]
    )


def _why_ignored(item: _Item, root_id: int | None, published: bool) -> Ignored | None:
    if not published and (item.deleted or item.dead):
        return Ignored.DELETED if item.deleted else Ignored.DEAD
    if item.type == "pollopt":
        return Ignored.POLL_OPTION
    return Ignored.ORPHAN if item.type == "comment" and root_id is None else None
