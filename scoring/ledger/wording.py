"""Wording: what an item says, as numbers.

Owns when two texts or two links are the same. Must never know who says it.

Two texts are the same if they begin with the same letters. Digits, punctuation, spaces, links, hashtags and mentions do
not count: those are what copies vary. A very short text counts as unknown, since many people say "thank you" by
themselves.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from scoring.ledger.identity import hashed, hashed_bytes

MAX_CHARS = 120
"""Characters read of a text, so that a long one costs no more than a title does."""
LETTERS = 32
"""Letters compared: most headlines differ within them, and a copy seldom does."""
LEAST_BYTES = 10
"""A text with fewer bytes of letters (UTF-8) counts as unknown."""
MAX_URL_CHARS = 512
"""Of a longer link only this much is compared."""

_in_brackets = re.compile(r"\s*\[[^\[\]]*\]\s*").fullmatch
_letters = re.compile(r"[^\W\d_]+").findall
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
DOMAIN = (1 << 16) - 1
"""The bits of a link's number that are its domain's."""


def is_by_platform(text: str) -> bool:
    """Return whether ``text`` is in brackets: a platform's, in the place of words that were removed.

    >>> [is_by_platform(text) for text in ("[ Removed by moderator ]", "[deleted]", "[OC] My cat", "")]
    [True, True, False, False]
    """
    return text.lstrip()[:1] == "[" and _in_brackets(text) is not None


def text_number(words: str) -> int:
    """Return a number of 32 bits above 1 for ``words``, the same for its copies; 0 for words that tell no copy.

    >>> text_number("Claim your free coins now !! 372 zorb3.example") == text_number("Claim your FREE coins, now")
    True
    >>> text_number("thank you"), text_number("[deleted by user]")
    (0, 0)
    """
    plain = words[:MAX_CHARS]
    is_ascii = plain.isascii()
    plain = plain.lower() if is_ascii else unicodedata.normalize("NFKC", plain).casefold()
    if "." in plain or "@" in plain or "#" in plain or plain.startswith(("rt", "[", " ")):
        if is_by_platform(plain):
            return 0
        own = [word for word in plain.split() if word[0] not in "@#" and "." not in word[1:-1]]
        if own and own[0] == "rt":
            del own[0]
        plain = "".join(own)
    if is_ascii:
        letters = plain.encode().translate(None, _NO_LETTERS)[:LETTERS]
    else:
        letters = "".join(_letters(plain))[:LETTERS].encode()
    return max(2, hashed_bytes(letters) >> 32) if len(letters) >= LEAST_BYTES else 0


@lru_cache(maxsize=8_192)
def title_number(beginning: str) -> int:
    """Return :func:`text_number` of a title, which comes again with each observation of a post."""
    return text_number(beginning)


@lru_cache(maxsize=8_192)
def _link(url: str) -> int:
    _, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    host, path = host.casefold().removeprefix("www."), path.partition("#")[0]
    domain = hashed(host) & DOMAIN or 1
    return (hashed(f"{host}/{path}") & ~DOMAIN | domain) if path else domain


def link_number(url: str) -> int:
    """Return a number of 64 bits for a link; its lowest 16 bits are the domain's. A bare home page is its domain alone.

    >>> one, other = link_number("https://www.example.org/a#top"), link_number("https://example.org/b")
    >>> one != other, domain(one) == domain(other) == link_number("http://example.org/")
    (True, True)
    """
    return _link(url[:MAX_URL_CHARS])


def domain(link: int) -> int:
    """Return the number of the domain of ``link``, not 0; 0 if there is no link."""
    return link & DOMAIN
