"""VADER's verdict on a text, in one pass over its words.

Owns the arithmetic of VADER's rules (Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014) for speed alone: ``vaderSentiment`` lowers and searches the whole text several times for
each word of its lexicon. Lexicon and constants are that package's, and a test holds every result against its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
    SentiText,
    allcap_differential,
    normalize,
)

__all__ = ["compound"]

_DAMPED = (1.0, 0.95, 0.9)
"""How much a booster says, by how many words stand between."""
_SO = frozenset(["so", "this"])
_MATTERS = _SO | {"no", "least"}
_NEGATE = frozenset(NEGATE)
_IDIOMATIC = frozenset(max(words.split(), key=len) for words in (*BOOSTER_DICT, *SPECIAL_CASES) if " " in words)
"""A word of each idiom of several; without any of them there is none."""


class _Token(NamedTuple):
    """What VADER knows of a word by itself.

    ``valence``: in its lexicon, None if it is not there. ``matters``: it may change what a word near it says.
    """

    word: str
    lower: str
    valence: float | None
    boost: float
    negates: bool
    is_upper: bool
    matters: bool


@lru_cache(maxsize=20_000)
def _token(raw: str) -> _Token:
    word = SentiText._strip_punc_if_word(raw)
    lower = word.lower()
    negates, boost, is_upper = lower in _NEGATE or "n't" in lower, BOOSTER_DICT.get(lower, 0.0), word.isupper()
    matters = negates or boost != 0 or is_upper or lower in _MATTERS or lower in _IDIOMATIC
    return _Token(word, lower, _vader().lexicon.get(lower), boost, negates, is_upper, matters)


@cache
def _vader() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def compound(text: str) -> float:
    """Return VADER's compound value of ``text``, -1 to 1: its ``polarity_scores(text)["compound"]``.

    >>> compound("This is a great idea!"), compound("the meeting is on Tuesday")
    (0.6588, 0.0)
    """
    vader = _vader()
    if not text.isascii() and not vader.emojis.keys().isdisjoint(text):
        text = _in_words(text, vader.emojis)
    tokens = [_token(raw) for raw in text.split()]
    telling = [place for place, token in enumerate(tokens) if token.valence is not None and not token.boost]
    if not telling:
        return 0.0
    words = [token.word for token in tokens]
    is_shouted = allcap_differential(words)
    valences = [0.0] * len(tokens)
    for place in telling:
        token = tokens[place]
        if not any([near.matters for near in tokens[max(0, place - 3) : place + 3]]):  # noqa: C419 (twice as fast)
            valences[place] = token.valence or 0.0
        elif token.lower != "kind" or [near.lower for near in tokens[place + 1 : place + 2]] != ["of"]:
            valences[place] = _valence(tokens, place, is_shouted=is_shouted)
    if "but" in text.lower():
        valences = vader._but_check(words, valences)
    total = float(sum(valences))
    emphasis = math.copysign(vader._punctuation_emphasis(text), total) if total else 0.0
    return round(float(normalize(total + emphasis)), 4)


def _in_words(text: str, emojis: Mapping[str, str]) -> str:
    """Return ``text`` with what its emojis show in their place."""
    parts = []
    after_space = True
    for character in text:
        shows = emojis.get(character)
        parts.append(character if shows is None else shows if after_space else f" {shows}")
        after_space = shows is None and character == " "
    return "".join(parts)


def _valence(tokens: Sequence[_Token], place: int, *, is_shouted: bool) -> float:
    """Return what the word at ``place`` says among its neighbours."""
    token = tokens[place]
    own = valence = token.valence or 0.0
    before = [near.lower for near in tokens[max(0, place - 3) : place][::-1]]
    if token.lower == "no" and place + 1 < len(tokens) and tokens[place + 1].valence is not None:
        valence = 0.0
    if "no" in before[:2] or (before[2:] == ["no"] and before[0] in {"or", "nor"}):
        valence = own * N_SCALAR
    if token.is_upper and is_shouted:
        valence += C_INCR if valence > 0 else -C_INCR
    for distance in range(len(before)):
        near = tokens[place - distance - 1]
        if near.valence is not None:
            continue
        if near.boost:
            boost = near.boost if valence >= 0 else -near.boost
            if near.is_upper and is_shouted:
                boost += C_INCR if valence > 0 else -C_INCR
            valence += boost * _DAMPED[distance]
        valence *= _negation(before, distance, negates=near.negates)
        if distance == 2 and not _IDIOMATIC.isdisjoint([near.lower for near in tokens[place - 3 : place + 3]]):
            valence = _vader()._special_idioms_check(valence, [near.word for near in tokens[place - 3 : place + 3]], 3)
    if before and before[0] == "least" and (len(before) < 2 or before[1] not in {"at", "very"}):
        valence *= N_SCALAR
    return valence


def _negation(before: Sequence[str], distance: int, *, negates: bool) -> float:
    """Return the factor by which the word ``distance`` words away, one of those ``before``, turns what follows."""
    if distance == 1 and before[1] == "never" and before[0] in _SO:
        return 1.25
    if distance == 2 and (before[0] in _SO or (before[2] == "never" and before[1] in _SO)):
        return 1.25
    if distance and before[distance] == "without" and "doubt" in before[:distance]:
        return 1.0
    return float(N_SCALAR) if negates else 1.0
