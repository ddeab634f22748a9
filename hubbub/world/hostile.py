"""Hostile texts: what platforms really carry and what breaks readers.

Owns titles and bodies meant to hurt whoever trusts them. Reddit takes 300 characters in a title and 40 000 in a text.
"""

from __future__ import annotations

__all__ = ["HOSTILE"]

HOSTILE: tuple[tuple[str, str], ...] = (
    ("<script>alert('hubbub')</script><b>bold claim</b>", "<iframe src=//example.com></iframe>"),
    ("\"><img src=x onerror=alert(1)>'; DROP TABLE stories;--", "{{7*7}} ${7*7} <%= 7*7 %>"),
    ("\u202eeltit desrever a\u202c and a forward one", "right\u200f-to-\u200eleft \u2067marks\u2069"),
    ("z\u200be\u200br\u200bo\u200b-\u200dw\u200ci\u2060d\ufeffth sp\u00adaces", "\u200b" * 500),
    ("\U0001f600\U0001f525\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 20, ""),
    ("Z\u0351\u036ba\u0363\u034cl\u035bg\u0352o\u0362 " * 20, ""),
    ("A" * 300, "lorem ipsum dolor sit amet " * 1480),
    ("\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u4f60\u597d \u3053\u3093\u306b\u3061\u306f mixed", ""),
    ("control\x07 and null\x00 and line\u2028separator \x1b[31mred\x1b[0m", "tab\tbell\x07\r\n" * 20),
    ("half a pair: \ud83d and its other half: \ude00", "lone \udfff surrogate"),
    ("   ", ""),
    ("=HYPERLINK(\"http://example.com\",\"click\") @everyone `rm -rf /`", "%s%s%s%n ../../../../etc/passwd"),
)  # fmt: skip
"""Pairs of title and text. The one with half a surrogate pair is valid JSON on the wire, but not valid Unicode."""
