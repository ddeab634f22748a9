"""The features of a post: its links and its words.

Owns the way from a signal to features, and which of its text counts. Must never know about stories.
"""

from hashlib import blake2b

import msgspec

from ingest.signal import Signal
from streams.resolve.matching.canonical import canonical, headline_in, links_in
from streams.resolve.matching.text import clean, words

HEADLINE_WORDS = 8
"""A title with this many words describes the post; a shorter one needs the text as well."""
MAX_WORDS = 64
MAX_WORD_CHARS = 48
MAX_LINKS = 8
"""Bounds of what is kept of a post: more adds nothing to matching, and hostile posts are longer."""
MIN_COPY_WORDS = 5
"""Posts with fewer equal words are not copies of each other: many unrelated posts are called "me irl"."""


class Features(msgspec.Struct, frozen=True, array_like=True):
    """What the index keeps of a post, and all that is needed to rebuild it.

    ``links``: canonical links, its own first. ``words``: folded, in order. ``linked``: the headline in its link.
    ``joined``: the story that it joined, if that was merged with others at once; ``met``: those others, in order.
    ``late``: pairs of a small story and the larger one that a recheck merged it into.
    """

    links: tuple[str, ...]
    words: tuple[str, ...]
    linked: tuple[str, ...] = ()
    joined: str = ""
    met: tuple[str, ...] = ()
    late: tuple[tuple[str, str], ...] = ()


def read(signal: Signal, text_chars: int) -> Features:
    """Return the features of ``signal``: at most ``text_chars`` of its title, and of its text if the title is short."""
    text = (signal.text or "")[: 4 * text_chars]
    links = [signal.permalink, signal.url, *links_in(text)]
    keys = dict.fromkeys(key for link in links if link and (key := canonical(link)))
    said = words(clean(signal.title or "", text_chars))
    if len(said) < HEADLINE_WORDS and text:
        said += words(clean(text, text_chars))
    linked = ""
    if len(said) < HEADLINE_WORDS:
        linked = next((headline for key in keys if (headline := headline_in(key))), "")
    return Features(
        tuple(keys)[:MAX_LINKS],
        tuple([word[:MAX_WORD_CHARS] for word in said[:MAX_WORDS]]),
        tuple([word[:MAX_WORD_CHARS] for word in words(linked)[:MAX_WORDS]]) if linked else (),
    )


def link_key(link: str) -> int:
    """Return a short key of a canonical link."""
    return int.from_bytes(blake2b(link.encode(), digest_size=8).digest())


def copy_key(said: tuple[str, ...]) -> int | None:
    """Return a key shared by posts of the same words; None if they are too few to identify copies."""
    if len(said) < MIN_COPY_WORDS:
        return None
    return int.from_bytes(blake2b("\n".join(said).encode(), digest_size=8).digest())
