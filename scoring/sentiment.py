"""Sentiment: whether a reply is for or against.

Owns the reading of English by VADER (Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014), with its authors' thresholds. Must never guess at another language: VADER reads a text
in any other as neutral, which would count as an opinion.
"""

from __future__ import annotations

import math
import re
from functools import cache

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
    SentiText,
    normalize,
)

from scoring.observation import Sentiment

__all__ = ["sentiment"]

MAX_CHARS = 500
"""Read of a text: VADER's time grows faster than the text, and a reply says early what it thinks."""
THRESHOLD = 0.05
"""Of VADER's compound value, from its authors' documentation."""

_CHANGING = frozenset(
    ["no", "so", "this", "least", *NEGATE, *(max(words.split(), key=len) for words in (*BOOSTER_DICT, *SPECIAL_CASES))]
)
"""Near one of these, or a word with "n't", a word does not just say what VADER's lexicon has of it."""
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
    compound = _compound(text)
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


class _Around:
    """A word and those about it, as VADER wants to be shown a text."""

    __slots__ = ("is_cap_diff", "words_and_emoticons")

    def __init__(self, words: list[str], *, is_cap_diff: bool) -> None:
        self.words_and_emoticons = words
        self.is_cap_diff = is_cap_diff


def _compound(text: str) -> float:
    """Return VADER's compound value, -1 to 1: ``polarity_scores(text)["compound"]``, in a fraction of the time.

    VADER goes through the whole text several times for each word of its lexicon, though only three words before and
    two after can change what that word says. So it is shown no more than those, and only where they could.
    """
    vader = _analyzer()
    if not text.isascii() and not vader.emojis.keys().isdisjoint(text):
        return float(vader.polarity_scores(text)["compound"])
    whole = SentiText(text.strip())
    words, lexicon = whole.words_and_emoticons, vader.lexicon
    lower = [word.lower() for word in words]
    valences = [0.0] * len(words)
    for place, word in enumerate(lower):
        if word not in lexicon or word in BOOSTER_DICT or (word == "kind" and lower[place + 1 : place + 2] == ["of"]):
            continue
        begin, end = max(0, place - 3), place + 3
        about = lower[begin:end]
        if _CHANGING.isdisjoint(about) and not words[place].isupper() and not any("n't" in near for near in about):
            valences[place] = lexicon[word]
        else:
            around = _Around(words[begin:end], is_cap_diff=whole.is_cap_diff)
            valences[place] = vader.sentiment_valence(0, around, words[place], place - begin, [])[0]
    total = sum(vader._but_check(words, valences))
    emphasis = math.copysign(vader._punctuation_emphasis(text), total) if total else 0.0
    return round(float(normalize(total + emphasis)), 4)


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
