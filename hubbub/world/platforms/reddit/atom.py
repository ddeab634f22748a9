"""Reddit's Atom feeds: how posts and comments look in them.

Owns the XML, and its form as plain objects, in which tests change entries. Pure. Must never know HTTP. The elements are
those of feeds that reddit.com sent in 2026.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from xml.etree import ElementTree as ET

from hubbub.world.platforms.reddit.things import SITE, Thing

ATOM: Final = "http://www.w3.org/2005/Atom"
_forbidden = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no place for."""
_PLAIN: Final = ("id", "updated", "published", "title")


def entry(thing: Mapping[str, Any]) -> Thing:
    """Return a ``t1`` or ``t3`` of the API as an entry: its elements by name."""
    data = thing["data"]
    created = datetime.fromtimestamp(data["created_utc"], UTC).isoformat(timespec="seconds")
    link = SITE + data["permalink"]
    found: Thing = {
        "author": f"/u/{data['author']}",
        "category": data["subreddit"],
        "id": data["name"],
        "link": link,
        "updated": created,
    }
    if thing["kind"] == "t1":
        found["content"] = _marked(data["body"])
        return found | {"title": f"/u/{data['author']} on {data.get('link_title', 'a post')}"}
    text = _marked(data["selftext"]) if data.get("selftext") else ""
    links = ((data["url"], "[link]"), (link, "[comments]"))
    anchors = " &#32; ".join(f'<span><a href="{escape(str(url))}">{word}</a></span>' for url, word in links)
    user = f'<a href="{SITE}/user/{data["author"]}"> /u/{data["author"]} </a>'
    content = f"{text} &#32; submitted by &#32; {user} <br/> {anchors}"
    return found | {"content": content, "published": created, "title": data["title"]}


def encode(value: object) -> bytes:
    """Return a feed, ``{"entries": […]}``, as XML. What XML cannot carry, such as a list for a title, is left out."""
    feed = ET.Element("feed", {"xmlns": ATOM})
    ET.SubElement(feed, "title").text = "newest"
    entries = value.get("entries") if isinstance(value, dict) else None
    for fields in entries if isinstance(entries, list) else []:
        if isinstance(fields, dict):
            _add_entry(feed, {name: text for name, field in fields.items() if (text := _text(field)) is not None})
    return b'<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(feed)


def decode(body: bytes) -> object:
    """Return a feed that :func:`encode` wrote as plain objects."""
    return {"entries": [dict(_fields(found)) for found in ET.fromstring(body).iter(f"{{{ATOM}}}entry")]}  # noqa: S314


def _add_entry(feed: ET.Element, fields: Mapping[str, str]) -> None:
    found = ET.SubElement(feed, "entry")
    if "author" in fields:
        ET.SubElement(ET.SubElement(found, "author"), "name").text = fields["author"]
    if "category" in fields:
        ET.SubElement(found, "category", {"term": fields["category"], "label": f"r/{fields['category']}"})
    if "content" in fields:
        ET.SubElement(found, "content", {"type": "html"}).text = fields["content"]
    if "link" in fields:
        ET.SubElement(found, "link", {"href": fields["link"]})
    for name in _PLAIN:
        if name in fields:
            ET.SubElement(found, name).text = fields[name]


def _fields(found: ET.Element) -> Iterable[tuple[str, str]]:
    for part in found:
        name = part.tag.partition("}")[2]
        match name:
            case "author":
                yield name, "".join(part.itertext())
            case "category":
                yield name, part.get("term", "")
            case "link":
                yield name, part.get("href", "")
            case _:
                yield name, part.text or ""


def _text(field: object) -> str | None:
    return _forbidden.sub("\ufffd", str(field)) if isinstance(field, str | int | float) else None


def _marked(text: object) -> str:
    return f'<!-- SC_OFF --><div class="md"><p>{escape(str(text))}</p>\n</div><!-- SC_ON -->'
