"""VADER's compound value of a text, in one pass over its words.

Owns the arithmetic of VADER's rules (Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014). Must never know what the value is used for.

The authors' program, ``vaderSentiment``, lowers and searches the whole text several times for each word of the lexicon.
Here a word is looked up once and becomes a code of a few bits. Only words that influence each other are read in their
context. A test compares every rule with the authors' program, to the last digit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import compress
from string import punctuation
from typing import NamedTuple

from scoring.cache import LookupCache
from scoring.vader.words import words as lexicon

CAPITALS = 0.733
"""What capitals add to a valence, where the rest of the text is not in capitals."""
NEGATED = -0.74
"""The factor of a negation."""
EXCLAMATION, MAX_EXCLAMATIONS = 0.292, 4
QUESTION, MAX_QUESTIONS, MANY_QUESTIONS = 0.18, 3, 0.96
"""What each mark adds to the sum; one question mark adds nothing, and more than three add 0.96 together."""
BEFORE_BUT, AFTER_BUT = 0.5, 1.5
"""The factors of valences before and after the word "but"."""
NORMALIZER = 15.0
"""The sum s of valences becomes s/√(s² + 15), which is between -1 and 1."""

CAPACITY = 20_000
"""Words, and contexts of words, that are remembered: more than the words of most days."""

_DAMPED = (1.0, 0.95, 0.9)
"""The share of a booster that is left, by the number of words between."""
_SO = frozenset(["so", "this"])
_CONTEXTUAL = _SO | {"no", "least"}
_NAMED = _CONTEXTUAL | {"or", "nor", "never", "without", "doubt", "at", "very"}
"""Words that the rules name."""


class _Token(NamedTuple):
    """What VADER knows of a word by itself. ``valence``: by its lexicon, None if the word is not there."""

    word: str
    lower: str
    valence: float | None
    boost: float
    negates: bool
    is_upper: bool

    @property
    def code(self) -> int:
        """The word's bits: has a valence, changes later words, is "but", is part of an idiom, needs the whole text."""
        lower = self.lower
        holds = {
            _VALENCE: self.valence is not None and not self.boost,
            _CHANGES: self.negates or self.boost != 0 or lower in _CONTEXTUAL,
            _BUT: lower == "but",
            _IDIOM: lower in lexicon().idioms_by_longest,
            _NEEDS_TEXT: self.is_upper or lower == "no",
        }
        return sum(bit for bit, is_set in holds.items() if is_set)

    @property
    def stand_in(self) -> str:
        """One of few words that influences later words as this one does."""
        if self.negates or self.boost or self.lower in _NAMED:
            return self.lower
        return "" if self.valence is None else "good"


_BITS = _VALENCE, _CHANGES, _BUT, _IDIOM, _NEEDS_TEXT = 1, 2, 4, 8, 16
SPARE_BITS = 32, 64, 128
"""Bits of a word's code that are free for the caller."""
HAS = {bit: bytes(bool(code & bit) for code in range(256)) for bit in (*_BITS, *SPARE_BITS)}
"""Tables for ``bytes.translate``, by bit: they turn codes of words into 1 where the bit is set, else 0."""


def _token(raw: str) -> _Token:
    bare = raw.strip(punctuation)
    word = raw if len(bare) <= 2 else bare  # what is that short may be an emoticon
    lower = word.lower()
    known = lexicon()
    negates, boost = lower in known.negations or "n't" in lower, known.boosters.get(lower, 0.0)
    return _Token(word, lower, known.valences.get(lower), boost, negates, word.isupper())


def word_code(word: str) -> int:
    """Return what VADER knows of a word, as bits; none of them is one of ``SPARE_BITS``."""
    return _tokens[word].code


_tokens = LookupCache(_token, CAPACITY)


class Vader:
    """VADER's arithmetic, where some words are read as others."""

    def __init__(self, known: Callable[[str], str] = str) -> None:
        """``known``: returns the word that a word of a text is read as."""
        self._tokens: LookupCache[str, _Token] = LookupCache(lambda raw: _tokens[known(raw)], CAPACITY)
        self._stand_ins: LookupCache[str, str] = LookupCache(lambda raw: self._tokens[raw].stand_in, CAPACITY)
        self._alone: LookupCache[str, float] = LookupCache(lambda raw: _valence((self._tokens[raw],), 0), CAPACITY)
        self._last: LookupCache[tuple[str, ...], float] = LookupCache(self._valence_of_last, CAPACITY)

    def compound(self, text: str, words: Sequence[str] | None = None, codes: bytes | None = None) -> float:
        """Return VADER's compound value of ``text``, -1 (most negative) to 1, rounded to four digits.

        ``words``: ``text.split()``, and ``codes``: the :func:`word_code` of what each is read as, where the caller has
        them already; the text then has none of VADER's emojis.

        >>> vader = Vader()
        >>> vader.compound("This is a great idea!"), vader.compound("the meeting is on Tuesday")
        (0.6588, 0.0)
        """
        if words is None:
            emojis = lexicon().emojis
            if not text.isascii() and not emojis.keys().isdisjoint(text):
                text = _in_words(text, emojis)
            words = text.split()
        if codes is None:
            codes = bytes([self._tokens[raw].code for raw in words])
        valent = codes.translate(HAS[_VALENCE])
        if 1 not in valent:
            return 0.0
        valences = list(map(self._alone.__getitem__, compress(words, valent)))
        changes, needs_text = codes.translate(HAS[_CHANGES]), codes.translate(HAS[_NEEDS_TEXT])
        in_idiom = codes.translate(HAS[_IDIOM])
        if 1 in in_idiom and self._has_idiom(words, in_idiom):
            needs_text = b"\1" * len(words)
        if influenced := _influenced(valent, changes, needs_text):
            for place in compress(range(len(words)), influenced):
                begin = max(0, place - 3)
                if 1 in needs_text[begin : place + 3]:
                    valence = _valence([self._tokens[raw] for raw in words], place)
                else:
                    valence = self._last[(*map(self._stand_ins.__getitem__, words[begin:place]), words[place])]
                valences[valent.count(1, 0, place)] = valence
        if (but := codes.translate(HAS[_BUT]).find(1)) >= 0:
            _weigh_contrast(valences, valent[:but].count(1))
        total = sum(valences)
        if total and ("!" in text or "?" in text):
            total += math.copysign(_emphasis(text), total)
        return round(total / math.sqrt(total * total + NORMALIZER), 4)

    def _has_idiom(self, words: Sequence[str], in_idiom: bytes) -> bool:
        """Return whether the text contains an idiom, given the longest words of idioms that it contains."""
        for place in compress(range(len(words)), in_idiom):
            for offset, idiom in lexicon().idioms_by_longest[self._tokens[words[place]].lower]:
                begin = place - offset
                if begin >= 0 and [self._tokens[raw].lower for raw in words[begin : begin + len(idiom)]] == idiom:
                    return True
        return False

    def _valence_of_last(self, words: tuple[str, ...]) -> float:
        """Return the valence of the last of ``words``, after stand-ins, where no word needs its whole text."""
        *before, last = words
        return _valence([*map(_tokens.__getitem__, before), self._tokens[last]], len(before))


def without_emojis(text: str) -> str:
    """Return ``text`` with a space in place of each emoji that VADER has words for."""
    return text if text.isascii() else text.translate(_no_emojis())


@cache
def _no_emojis() -> dict[int, str]:
    return {ord(emoji): " " for emoji in lexicon().emojis if len(emoji) == 1}


def _influenced(valent: bytes, changes: bytes, needs_text: bytes) -> bytes:
    """Return which of the ``valent`` words do not have the valence that they have alone; b"" if there are none.

    A word that changes later ones reaches three; one that needs its whole text reaches the two before it, too. All
    words are handled at once: the text is one integer with a byte for each word.
    """
    changing = int.from_bytes(changes, "little")
    reach = changing << 8 | changing << 16 | changing << 24
    if 1 in needs_text:
        needing = int.from_bytes(needs_text, "little")
        reach |= needing >> 16 | needing >> 8 | needing | needing << 8 | needing << 16 | needing << 24
    reach &= int.from_bytes(valent, "little")
    return reach.to_bytes(len(valent), "little") if reach else b""


def _in_words(text: str, emojis: Mapping[str, str]) -> str:
    """Return ``text`` with each emoji replaced by the words for what it shows."""
    parts = []
    after_space = True
    for character in text:
        shows = emojis.get(character)
        parts.append(character if shows is None else shows if after_space else f" {shows}")
        after_space = shows is None and character == " "
    return "".join(parts)


def _valence(text: Sequence[_Token], place: int) -> float:
    """Return the valence of the word at ``place`` of ``text`` in its context."""
    token, known = text[place], lexicon()
    after = [near.lower for near in text[place + 1 : place + 3]]
    if token.lower == "kind" and after[:1] == ["of"]:
        return 0.0
    own = valence = token.valence or 0.0
    tokens = text[max(0, place - 3) : place][::-1]
    before = [near.lower for near in tokens]
    if token.lower == "no" and after and after[0] in known.valences:
        valence = 0.0
    if "no" in before[:2] or (before[2:] == ["no"] and before[0] in {"or", "nor"}):
        valence = own * NEGATED
    if token.is_upper and _is_shouted(text):
        valence += CAPITALS if valence > 0 else -CAPITALS
    for distance, near in enumerate(tokens):
        if near.valence is not None:
            continue
        if near.boost:
            boost = near.boost if valence >= 0 else -near.boost
            if near.is_upper and _is_shouted(text):
                boost += CAPITALS if valence > 0 else -CAPITALS
            valence += boost * _DAMPED[distance]
        if near.negates or before[0] in _SO:
            valence *= _negation(before, distance, negates=near.negates)
        if distance == 2:
            valence = _with_idioms(valence, [*before[::-1], token.lower, *after])
    if before and before[0] == "least" and (len(before) < 2 or before[1] not in {"at", "very"}):
        valence *= NEGATED
    return valence


def _is_shouted(text: Sequence[_Token]) -> bool:
    """Return whether some words are in capitals, and others are not."""
    return 0 < sum(token.is_upper for token in text) < len(text)


def _negation(before: Sequence[str], distance: int, *, negates: bool) -> float:
    """Return the factor that the word ``distance`` words away, one of those ``before``, has on the valence."""
    if distance == 1 and before[1] == "never" and before[0] in _SO:
        return 1.25
    if distance == 2 and (before[0] in _SO or (before[2] == "never" and before[1] in _SO)):
        return 1.25
    if distance and before[distance] == "without" and "doubt" in before[:distance]:
        return 1.0
    return NEGATED if negates else 1.0


def _with_idioms(valence: float, around: Sequence[str]) -> float:
    """Return the valence of the fourth word of ``around`` with the idioms that it is in or follows.

    ``around``: the three words before, the word itself, and up to two after, in lower case.
    """
    idioms, boosters = lexicon().idioms, lexicon().boosters
    for begin, end in ((2, 4), (1, 4), (1, 3), (0, 3), (0, 2)):
        idiom = idioms.get(" ".join(around[begin:end]))
        if idiom is not None:
            valence = idiom
            break
    for end in range(5, len(around) + 1):
        valence = idioms.get(" ".join(around[3:end]), valence)
    for begin, end in ((0, 3), (0, 2), (1, 3)):
        valence += boosters.get(" ".join(around[begin:end]), 0.0)
    return valence


def _weigh_contrast(valences: list[float], before: int) -> None:
    """Weigh ``valences`` in place; the first ``before`` of them are before the word "but".

    Of equal values the first is weighed, as often as the value comes: the authors' program does so.
    """
    for place in range(len(valences)):
        first = valences.index(valences[place])
        valences[first] *= BEFORE_BUT if first < before else AFTER_BUT


def _emphasis(text: str) -> float:
    """Return what "!" and "?" in ``text`` add to the sum of its valences."""
    exclamations, questions = min(text.count("!"), MAX_EXCLAMATIONS), text.count("?")
    asked = 0.0 if questions < 2 else questions * QUESTION if questions <= MAX_QUESTIONS else MANY_QUESTIONS
    return exclamations * EXCLAMATION + asked
