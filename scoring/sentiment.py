"""Sentiment: whether a reply is positive or negative.

Owns the decision whether a text is English, and the thresholds of VADER's authors (:mod:`scoring.vader`). Must never
guess at another language: VADER would call such a text neutral, which counts as an opinion.
"""

import re

from scoring.cache import LookupCache
from scoring.observation import Sentiment
from scoring.vader import HAS, SPARE_BITS, compound, word_code

MAX_CHARS = 500
"""The part of a text that is read: a reply shows its sentiment early."""
THRESHOLD = 0.05
"""A compound value at least this far from 0 is positive or negative, by VADER's documentation."""

_COMMON = frozenset(
    """
    the of and to that have it for not with you this his from they she will would there their what about who which when
    could them see than then now its it's think how our is are were been did i'm don't that's isn't can't these those
    very too because why should really my your just know people
    """.split()  # noqa: SIM905 - a long list of quoted words is hard to read
)
"""Frequent words of English that are rare in related languages: about a third of any English text."""
_WORDS = re.compile(r"[^\W\d_]+(?:'[a-z]+)?").findall
_WORD, _COMMON_WORD, _ = SPARE_BITS
_LINK = re.compile(r"https?://\S+|[@#]\w+")


def sentiment(text: str | None, lang: str | None = None) -> Sentiment | None:
    """Return 1 for a positive text, -1 for a negative one, 0 for neither, None if the language is not English.

    ``lang``: the language stated by the platform (BCP 47). Where it states none, a text counts as English only if
    enough of its words are common in English.

    >>> sentiment("This is a great idea, I love it"), sentiment("This is a terrible idea, I hate it")
    (1, -1)
    >>> sentiment("Das ist eine furchtbare Idee") is None
    True
    """
    if not text:
        return None
    text = text[:MAX_CHARS]
    if "://" in text or "@" in text or "#" in text:
        text = _LINK.sub(" ", text)
    words = text.split()
    codes = bytes(map(_codes.__getitem__, words))
    if not _is_english(codes, lang):
        return None
    value = compound(text, words, codes)
    if value >= THRESHOLD:
        return 1
    return -1 if value <= -THRESHOLD else 0


def _is_english(codes: bytes, lang: str | None) -> bool:
    if lang is not None:
        return lang.lower().replace("_", "-").split("-")[0] in {"en", "eng"}
    common = codes.translate(HAS[_COMMON_WORD]).count(1)
    return common >= 2 and common * 6 >= codes.translate(HAS[_WORD]).count(1)


def _code(raw: str) -> int:
    """Return a word's code for VADER, with bits for "is a word" and "is a common English word"."""
    words = _WORDS(raw.replace("\u2019", "'").lower())
    is_common = any(word in _COMMON or ("'" in word and word.partition("'")[0] in _COMMON) for word in words)
    return word_code(raw) | (_WORD if words else 0) | (_COMMON_WORD if is_common else 0)


_codes = LookupCache(_code, capacity=20_000)
