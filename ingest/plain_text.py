"""Plain text out of the little HTML in which platforms write posts and comments.

Owns that conversion. Must never trust the markup: its time is linear in the length of the text, whatever that holds.
"""

import html
import re

_tags = re.compile(r"<(/?[a-zA-Z][^<>]*)>")
_endless_number = re.compile(r"&#(?:0{0,4000}[1-9]\d{7,}|\d{4000,});?")
"""No character has such a number, and Python refuses to read one of more than 4 300 digits."""
_href = re.compile(r"""href\s*=\s*["']([^"']*)["']""", re.IGNORECASE)


def plain_text(markup: str) -> str:
    """Return ``markup`` as text: paragraphs apart, links as their whole address, entities resolved, tags gone.

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
        if tag.startswith("a ") and (link := _href.search(part)):
            parts.append(link.group(1))
            in_link = True
        elif tag == "/a":
            in_link = False
        elif tag in {"p", "pre", "br"}:
            in_link = False
            parts.append("\n\n")
    return html.unescape(_endless_number.sub("\ufffd", "".join(parts))).strip()
