"""The native id of a web page: one for all links that lead to it.

Owns which parts of a link name the page: host, path and the parameters that do not track readers. Collectors whose
items are pages share it, so that an article has the same id in every feed. Stories are joined by the stricter rules of
``streams``; here a page that gets two ids costs one more signal. Must never fetch.
"""

import re
from hashlib import blake2b
from typing import Final

from yarl import URL

MAX_KEY_CHARS: Final = 480
"""Longest key; the end of a longer one becomes a hash. An id may have 512 characters, with the platform's name."""

_is_tracker = re.compile(
    r"(?:utm|at|mc|pk|mtm|piwik|hsa|ns|vero|trk|oly|wt|__s)_\w+|ut[mn]\w*"
    r"|(?:fb|g|gb|msclk|y|dcl|tw|wicked|igsh|mk)c?l?id|gclsrc|gad_source|igshid?|yclid|_hs\w+|xtor|cmp(?:id)?|ncid|ocid"
    r"|s?ref(?:errer)?|ref_?src|rss|src|source|via|from|feature|ftag|taid|smid|emc|partner|mod|feedtype|guccounter"
    r"|guce_\w+|share|amp|outputtype|traffic_source|campaign",
    re.IGNORECASE,
).fullmatch
_names_a_feed = re.compile(r"rss|feed|atom|newsletter", re.IGNORECASE).search
_is_printable = re.compile(r"[!-~]+").fullmatch


def page_key(link: str) -> str | None:
    """Return host, path and naming parameters of ``link``, in printable ASCII; None if it is no web page.

    >>> page_key("HTTPS://www.Example.org:443/a/%7Eb/?id=7&utm_source=rss#top")
    'example.org/a/~b?id=7'
    """
    try:
        url = URL(link.strip())
        host, query = url.raw_host, sorted(url.query.items())
    except (ValueError, UnicodeError):
        return None
    if not host or url.scheme not in {"http", "https"}:
        return None
    named = [(name, value) for name, value in query if not _is_tracker(name) and not _names_a_feed(value)]
    place = host.lower().rstrip(".").removeprefix("www.")
    if not url.is_default_port():
        place = f"{place}:{url.port}"
    parameters = URL.build(query=named).raw_query_string
    key = place + url.raw_path.rstrip("/") + (f"?{parameters}" if named else "")
    return bounded_key(key) if _is_printable(key) else None


def bounded_key(key: str) -> str:
    """Return ``key``, a long one with a hash in place of its end."""
    if len(key) <= MAX_KEY_CHARS:
        return key
    digest = blake2b(key.encode(), digest_size=16).hexdigest()
    return f"{key[: MAX_KEY_CHARS - len(digest) - 1]}~{digest}"
