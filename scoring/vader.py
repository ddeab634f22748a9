"""VADER's verdict on a text, in one pass over its words.

Owns the arithmetic of VADER's rules (Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014) for speed alone: ``vaderSentiment`` lowers and searches the whole text several times for
each word of its lexicon. Lexicon and constants are that package's, and a test holds every result against its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import compress
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

__all__ = ["HAS", "SPARE_BITS", "compound", "word_code"]

_DAMPED = (1.0, 0.95, 0.9)
"""How much a booster says, by how many words stand between."""
_SO = frozenset(["so", "this"])
_MATTERS = _SO | {"no", "least"}
_NAMED = _MATTERS | {"or", "nor", "never", "without", "doubt", "at", "very"}
"""Words that the rules name."""
_NEGATE = frozenset(NEGATE)
_IDIOMS: dict[str, list[tuple[int, list[str]]]] = {}
"""Idioms of several words by their longest one, with its place in them: without that one there is none."""
for _idiom in (words.split() for words in (*BOOSTER_DICT, *SPECIAL_CASES) if " " in words):
    _longest = max(_idiom, key=len)
    _IDIOMS.setdefault(_longest, []).append((_idiom.index(_longest), _idiom))


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
        """The word's bits: it is felt, changes what later ones say, is "but", of an idiom, to be read in its text."""
        lower = self.lower
        holds = {
            _FELT: self.valence is not None and not self.boost,
            _CHANGES: self.negates or self.boost != 0 or lower in _MATTERS,
            _BUT: lower == "but",
            _IDIOM: lower in _IDIOMS,
            _WANTS_TEXT: self.is_upper or lower == "no",
        }
        return sum(bit for bit, is_set in holds.items() if is_set)

    @property
    def stand_in(self) -> str:
        """A word that changes what later ones say as this one does; there are few of them."""
        if self.negates or self.boost or self.lower in _NAMED:
            return self.lower
        return "" if self.valence is None else "good"


_BITS = _FELT, _CHANGES, _BUT, _IDIOM, _WANTS_TEXT = 1, 2, 4, 8, 16
SPARE_BITS = 32, 64, 128
"""Of a word's code, for what a caller wants to know of it."""
HAS = {bit: bytes(bool(code & bit) for code in range(256)) for bit in (*_BITS, *SPARE_BITS)}
"""Tables for ``bytes.translate``, which turn the codes of words into whether each has a bit."""


def _token(raw: str) -> _Token:
    word = SentiText._strip_punc_if_word(raw)
    lower = word.lower()
    negates, boost = lower in _NEGATE or "n't" in lower, BOOSTER_DICT.get(lower, 0.0)
    return _Token(word, lower, _vader().lexicon.get(lower), boost, negates, word.isupper())


def word_code(word: str) -> int:
    """Return what VADER knows of a word of a text, in bits that are none of ``SPARE_BITS``."""
    return _tokens[word].code


_tokens = Memo(_token, most=20_000)
_codes = Memo(word_code, most=20_000)
_stand_ins: Memo[str, str] = Memo(lambda raw: _tokens[raw].stand_in, most=20_000)
_alone: Memo[str, float] = Memo(lambda raw: _valence((raw,), 0), most=20_000)
_valences: Memo[tuple[str, ...], float] = Memo(lambda words: _valence(words, len(words) - 1), most=20_000)
"""What the last of some words says, of which none wants its whole text."""


@cache
def _vader() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def compound(text: str, words: Sequence[str] | None = None, codes: bytes | None = None) -> float:
    """Return VADER's compound value of ``text``, -1 to 1: its ``polarity_scores(text)["compound"]``.

    ``words``: what ``text.split()`` gives, and ``codes``: the :func:`word_code` of each, where these are known.

    >>> compound("This is a great idea!"), compound("the meeting is on Tuesday")
    (0.6588, 0.0)
    """
    vader = _vader()
    if not text.isascii() and not vader.emojis.keys().isdisjoint(text):
        text = _in_words(text, vader.emojis)
        words = codes = None
    if words is None:
        words = text.split()
    if codes is None:
        codes = bytes(map(_codes.__getitem__, words))
    felt = codes.translate(HAS[_FELT])
    if 1 not in felt:
        return 0.0
    valences = list(map(_alone.__getitem__, compress(words, felt)))
    changes, wants_text = codes.translate(HAS[_CHANGES]), codes.translate(HAS[_WANTS_TEXT])
    idiomatic = codes.translate(HAS[_IDIOM])
    if 1 in idiomatic and _has_idiom(words, idiomatic):
        wants_text = b"\1" * len(words)
    if reached := _reached(felt, changes, wants_text):
        for index, place in enumerate(compress(range(len(words)), felt)):
            if reached[place]:
                begin = max(0, place - 3)
                if 1 in wants_text[begin : place + 3]:
                    valences[index] = _valence(words, place)
                else:
                    before = [_stand_ins[raw] for raw in words[begin:place]]
                    valences[index] = _valences[(*before, words[place])]
    if 1 in codes.translate(HAS[_BUT]):
        each = dict(zip(compress(range(len(words)), felt), valences, strict=True))
        valences = vader._but_check([_tokens[raw].word for raw in words], [each.get(n, 0.0) for n in range(len(words))])
    total = float(sum(valences))
    if total and ("!" in text or "?" in text):
        total += math.copysign(vader._punctuation_emphasis(text), total)
    return round(float(normalize(total)), 4)


def _reached(felt: bytes, changes: bytes, wants_text: bytes) -> bytes:
    """Return which words, of those ``felt``, do not say what they say alone; nothing, if there are none.

    One that changes what later ones say reaches three; one that wants its whole text reaches two earlier ones, too. All
    words at once: a text is one number with a byte for each.
    """
    changing = int.from_bytes(changes, "little")
    reach = changing << 8 | changing << 16 | changing << 24
    if 1 in wants_text:
        wanting = int.from_bytes(wants_text, "little")
        reach |= wanting >> 16 | wanting >> 8 | wanting | wanting << 8 | wanting << 16 | wanting << 24
    reach &= int.from_bytes(felt, "little")
    return reach.to_bytes(len(felt), "little") if reach else b""


def _has_idiom(words: Sequence[str], idiomatic: bytes) -> bool:
    """Say whether one of the words that are ``idiomatic`` is where its idiom has it."""
    for place in compress(range(len(words)), idiomatic):
        for offset, idiom in _IDIOMS[_tokens[words[place]].lower]:
            begin = place - offset
            if begin >= 0 and [_tokens[raw].lower for raw in words[begin : begin + len(idiom)]] == idiom:
                return True
    return False


def _in_words(text: str, emojis: Mapping[str, str]) -> str:
    """Return ``text`` with what its emojis show in their place."""
    parts = []
    after_space = True
    for character in text:
        shows = emojis.get(character)
        parts.append(character if shows is None else shows if after_space else f" {shows}")
        after_space = shows is None and character == " "
    return "".join(parts)


def _valence(words: Sequence[str], place: int) -> float:
    """Return what the word at ``place`` says among its neighbours."""
    token = _tokens[words[place]]
    if token.lower == "kind" and [_tokens[raw].lower for raw in words[place + 1 : place + 2]] == ["of"]:
        return 0.0
    own = valence = token.valence or 0.0
    tokens = [_tokens[raw] for raw in words[max(0, place - 3) : place][::-1]]
    before = [near.lower for near in tokens]
    if token.lower == "no" and place + 1 < len(words) and _tokens[words[place + 1]].valence is not None:
        valence = 0.0
    if "no" in before[:2] or (before[2:] == ["no"] and before[0] in {"or", "nor"}):
        valence = own * N_SCALAR
    if token.is_upper and _is_shouted(words):
        valence += C_INCR if valence > 0 else -C_INCR
    for distance, near in enumerate(tokens):
        if near.valence is not None:
            continue
        if near.boost:
            boost = near.boost if valence >= 0 else -near.boost
            if near.is_upper and _is_shouted(words):
                boost += C_INCR if valence > 0 else -C_INCR
            valence += boost * _DAMPED[distance]
        if near.negates or before[0] in _SO:
            valence *= _negation(before, distance, negates=near.negates)
        if distance == 2:
            around = [_tokens[raw].word for raw in words[place - 3 : place + 3]]
            valence = _vader()._special_idioms_check(valence, around, 3)
    if before and before[0] == "least" and (len(before) < 2 or before[1] not in {"at", "very"}):
        valence *= N_SCALAR
    return valence


def _is_shouted(words: Sequence[str]) -> bool:
    """Say whether some words are in capitals, and others not."""
    return bool(allcap_differential([_tokens[raw].word for raw in words]))


def _negation(before: Sequence[str], distance: int, *, negates: bool) -> float:
    """Return the factor by which the word ``distance`` words away, one of those ``before``, turns what follows."""
    if distance == 1 and before[1] == "never" and before[0] in _SO:
        return 1.25
    if distance == 2 and (before[0] in _SO or (before[2] == "never" and before[1] in _SO)):
        return 1.25
    if distance and before[distance] == "without" and "doubt" in before[:distance]:
        return 1.0
    return float(N_SCALAR) if negates else 1.0
