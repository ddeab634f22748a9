"""GDELT's search, the DOC API: what its answers hold, and what is wrong with them.

Owns the form of a search and the cures for its answers: it says in a sentence, with status 200, what it does not like,
and it writes JSON with escapes that there are not. Must never ask (https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/).
"""

import json
import re
from typing import Final
from urllib.parse import urlencode

from ingest.platforms.gdelt.config import GdeltConfig
from transport.errors import RetryLaterError, SlowDownError

MAX_ARTICLES: Final = 250
"""The most that one search returns."""
SLOW_DOWN_SECONDS: Final = 60.0
"""Pause after "limit requests". It asks for 5 seconds, but who comes back that early is locked out for longer."""

_escapes = re.compile(r"""\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|(')|)""")
_limited = re.compile(r"limit (?:your )?requests|too many requests|rate limit", re.IGNORECASE).search


def search_path(config: GdeltConfig) -> str:
    """Return the path of a search for the newest pages."""
    asked = {
        "query": config.query,
        "mode": "ArtList",
        "format": "json",
        "sort": "DateDesc",
        "maxrecords": MAX_ARTICLES,
        "timespan": f"{config.search_hours}h",
    }
    return f"/api/v2/doc/doc?{urlencode(asked)}"


def articles_in(body: bytes) -> list[object]:
    """Return the pages of an answer, for ``convert``, the newest first.

    Raises:
        SlowDownError: the answer asks for fewer requests.
        RetryLaterError: it is something else; the message has its first words.
    """
    text = body.decode("utf-8", "replace").strip()
    words = " ".join(text[:200].split())
    if not text.startswith("{"):
        if _limited(words):
            raise SlowDownError(f"GDELT says: {words}", SLOW_DOWN_SECONDS)
        raise RetryLaterError(f"GDELT says, in place of JSON: {words!r}")
    try:
        found = json.loads(_escapes.sub(_valid_escape, text), strict=False)
    except (ValueError, RecursionError) as error:
        raise RetryLaterError(f"GDELT's answer is not JSON: {words[:80]!r}") from error
    articles = found.get("articles") if found else []  # {}: nothing was found
    if not isinstance(articles, list):
        raise RetryLaterError(f"GDELT's answer has no articles: {words[:80]!r}")
    return articles


def _valid_escape(found: re.Match[str]) -> str:
    """Return an escape of JSON as it is, an apostrophe without its backslash, and any other backslash doubled."""
    return found[0] if found[1] else found[2] or "\\\\"
