"""Posts as X's API v2 shows them.

Owns the JSON of posts and authors. Pure: items and a time in, plain objects out. Must never know HTTP. Source:
https://docs.x.com/x-api/fundamentals/data-dictionary.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from zlib import crc32

from hubbub.world.items import Item, Post, Reply, Repost

Thing = dict[str, object]

SECOND_MS = 1_000


def iso(at_ms: int) -> str:
    """Return a time as X writes it.

    >>> iso(1_700_000_000_123)
    '2023-11-14T22:13:20.123Z'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def post(item: Item, now_ms: int) -> Thing:
    """Return an item as a post."""
    text, links = _text(item)
    shown: Thing = {
        "id": item.native,
        "edit_history_tweet_ids": [item.native],
        "author_id": author_id(item.author),
        "created_at": iso(item.created_ms),
        "conversation_id": item.post.native if isinstance(item, Reply) else item.native,
        "lang": "en",
        "text": text,
        "public_metrics": _metrics(item, now_ms),
    }
    if links:
        shown["entities"] = {"urls": links}
    if isinstance(item, Reply):
        shown["referenced_tweets"] = [{"type": "replied_to", "id": item.parent.native}]
    elif isinstance(item, Repost):
        shown["referenced_tweets"] = [{"type": "retweeted", "id": item.post.native}]
    return shown


def includes(items: Iterable[Item], now_ms: int, *, originals: bool) -> Thing:
    """Return what comes along with ``items``: their authors and, if ``originals``, the posts that they refer to."""
    items = list(items)
    referred = {original.native: original for item in items if (original := _original(item)) is not None}
    referred = {
        native: original
        for native, original in referred.items()
        if originals and original.there(now_ms) and not original.gone(now_ms)
    }
    authors = {author_id(item.author): item for item in (*items, *referred.values())}
    found: Thing = {"users": [_user(id_, item) for id_, item in authors.items()]}
    if referred:
        found["tweets"] = [post(original, now_ms) for original in referred.values()]
    return found


def author_id(name: str | None) -> str:
    """Return the number of an author."""
    return str(1_000_000_000 + crc32((name or "").encode()))


def _original(item: Item) -> Item | None:
    if isinstance(item, Reply):
        return item.parent
    return item.post if isinstance(item, Repost) else None


def _user(id_: str, item: Item) -> Thing:
    name = item.author or "nobody"
    metrics = {"followers_count": item.followers or 0, "following_count": 100, "tweet_count": 1, "listed_count": 0}
    return {"id": id_, "name": name, "username": name.replace("-", "_")[:15], "public_metrics": metrics}


def _metrics(item: Item, now_ms: int) -> Thing:
    totals = item.totals(now_ms) if isinstance(item, Post) else item.votes.at(now_ms)
    shares = totals.shares
    if isinstance(item, Repost):  # X shows the original's
        return _metrics(item.post, now_ms) | {"like_count": 0, "reply_count": 0, "impression_count": 0}
    replies = totals.replies
    if replies is None:
        replies = sum(reply.there(now_ms) for reply in item.replies)
    return {
        "retweet_count": shares or 0,
        "reply_count": replies,
        "like_count": max(0, totals.likes or 0),
        "quote_count": 0,
        "bookmark_count": 0,
        "impression_count": totals.views or 0,
    }


def _text(item: Item) -> tuple[str, list[Thing]]:
    """Return the words of an item with three characters escaped, and its links; X shows links shortened."""
    if isinstance(item, Repost):
        words, links = _text(item.post)
        return f"RT @{item.post.author}: {words}"[:140], links
    title, url = (item.title, item.url) if isinstance(item, Post) else ("", None)
    words = escape("\n\n".join(filter(None, (title, item.text))), quote=False)
    if url is None:
        return words, []
    short = f"https://t.co/{crc32(url.encode()):08x}"
    start = len(words) + 1
    return f"{words} {short}", [{"start": start, "end": start + len(short), "url": short, "expanded_url": url}]
