"""Sentiment: whether a reply is for or against what it answers.

Owns the decision whether a text is English, what of it shows an attitude, and how much of it is needed. The values of
words are VADER's (:mod:`scoring.vader`), corrected for replies by ``replies.toml``. Must never guess: another language,
irony, a question or emojis alone are unknown, which counts as no opinion.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from string import punctuation
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from scoring.cache import LookupCache
from scoring.observation import Sentiment
from scoring.vader import HAS, NORMALIZER, SPARE_BITS, Vader, without_emojis, word_code

MAX_CHARS = 500
"""The part of a text that is read: a reply shows its sentiment early."""
PER_ROOT_WORD = 0.4
"""Valence that a text needs, times the root of its number of words: one kind word in a long text says little."""
SCARE_QUOTE_WORDS = 3
"""Quoted praise of at most this many words is ironic; a longer quotation is by another author."""

PRAISE, BLAME, OBJECTION, NOTHING = "great", "worst", "doubt", "thing"
"""Words that stand for the terms of ``replies.toml``: VADER has them at 3.1, -3.1, -1.5 and not at all."""

_COMMON = frozenset(
    """
    the of and to that have it for not with you this his from they she will would there their what about who which when
    could them see than then now its it's think how our is are were been did i'm don't that's isn't can't these those
    very too because why should really my your just know people
    """.split()  # noqa: SIM905 - a long list of quoted words is hard to read
)
"""Frequent words of English that are rare in related languages: about a third of any English text."""
_WORDS = re.compile(r"[^\W\d_]+(?:'[a-z]+)?").findall
_WORD, _COMMON_WORD, _EVENT = SPARE_BITS
_LINK = re.compile(r"https?://\S+|[@#]\w+")
_QUOTED_LINE = re.compile(r"^\s*(?:>|&gt;).*$", re.MULTILINE)
_QUOTATION = re.compile('["\u201c]([^"\u201c\u201d]*)["\u201d]')
_IRONIC_TAG = re.compile(r"#(?:sarcasm|irony|not)\b", re.IGNORECASE).search
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")


class _Terms(NamedTuple):
    """``replies.toml``. ``stands_for``: the word that each term is read as, None for an ironic one."""

    stands_for: dict[str, str | None]
    events: frozenset[str]
    expressions: AhoCorasick
    names: list[str]


@cache
def _terms() -> _Terms:
    table = tomllib.loads(files("scoring").joinpath("replies.toml").read_text(encoding="utf-8"))
    stands_for: dict[str, str | None] = dict.fromkeys(table["neutral"] + table["events"], NOTHING)
    stands_for |= dict.fromkeys(table["positive"], PRAISE) | dict.fromkeys(table["negative"], BLAME)
    stands_for |= dict.fromkeys(table["objecting"], OBJECTION)
    stands_for |= dict.fromkeys(table["ironic"])
    # A single word is looked up with the word itself; the search is for what is longer, or no word.
    names = [term for term, word in stands_for.items() if word is None or not term.isalpha()]
    found = AhoCorasick(names, implementation=Implementation.DFA, matchkind=MatchKind.LeftmostLongest)
    return _Terms(stands_for, frozenset(table["events"]), found, names)


def sentiment(text: str | None, lang: str | None = None) -> Sentiment | None:
    """Return 1 for a reply that is for what it answers, -1 for one that is against it, None if that is unknown.

    ``lang``: the language stated by the platform (BCP 47). Where it states none, a text counts as English only if
    enough of its words are common in English.

    >>> sentiment("This is a great idea, I love it"), sentiment("This is a terrible idea, I hate it")
    (1, -1)
    >>> sentiment("Das ist eine furchtbare Idee") is sentiment("Great, another layoff") is None
    True
    """
    plain = _own_words(text[:MAX_CHARS]) if text else None
    if plain is None:
        return None
    words = plain.split()
    codes = bytes(map(_codes.__getitem__, words))
    if not _is_english(codes, lang):
        return None
    value = _vader.compound(plain, words, codes)
    # The compound is s/sqrt(s² + NORMALIZER); this asks whether |s| reaches PER_ROOT_WORD * sqrt(words).
    square = value * value
    if not value or NORMALIZER * square < PER_ROOT_WORD**2 * len(words) * (1.0 - square):
        return None
    if value < 0:
        return -1
    return None if 1 in codes.translate(HAS[_EVENT]) else 1


def _is_english(codes: bytes, lang: str | None) -> bool:
    if lang is not None:
        return lang.lower().replace("_", "-").split("-")[0] in {"en", "eng"}
    common, words = codes.translate(HAS[_COMMON_WORD]).count(1), codes.translate(HAS[_WORD]).count(1)
    return 0 < words <= common * 2 or (common >= 2 and words <= common * 6)


def _own_words(text: str) -> str | None:
    """Return what the author of ``text`` says in words and not as a question; None if there is irony."""
    if not text.isascii():
        text = text.replace("\u2019", "'")
    if "#" in text or "@" in text or "://" in text:
        if _IRONIC_TAG(text):
            return None
        text = _LINK.sub(" ", text)
    plain = _in_known_words(text)
    if plain is None:
        return None
    plain = without_emojis(plain)
    if ">" in plain or "&gt;" in plain:
        plain = _QUOTED_LINE.sub(" ", plain)
    if '"' in plain or "\u201c" in plain:
        if any(map(_is_scare_quote, _QUOTATION.findall(plain))):
            return None
        plain = _QUOTATION.sub(" ", plain)
    if "?" in plain:
        plain = " ".join(sentence for sentence in _SENTENCE_END.split(plain) if not sentence.endswith("?"))
    return plain


def _in_known_words(text: str) -> str | None:
    """Return ``text`` with each expression replaced by the word that it stands for; None if one is ironic."""
    terms = _terms()
    lower = text.lower()
    matches = terms.expressions.find_matches_as_indexes(lower)
    if not matches:
        return text
    if len(lower) != len(text):
        text = lower
    parts: list[str] = []
    done = 0
    for index, start, end in matches:
        if lower[start - 1 : start].isalnum() or lower[end : end + 1].isalnum():
            continue
        stands_for = terms.stands_for[terms.names[index]]
        if stands_for is None:
            return None
        parts += text[done:start], stands_for
        done = end
    return "".join((*parts, text[done:]))


def _is_scare_quote(quotation: str) -> bool:
    words = quotation.split()
    return len(words) <= SCARE_QUOTE_WORDS and _vader.compound(quotation, words) > 0


def _known_word(raw: str) -> str:
    """Return the word that VADER should read for the word ``raw``."""
    known, bare = _terms().stands_for, raw.strip(punctuation).lower() or raw
    spellings = (bare, _DRAWN_OUT.sub(r"\1\1", bare), _DRAWN_OUT.sub(r"\1", bare))
    return next((word for word in map(known.get, spellings) if word), raw)


def _code(raw: str) -> int:
    """Return a word's code for VADER, with bits for "is a word", "is a common English word" and "is bad news"."""
    words = _WORDS(raw.lower())
    known = _known_word(raw)
    is_common = known in {PRAISE, BLAME} or any(
        word in _COMMON or ("'" in word and word.partition("'")[0] in _COMMON) for word in words
    )
    is_event = raw.strip(punctuation).lower() in _terms().events
    return word_code(known) | (words != [] and _WORD) | (is_common and _COMMON_WORD) | (is_event and _EVENT)


_codes = LookupCache(_code, capacity=20_000)
_vader = Vader(_known_word)
