"""The title of a story, cleaned, and its slug, readable and unique.

Owns how a post's words become a headline. Must never know how stories are matched.
"""

import re
import unicodedata
from base64 import b32encode
from hashlib import blake2b

from ingest.signal import Signal
from streams.resolve.matching.text import clean, first_sentence

MAX_TITLE_CHARS = 160
MAX_SLUG_CHARS = 64

_link = re.compile(r"https?://\S+").sub
_retweet = re.compile(r"^(?:RT\s+@\w+:?\s*)+|^(?:@\w+\s+)+").sub
_not_slug = re.compile(r"[^\w]+").sub
_transliterated = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "þ": "th", "ı": "i"})


def title_of(signal: Signal) -> str:
    """Return the headline of a post: its title, else the first sentence of its text, else its id."""
    title = clean(signal.title or "", MAX_TITLE_CHARS)
    if not title and signal.text:
        text = clean(_link(" ", signal.text[:4_000]), 4_000)
        title = clean(first_sentence(_retweet("", text) or text), MAX_TITLE_CHARS)
    return title or clean(signal.id, MAX_TITLE_CHARS)


def story_id(beat: str, first_post: str) -> str:
    """Return the id of the story that ``first_post`` creates in ``beat``; a replay repeats it."""
    digest = blake2b(f"{beat}\0{first_post}".encode(), digest_size=10).digest()
    return f"st_{b32encode(digest).decode().lower()}"


def slug_of(title: str, story: str) -> str:
    """Return the readable name of a story in a URL. Letters of any script stay, accents are removed.

    If the title has no letters, the name is the story's id.
    """
    plain = title.lower()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain.translate(_transliterated)).replace("’", "")
        plain = unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))
    slug = _not_slug("-", plain.replace("'", "")).strip("-_")
    if len(slug) > MAX_SLUG_CHARS:
        cut = slug.rfind("-", MAX_SLUG_CHARS // 2, MAX_SLUG_CHARS + 1)
        slug = slug[: cut if cut > 0 else MAX_SLUG_CHARS]
    return slug or story.replace("_", "-")
