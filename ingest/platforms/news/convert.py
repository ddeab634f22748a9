"""Articles of feeds into signals. Pure: no clock, no network, no memory.

Owns what each field of an entry means, and which of them identifies the article. Must never fetch.

- An article is a post. Its id is its link (:mod:`ingest.page_key`), because feeds renew their own ids. An entry without
  a link is identified by the id that the feed gives it. If it has none either, its words identify it.
- Feeds state no counts and no deletions.
- An article is as old as the feed says, but never newer than when it was seen. Without a date, it is new.
"""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import quote

import msgspec

from ingest.batch import Signals, errors_to_dead_letters, well_formed
from ingest.feed_text import one_line, plain_text
from ingest.page_key import bounded_key, page_key
from ingest.platforms.news.dates import date_ms
from ingest.signal import MAX_URL_CHARS, Author, Community, Signal

PLATFORM = "news"
MAX_TEXT_CHARS = 4_000
"""Longest text of a signal: a teaser or an abstract. The whole article is for its site to show."""
MAX_MARKUP_CHARS = 20_000
MAX_NAME_CHARS = 5_000
MAX_LANGUAGE_CHARS = 35


class Entry(msgspec.Struct):
    """An entry of a feed. ``feed``: the feed's title; ``feed_url``: where it is."""

    feed: str | None = None
    feed_url: str | None = None
    id: str | None = None
    link: str | None = None
    title: str | None = None
    summary: str | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int) -> Signals:
    """Return what becomes of one entry, as the worker reads it. ``witnessed_ms``: when the feed arrived."""
    entry = msgspec.convert(raw, Entry)
    link = (entry.link or "").strip()
    if page_key(link) is None or len(link) > MAX_URL_CHARS:
        link = (entry.id or "").strip()
        link = link if page_key(link) is not None and len(link) <= MAX_URL_CHARS else ""
    title = one_line((entry.title or "")[:MAX_MARKUP_CHARS])
    text = plain_text((entry.summary or "")[:MAX_MARKUP_CHARS])[:MAX_TEXT_CHARS]
    id_ = f"{PLATFORM}:{_native_id(entry, link, title or text)}"
    published_ms = date_ms(entry.published) if entry.published else None
    found = Signal(
        id=id_,
        kind="post",
        platform=PLATFORM,
        thread=id_,
        author=Author(name=author) if (author := _name(entry.author)) else None,
        community=Community(name=feed) if (feed := _name(entry.feed)) else None,
        title=well_formed(title) or None,
        text=well_formed(text) or None,
        url=well_formed(link) or None,
        permalink=well_formed(link) or None,
        lang=well_formed(entry.language)[:MAX_LANGUAGE_CHARS] if entry.language else None,
        created_ms=witnessed_ms if published_ms is None else min(published_ms, witnessed_ms),
        observed_ms=witnessed_ms,
    )
    return Signals([found])


def _native_id(entry: Entry, link: str, words: str) -> str:
    if (key := page_key(link)) is not None:
        return key
    place = page_key(entry.feed_url or "") or "feed"
    own_id = (entry.id or "").strip()
    if own_id:
        return bounded_key(f"{place}/{quote(well_formed(own_id), safe=':@/;,=+!')}")
    if not words:
        raise ValueError("an entry without a link, an id, a title and a text")
    return f"{place[:400]}/~{blake2b(well_formed(words).encode(), digest_size=16).hexdigest()}"


def _name(markup: str | None) -> str:
    return well_formed(one_line((markup or "")[:MAX_NAME_CHARS]))
