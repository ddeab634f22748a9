"""VADER's verdict on a text, in one pass over its words.

Owns the arithmetic of VADER's rules (Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014) for speed alone: ``vaderSentiment`` lowers and searches the whole text several times for
each word of its lexicon. Lexicon and constants are that package's, and a test holds every result against its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
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

from scoring.memo import Memo

__all__ = ["compound"]

_DAMPED = (1.0, 0.95, 0.9)
"""How much a booster says, by how many words stand between."""
_SO = frozenset(["so", "this"])
_MATTERS = _SO | {"no", "least"}
_NEGATE = frozenset(NEGATE)
_IDIOMATIC = frozenset(max(words.split(), key=len) for words in (*BOOSTER_DICT, *SPECIAL_CASES) if " " in words)
"""A word of each idiom of several; without any of them there is none."""


class _Token(NamedTuple):
    """What VADER knows of a word by itself. ``valence``: in its lexicon, None if it is not there."""

    word: str
    lower: str
    valence: float | None
    boost: float
    negates: bool
    is_upper: bool

    @property
    def code(self) -> int:
        """The word's bits: it is felt, may change what a word near it says, is of an idiom, is "but"."""
        lower, felt = self.lower, self.valence is not None and not self.boost
        idiomatic = lower in _IDIOMATIC
        changes = idiomatic or self.negates or self.boost != 0 or self.is_upper or lower in _MATTERS
        return _FELT * felt + _CHANGES * changes + _IDIOM * idiomatic + _BUT * (lower == "but")


_BITS = _FELT, _CHANGES, _IDIOM, _BUT = 1, 2, 4, 8
_WITHOUT = {bit: bytes(code for code in range(16) if not code & bit) for bit in _BITS}
"""The codes without a bit: if nothing is left of a text's codes without them, no word has it."""


def _token(raw: str) -> _Token:
    word = SentiText._strip_punc_if_word(raw)
    lower = word.lower()
    negates, boost = lower in _NEGATE or "n't" in lower, BOOSTER_DICT.get(lower, 0.0)
    return _Token(word, lower, _vader().lexicon.get(lower), boost, negates, word.isupper())


_tokens = Memo(_token, most=20_000)
_codes = Memo(lambda raw: _tokens[raw].code, most=20_000)


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
    raws = text.split()
    codes = bytes(map(_codes.__getitem__, raws))
    if not _any(_FELT, codes):
        return 0.0
    tokens = list(map(_tokens.__getitem__, raws))
    valences = [0.0] * len(tokens)
    for place, code in enumerate(codes):
        if code & _FELT:
            near = codes[max(0, place - 3) : place + 3]
            valences[place] = _valence(tokens, place, near) if _any(_CHANGES, near) else tokens[place].valence or 0.0
    if _any(_BUT, codes):
        valences = vader._but_check([token.word for token in tokens], valences)
    total = float(sum(valences))
    if total and ("!" in text or "?" in text):
        total += math.copysign(vader._punctuation_emphasis(text), total)
    return round(float(normalize(total)), 4)


def _any(bit: int, codes: bytes) -> bool:
    """Say whether any of the codes has that bit."""
    return bool(codes.translate(None, _WITHOUT[bit]))


def _in_words(text: str, emojis: Mapping[str, str]) -> str:
    """Return ``text`` with what its emojis show in their place."""
    parts = []
    after_space = True
    for character in text:
        shows = emojis.get(character)
        parts.append(character if shows is None else shows if after_space else f" {shows}")
        after_space = shows is None and character == " "
    return "".join(parts)


def _valence(tokens: Sequence[_Token], place: int, codes: bytes) -> float:
    """Return what the word at ``place`` says among its neighbours, which have ``codes``."""
    token = tokens[place]
    if token.lower == "kind" and [near.lower for near in tokens[place + 1 : place + 2]] == ["of"]:
        return 0.0
    own = valence = token.valence or 0.0
    before = [near.lower for near in tokens[max(0, place - 3) : place][::-1]]
    if token.lower == "no" and place + 1 < len(tokens) and tokens[place + 1].valence is not None:
        valence = 0.0
    if "no" in before[:2] or (before[2:] == ["no"] and before[0] in {"or", "nor"}):
        valence = own * N_SCALAR
    if token.is_upper and _is_shouted(tokens):
        valence += C_INCR if valence > 0 else -C_INCR
    for distance in range(len(before)):
        near = tokens[place - distance - 1]
        if near.valence is not None:
            continue
        if near.boost:
            boost = near.boost if valence >= 0 else -near.boost
            if near.is_upper and _is_shouted(tokens):
                boost += C_INCR if valence > 0 else -C_INCR
            valence += boost * _DAMPED[distance]
        if near.negates or before[0] in _SO:
            valence *= _negation(before, distance, negates=near.negates)
        if distance == 2 and _any(_IDIOM, codes):
            valence = _vader()._special_idioms_check(valence, [near.word for near in tokens[place - 3 : place + 3]], 3)
    if before and before[0] == "least" and (len(before) < 2 or before[1] not in {"at", "very"}):
        valence *= N_SCALAR
    return valence


def _is_shouted(tokens: Sequence[_Token]) -> bool:
    """Say whether some words are in capitals, and others not."""
    return bool(allcap_differential([token.word for token in tokens]))


def _negation(before: Sequence[str], distance: int, *, negates: bool) -> float:
    """Return the factor by which the word ``distance`` words away, one of those ``before``, turns what follows."""
    if distance == 1 and before[1] == "never" and before[0] in _SO:
        return 1.25
    if distance == 2 and (before[0] in _SO or (before[2] == "never" and before[1] in _SO)):
        return 1.25
    if distance and before[distance] == "without" and "doubt" in before[:distance]:
        return 1.0
    return float(N_SCALAR) if negates else 1.0
