"""Text: untrusted words, cut to a number of bytes.

Owns the cut. Must never know what the words are kept for.
"""


def shorten(text: str, max_bytes: int) -> str:
    """Return the longest beginning of ``text`` that fits in ``max_bytes`` of UTF-8; lone surrogates become "?".

    >>> shorten("déjà vu", 3), shorten("a\\ud800", 9)
    ('dé', 'a?')
    """
    if len(text) <= max_bytes and text.isascii():
        return text
    return text[:max_bytes].encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")
