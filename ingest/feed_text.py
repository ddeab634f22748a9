"""Plain text out of what other people call text: HTML, escaped once or twice, or no HTML at all.

Owns that conversion, for all collectors. Must never trust the markup: its time is linear in the length of the text,
whatever that holds. No tag of HTML remains, but the result is still untrusted: each page that shows it must escape it.
"""

import html
import re
from typing import Final

MAX_ESCAPES: Final = 3
"""How often a text may have been escaped. Feeds escape a title twice; an aggregator of such feeds once more."""

_UNSEEN: Final = frozenset({"iframe", "noscript", "script", "style", "template"})
"""Elements whose content no reader sees."""
_is_block = re.compile(r"article|blockquote|br|div|figure|h[1-6]|hr|li|ol|p|pre|section|table|tr|ul").fullmatch
_is_inline = re.compile(
    "a|abbr|acronym|address|aside|audio|b|bdi|bdo|big|body|button|caption|center|cite|code|col|dd|del|details|dfn|dl|dt"
    "|em|embed|figcaption|font|footer|form|head|header|html|i|img|input|ins|kbd|label|link|main|mark|meta|nav|object"
    "|param|picture|q|s|samp|small|source|span|strike|strong|sub|summary|sup|svg|tbody|td|tfoot|th|thead|time|title|tt"
    "|u|var|video|wbr"
).fullmatch
_tags = re.compile(r"<((?:/?[a-zA-Z]|!)[^<>]*)>")
_name = re.compile(r"/?[a-z][a-z0-9]*(?![^\s/>])").match
_endless_number = re.compile(r"&#(?:0{0,4000}[1-9]\d{7,}|\d{4000,});?")
"""No character has such a number, and Python refuses to read one of more than 4 300 digits."""
_paragraphs = re.compile(r"\n\n+").split


def plain_text(markup: str) -> str:
    """Return ``markup`` as text: paragraphs apart, entities resolved, tags gone.

    >>> plain_text("<p>AT&amp;amp;T &lt;b&gt;splits&lt;/b&gt;</p><p>Why List<T> matters</p>")
    'AT&T splits\\n\\nWhy List<T> matters'
    """
    text = markup
    for _ in range(MAX_ESCAPES):
        before = text
        text = html.unescape(_endless_number.sub("\ufffd", _without_tags(text)))
        if text == before:
            break
    paragraphs = (" ".join(paragraph.split()) for paragraph in _paragraphs(_without_tags(text)))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def one_line(markup: str) -> str:
    """Return ``markup`` as text in one line, for a title or a name."""
    return " ".join(plain_text(markup).split())


def _without_tags(markup: str) -> str:
    """Remove the tags of HTML; anything else in angle brackets is what the author says: ``List<T>``."""
    if "<" not in markup:
        return markup
    markup = markup.replace("<![CDATA[", "").replace("]]>", "")
    parts = _tags.split(markup)  # text, tag, text, tag, …, text
    names = [found[0] if (found := _name(tag.lower())) else "" for tag in parts[1::2]]
    closed = {name[1:] for name in names if name.startswith("/")}
    kept: list[str] = [parts[0]]
    unseen = ""
    for name, tag, text in zip(names, parts[1::2], parts[2::2], strict=True):
        if unseen:
            if name != f"/{unseen}":
                continue
            unseen = ""
        elif name in _UNSEEN and name in closed:
            unseen = name
            continue
        element = name.removeprefix("/")
        if _is_block(element):
            kept.append("\n\n")
        elif not _is_inline(element) and element not in _UNSEEN and not tag.startswith("!"):
            kept.append(f"<{tag}>")
        kept.append(text)
    return "".join(kept)
