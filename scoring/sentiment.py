"""Sentiment: whether a reply is for or against.

Owns the reading of English by VADER (Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014), with its authors' thresholds. Must never guess at another language: VADER reads a text
in any other as neutral, which would count as an opinion.
"""

from __future__ import annotations

import re
from functools import cache

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from scoring.observation import Sentiment

__all__ = ["sentiment"]

MAX_CHARS = 500
"""Read of a text: VADER's time grows faster than the text, and a reply says early what it thinks."""
THRESHOLD = 0.05
"""Of VADER's compound value, from its authors' documentation."""

_COMMON = re.compile(
    r"\b(?:the|of|and|to|that|have|it|for|not|with|you|this|his|from|they|she|will|would|there|their|what|about|who|which|"
    r"when|could|them|see|than|then|now|its|it's|think|how|our|is|are|were|been|did|i'm|don't|that's|isn't|can't|these|"
    r"those|very|too|because|why|should|really|my|your|just|know|people)\b"
).findall
"""Frequent words of English that are rare in its neighbours: about a third of any text."""
_WORDS = re.compile(r"[^\W\d_]+(?:'[a-z]+)?").findall
_LINK = re.compile(r"https?://\S+|[@#]\w+")


def sentiment(text: str | None, lang: str | None = None) -> Sentiment | None:
    """Return 1 for a favourable text, -1 for an unfavourable one, 0 for neither, None where it cannot be told.

    ``lang``: the language that the platform states (BCP 47); where it states none, a text counts as English only if
    enough of its words are common English ones.

    >>> sentiment("This is a great idea, I love it"), sentiment("This is a terrible idea, I hate it")
    (1, -1)
    >>> sentiment("Das ist eine furchtbare Idee") is None
    True
    """
    if not text:
        return None
    text = _LINK.sub(" ", text[:MAX_CHARS])
    if not _is_english(text, lang):
        return None
    compound = _analyzer().polarity_scores(text)["compound"]
    if compound >= THRESHOLD:
        return 1
    return -1 if compound <= -THRESHOLD else 0


def _is_english(text: str, lang: str | None) -> bool:
    if lang is not None:
        return lang.lower().replace("_", "-").split("-")[0] in {"en", "eng"}
    folded = text.replace("\u2019", "'").lower()
    words = _WORDS(folded)
    common = len(_COMMON(folded))
    return common >= 2 and common * 6 >= len(words)


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
