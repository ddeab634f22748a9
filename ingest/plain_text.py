"""Plain text out of the little HTML in which platforms write posts and comments.

Owns that conversion. Must never trust the markup: its time is linear in the length of the text, whatever that holds.
"""

import html
import re

_tags = re.compile(r"<(/?[a-zA-Z][^<>]*)>")
_endless_number = re.compile(r"&#(?:0{0,4000}[1-9]\d{7,}|\d{4000,});?")
"""No character has such a number, and Python refuses to read one of more than 4 300 digits."""
_href = re.compile(r"""href\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_named = re.compile(r"""class\s*=\s*["'][^"']*\b(?:mention|hashtag)\b""", re.IGNORECASE)
"""The class of a link whose text says it all: @somebody, #something."""
_BLOCKS = frozenset({"p", "pre", "br", "li", "blockquote"})


def plain_text(markup: str) -> str:
    """Return ``markup`` as text: paragraphs apart, links as their whole address, entities resolved, tags gone.

    A mention or a hashtag stays as it is written.

    >>> plain_text('It&#x27;s <i>here</i>: <a href="https:&#x2F;&#x2F;a.example&#x2F;b">https:...</a><p>See?')
    "It's here: https://a.example/b\\n\\nSee?"
    """
    parts: list[str] = []
    in_link = False
    # re.split with one group: text, tag, text, tag, …, text
    for place, part in enumerate(_tags.split(markup)):
        if place % 2 == 0:
            if not in_link:
                parts.append(part)
            continue
        tag = part.lower()
        if tag.startswith("a ") and not _named.search(part) and (link := _href.search(part)):
            parts.append(link.group(1))
            in_link = True
        elif tag == "/a":
            in_link = False
        elif _first_word(tag) in _BLOCKS:
            in_link = False
            parts.append("\n\n")
    return html.unescape(_endless_number.sub("\ufffd", "".join(parts))).strip()


def _first_word(tag: str) -> str:
    """Return the name of a tag, without its attributes and the slash of ``<br/>``."""
    return tag.split(maxsplit=1)[0].rstrip("/")
