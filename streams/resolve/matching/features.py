"""The features of a post: its links, its words and its source.

Owns the way from a signal to features, and which of its text counts. Must never know about stories.
"""

from hashlib import blake2b

import msgspec

from ingest.signal import Author, Community, Signal
from scoring.ledger.wording import is_by_platform
from streams.resolve.matching.canonical import canonical, headline_in, links_in
from streams.resolve.matching.series import series_of
from streams.resolve.matching.text import clean, filed, words

HEADLINE_WORDS = 8
"""A title with this many words describes the post; a shorter one needs the text as well."""
MAX_WORDS = 64
MAX_WORD_CHARS = 48
MAX_NAME_CHARS = 100
MAX_LINKS = 8
"""Bounds of what is kept of a post: more adds nothing to matching, and hostile posts are longer."""
MIN_COPY_WORDS = 5
"""Posts with fewer equal words are not copies of each other: many unrelated posts are called "me irl"."""
WORKS = frozenset(
    """
    arxiv.org biorxiv.org medrxiv.org chemrxiv.org ssrn.com papers.ssrn.com doi.org openreview.net aclanthology.org
    hal.science zenodo.org osf.io jstor.org pubmed.ncbi.nlm.nih.gov
    """.split()  # noqa: SIM905 - a long list of quoted words is hard to read
)
"""Hosts of papers. Two papers of one field share its words, and each of them is a work of its own."""


class Features(msgspec.Struct, frozen=True, array_like=True):
    """What the index keeps of a post, and all that is needed to rebuild it.

    ``links``: canonical links, its own first. ``words``: folded, in order. ``linked``: the headline in its link.
    ``joined``: the story that it joined, if that was merged with others at once; ``met``: those others, in order.
    ``late``: pairs of a small story and the larger one that a recheck merged it into.

    ``own``: how many of ``links``, the first, are the post's own page and the page it shares; the others are in its
    text. ``filed``: the words of its rows of hashtags. ``work``: whether its page is a paper's. ``author`` and
    ``community``: who says it and where, "" if unknown. ``series``: see :func:`series_of`. ``because``: what it shares
    with the story that it joined: one link, or the words that tell most.
    """

    links: tuple[str, ...]
    words: tuple[str, ...]
    linked: tuple[str, ...] = ()
    joined: str = ""
    met: tuple[str, ...] = ()
    late: tuple[tuple[str, str], ...] = ()
    own: int = MAX_LINKS
    filed: tuple[str, ...] = ()
    work: bool = False
    author: str = ""
    community: str = ""
    series: str = ""
    because: tuple[str, ...] = ()


def read(signal: Signal, text_chars: int) -> Features:
    """Return the features of ``signal``: at most ``text_chars`` of its title, and of its text if the title is short.

    What a platform puts in the place of a removed title or text says nothing.
    """
    title, text = (signal.title or "")[: 8 * text_chars], (signal.text or "")[: 4 * text_chars]
    title, text = ("" if is_by_platform(title) else title), ("" if is_by_platform(text) else text)
    own = dict.fromkeys(key for link in (signal.permalink, signal.url) if link and (key := canonical(link)))
    keys = own | dict.fromkeys(key for link in links_in(text) if (key := canonical(link)))
    headline = clean(title, text_chars)
    said = words(headline)
    if len(said) < HEADLINE_WORDS and text:
        said += words(clean(text, text_chars))
    linked = ""
    if len(said) < HEADLINE_WORDS:
        linked = next((found for key in keys if (found := headline_in(key))), "")
    return Features(
        tuple(keys)[:MAX_LINKS],
        tuple([word[:MAX_WORD_CHARS] for word in said[:MAX_WORDS]]),
        tuple([word[:MAX_WORD_CHARS] for word in words(linked)[:MAX_WORDS]]) if linked else (),
        own=len(own),
        filed=tuple([word[:MAX_WORD_CHARS] for word in filed(f"{title} {text}")[:MAX_WORDS]]),
        work=any(key.partition("/")[0] in WORKS for key in own),
        author=_named(f"{signal.platform}:", signal.author),
        community=_named(f"{signal.platform}/", signal.community),
        series=series_of(headline),
    )


def _named(prefix: str, source: Author | Community | None) -> str:
    name = source.name if source is not None else None
    if not name or is_by_platform(name):
        return ""
    return prefix + (name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}~{text_key(name):x}")


def text_key(text: str) -> int:
    """Return a short key of ``text``, such as a canonical link."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def copy_key(said: tuple[str, ...]) -> int | None:
    """Return a key shared by posts of the same words; None if they are too few to identify copies."""
    if len(said) < MIN_COPY_WORDS:
        return None
    return text_key("\n".join(said))
