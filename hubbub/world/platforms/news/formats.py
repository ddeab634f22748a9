"""The formats of feeds: RSS 2.0, Atom and JSON Feed, written from one form.

Owns where the values stand in each. Must never know a world. The form is that of the collector's reader. So a test can
read a feed, change it and write it again.

Sources: RFC 4287, https://www.rssboard.org/rss-specification and https://www.jsonfeed.org/version/1.1/.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from ingest.platforms.news.worker import read_feed

Feed = Mapping[str, Any]

CONTENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
)
_not_xml = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(feed: object) -> bytes:
    """Return a feed in the format that its ``format`` names."""
    assert isinstance(feed, dict)  # noqa: S101 (for the type checker)
    return _WRITERS[feed["format"]](feed).encode()


def read(body: bytes) -> dict[str, Any]:
    """Return a feed in the form in which :func:`write` takes it."""
    kind = "json" if body.startswith(b"{") else "atom" if b"<feed" in body[:200] else "rss"
    return {**read_feed(body), "format": kind}


def _rss(feed: Feed) -> str:
    items = "".join(
        "<item>"
        + _element("title", item.get("title"))
        + _element("link", item.get("link"))
        + _element("guid", item.get("id"), ' isPermaLink="false"')
        + _element("pubDate", item.get("published"))
        + _element("dc:creator", item.get("author"))
        + _element("description", item.get("summary"))
        + "</item>\n"
        for item in feed["entries"]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"{_element('title', feed['title'])}{_element('language', feed['language'])}{_element('ttl', feed['ttl'])}\n"
        f"{items}</channel></rss>\n"
    )


def _atom(feed: Feed) -> str:
    entries = "".join(
        "<entry>"
        + _element("title", item.get("title"), ' type="text"')
        + (f"<link href={quoteattr(_text(item['link']))}/>" if item.get("link") is not None else "")
        + _element("id", item.get("id"))
        + _element("published", item.get("published"))
        + (f"<author>{_element('name', item['author'])}</author>" if item.get("author") is not None else "")
        + _element("summary", item.get("summary"), ' type="html"')
        + "</entry>\n"
        for item in feed["entries"]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom">{_element("title", feed["title"])}\n{entries}</feed>\n'
    )


def _json(feed: Feed) -> str:
    names = {"id": "id", "link": "url", "title": "title", "summary": "content_html", "published": "date_published"}
    items = [
        {theirs: item[ours] for ours, theirs in names.items() if item.get(ours) is not None}
        | ({"authors": [{"name": item["author"]}]} if item.get("author") is not None else {})
        for item in feed["entries"]
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": feed["title"], "items": items})


_WRITERS: Final[Mapping[str, Callable[[Feed], str]]] = MappingProxyType({"rss": _rss, "atom": _atom, "json": _json})


def _element(name: str, value: object, attributes: str = "") -> str:
    return "" if value is None else f"<{name}{attributes}>{escape(_text(value))}</{name}>"


def _text(value: object) -> str:
    """Return a value as XML can carry it."""
    return _not_xml.sub("\ufffd", value if isinstance(value, str) else json.dumps(value))
