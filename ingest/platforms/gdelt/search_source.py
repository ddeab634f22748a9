"""Searching GDELT again and again for the newest pages.

Owns which pages earlier searches have found. Must never know the form of an answer.
"""

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Final

import msgspec

from ingest.batch import Cursor, Signals
from ingest.collector import CollectorContext
from ingest.http import PageClient
from ingest.memory.seen import Seen
from ingest.platforms.gdelt.config import GdeltConfig
from ingest.platforms.gdelt.search import MAX_ARTICLES, articles_in, search_path
from ingest.platforms.gdelt.selection import selected
from transport.errors import RetryLaterError

MAX_SEEN: Final = 2_000
"""Pages of earlier searches that are remembered: those of eight searches."""
DIGEST_BYTES: Final = 6


class _Cursor(msgspec.Struct):
    """``seen``: digests of what the latest searches found, oldest first."""

    seen: list[str] = []


class SearchSource:
    """What the search finds. ``has_more``: never, because a search returns the newest pages only."""

    has_more: Final = False

    def __init__(self, config: GdeltConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._seen = Seen(MAX_SEEN, saved.seen)
        base = str(config.api_url).rstrip("/")
        self._url = base + search_path(config)
        self._context = context
        self._pages = PageClient(config, context, [base])

    def cursor(self) -> Cursor:
        """Return what the latest searches found."""
        return msgspec.json.encode(_Cursor(list(self._seen)))

    async def poll(self) -> Signals:
        """Search, and return what earlier searches did not find. A page full of that is a gap: there may be more.

        Raises:
            CollectError: no usable answer.
        """
        page = await self._pages.fetch(self._url)
        if not 200 <= page.status < 300:
            raise RetryLaterError(f"the search answered with HTTP status {page.status}")
        articles = articles_in(page.body)
        new = {digest: raw for raw in reversed(articles) if (digest := _digest(raw)) not in self._seen}
        signals = await selected(new.values(), page.witnessed_ms, self._context.relevance)
        # Nothing may fail from here on: the state would be ahead of the signals.
        signals.gaps += bool(self._seen) and len(new) >= MAX_ARTICLES
        for digest in new:
            self._seen.add(digest)
        return signals

    async def close(self) -> None:
        """Close the connections."""
        await self._pages.close()


def _digest(raw: object) -> str:
    """Return what a page is known by: its link and its title, so that an edited title is observed again."""
    named = (raw.get("url"), raw.get("title")) if isinstance(raw, dict) else raw
    digest = blake2b(repr(named).encode("utf-8", "replace"), digest_size=DIGEST_BYTES).digest()
    return urlsafe_b64encode(digest).decode()
