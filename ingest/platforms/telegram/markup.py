"""HTML as a stream of tags and texts.

Owns that division. It is for pages that a program writes, so it repairs nothing. Its time is linear in the length of a
page, whatever that holds: Python's own parser takes minutes for some pages of 400 kB. Must never know what a tag means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Final, NamedTuple

__all__ = ["Tag", "read_markup"]

MAX_ATTRIBUTES_CHARS: Final = 20_000
"""How much of the attributes of one tag is read; a long link has some hundred characters."""
RAW: Final = frozenset({"script", "style"})
"""Elements whose text is no markup."""

_tag = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9-]{0,40})((?:\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)?/?)>""")
_attribute = re.compile(r"""([a-zA-Z][\w-]{0,40})\s{0,5}=\s{0,5}(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")
_endless_number = re.compile(r"&#(?:\d{4000,}|[xX][0-9a-fA-F]{4000,});?")
"""Python refuses to read a number of more than 4 300 digits."""


class Tag(NamedTuple):
    """A tag; the names are in lower case. ``ends``: whether it is an end tag."""

    name: str
    ends: bool
    attributes: Mapping[str, str]


def read_markup(html: str) -> Iterator[Tag | str]:
    """Yield the tags and the texts between them, in order, with entities resolved. Comments are left out.

    >>> list(read_markup('<a HREF="/x?a&amp;b">1 &lt; 2</a><!-- <b> --> < 3'))[:3]
    [Tag(name='a', ends=False, attributes={'href': '/x?a&b'}), '1 < 2', Tag(name='a', ends=True, attributes={})]
    """
    at = 0
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield _text(html[at:start])
        if html.startswith("<!--", start):
            at = _after(html, "-->", start + 4)
        elif (found := _tag.match(html, start)) is not None:
            name = found[2].lower()
            yield Tag(name, bool(found[1]), _attributes(found[3]))
            at = found.end()
            if name in RAW and not found[1]:
                at = _after(html, f"</{name}>", at)
        else:
            if not html.startswith(("<!", "<?"), start):
                yield "<"
            at = start + 1
    if at < len(html):
        yield _text(html[at:])


def _after(html: str, end: str, start: int) -> int:
    at = html.find(end, start)
    return len(html) if at < 0 else at + len(end)


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _attribute.finditer(text, 0, MAX_ATTRIBUTES_CHARS):
        found.setdefault(match[1].lower(), _text(match[2] or match[3] or match[4] or ""))
    return found


def _text(text: str) -> str:
    return unescape(_endless_number.sub("\ufffd", text)) if "&" in text else text
