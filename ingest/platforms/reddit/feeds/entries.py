"""Entries of Reddit's Atom feeds, as the things of its API. Pure: no clock, no network, no memory.

Owns what each field of an entry means. Must never judge a thing: ``convert.py`` does, wherever it comes from.

- the id is the fullname (``t3_…`` a post, ``t1_…`` a comment), the category is the subreddit;
- ``published`` is when it was created; an entry without it (a comment's) has ``updated``;
- a post's content ends with two links: ``[link]`` is its url, ``[comments]`` its thread;
- a comment's link names the post it is in: ``/r/NAME/comments/POST/WORDS/COMMENT/``;
- there are no counts and no members, so these stay unknown.
"""

import calendar
import html
import re
from typing import Final

import feedparser

from ingest.plain_text import plain_text
from transport.errors import RetryLaterError

MAX_ENTRIES: Final = 500
"""Most entries that are read of one feed; Reddit's have at most 100."""
GONE: Final = ("[deleted]", "[removed]")
_link = re.compile(r'<a href="([^"<>]{1,8192})">\[link\]</a>')
_TEXT_BEGINS: Final = "<!-- SC_OFF -->"
_TEXT_ENDS: Final = "<!-- SC_ON -->"
_post_of = re.compile(r"/comments/([A-Za-z0-9]{1,28})(?:[/?#]|$)")


def things(feed: bytes) -> tuple[object, ...]:
    """Return the things of a feed in its order.

    Raises:
        RetryLaterError: it is no feed.
    """
    if b"<!ENTITY" in feed:
        raise RetryLaterError("the feed declares entities, which Reddit's never do")
    parsed = feedparser.parse(feed, sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version") or (parsed.get("bozo") and not parsed.entries):
        raise RetryLaterError(f"no feed: {feed[:80]!r}")
    return tuple(_thing(entry) for entry in parsed.entries[:MAX_ENTRIES])


def _thing(entry: feedparser.FeedParserDict) -> object:
    name, link = _text(entry, "id"), _text(entry, "link")
    contents = entry.get("content") or [{}]
    content = contents[0].get("value") or ""
    tags = entry.get("tags") or [{}]
    data: dict[str, object] = {
        "name": name,
        "author": (_text(entry, "author") or "").removeprefix("/u/") or None,
        "subreddit": tags[0].get("term") or None,
        "permalink": link,
        "created_utc": _created_utc(entry),
    }
    kind = (name or "").partition("_")[0]
    if kind == "t1":
        post = _post_of.search(link or "")
        data |= {"link_id": f"t3_{post[1]}" if post else None, "body": _plain(content)}
    else:
        data |= {"title": _text(entry, "title"), **_content(content, link)}
    return {"kind": kind, "data": data}


def _content(content: str, permalink: str | None) -> dict[str, object]:
    """Return the fields of a post that its content tells."""
    *_, link = [None, *_link.findall(content)]  # the last one: the text before it may imitate it
    url = None if link is None else html.unescape(link)
    own_text = _own_text(content)
    text = _plain(own_text) if own_text is not None else content if content in GONE else ""
    return {"url": url, "is_self": url is None or url == permalink, "selftext": text or None}


def _own_text(content: str) -> str | None:
    """Return what stands between the first two marks; None without them. No pattern: its time would be quadratic."""
    _, begins, rest = content.partition(_TEXT_BEGINS)
    text, ends, _ = rest.partition(_TEXT_ENDS)
    return text if begins and ends else None


def _created_utc(entry: feedparser.FeedParserDict) -> float | None:
    # Not entry.get: it would give one for the other, and warn of it.
    created = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
    try:
        return None if created is None else float(calendar.timegm(created))
    except (ValueError, OverflowError):
        return None


def _text(entry: feedparser.FeedParserDict, field: str) -> str | None:
    value = entry.get(field)
    return value if isinstance(value, str) else None


def _plain(markup: str) -> str:
    return plain_text(markup.replace(_TEXT_BEGINS, "").replace(_TEXT_ENDS, ""))
