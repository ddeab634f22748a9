"""Form: how a headline is written, whatever its words are.

Owns what is looked for. Must never know what they say about a story: that is learnt
(:mod:`scoring.impact.assessor`). A paper's title has capitals and a colon, a meme's is short and in lower case.
"""

import re

LONG_CHARS = 120
SHORT, VERY_SHORT = 7, 4
"""Words of a short headline."""
FEW_WORDS = 3
"""Up to so many words, capitals say nothing."""
LONG_WORD = 3
"""Letters of the longest words that a title may leave in lower case."""
TITLE_CASE, TITLE_WORDS = 0.8, 6
"""A title in title case has at least six words, and more than this share of its long ones begin with a capital."""
COLON_CASE = 0.7

_PATTERNS = {
    "ends with ?": re.compile(r"\?\s*\Z"),
    "ends with ! or .": re.compile(r"[!.]\s*\Z"),
    "version": re.compile(r"\bv?\d+\.\d"),
    "colon": re.compile(":"),
    "tag": re.compile(r"\A\[[A-Z]\]"),
    "emoji": re.compile("[\u2600-\U0010ffff]"),
    "digit": re.compile(r"\d"),
    "amount": re.compile(r"[$\u20ac\u00a3%]|\b(?:billion|million|bn|percent)\b"),
    "camel case": re.compile(r"[a-z][A-Z]|[A-Z]{2}"),
    "ellipsis": re.compile("\\.\\.\\.|\u2026"),
    "question word": re.compile(
        r"\A(?:how|what|why|when|who|which|can|is|are|do|does|should|will|has|anyone)\b", re.IGNORECASE
    ),
    "model size": re.compile(r"\b\d+(?:\.\d+)?[bB]\b"),
    "community's tag": re.compile(r"\A(?:TIL|AITA|WIBTA|ELI5|meirl|me_irl|Show HN|Ask HN)\b", re.IGNORECASE),
}
_FINDERS = tuple(pattern.search for pattern in _PATTERNS.values())

FORMS = ("length", "very short", "short", "capitals", "no capitals", "title case", "title case, colon", *_PATTERNS)
"""What each number says."""


def read_form(text: str) -> list[float]:
    """Return how far each of ``FORMS`` holds of ``text``, 0 to 1.

    >>> form = dict(zip(FORMS, read_form("Learning to Rank: A Survey of Sparse Methods"), strict=True))
    >>> form["title case, colon"], form["very short"]
    (1.0, 0.0)
    """
    words = text.split()
    count = len(words)
    long = [word for word in words if word[0].isalpha() and len(word) > LONG_WORD]
    capitals = sum(word[0].isupper() for word in long) / max(1, len(long))
    is_title = count >= TITLE_WORDS
    return [
        min(len(text), LONG_CHARS) / LONG_CHARS,
        float(count <= VERY_SHORT),
        float(count <= SHORT),
        capitals if count > FEW_WORDS else 0.0,
        float(capitals == 0),
        float(is_title and capitals > TITLE_CASE),
        float(is_title and capitals > COLON_CASE and ":" in text),
        *[float(find(text) is not None) for find in _FINDERS],
    ]
