"""Requests for feeds: conditional ones, and where redirects lead.

Owns which redirects are followed, how far, and which of them are for good. Must never know what a feed says, nor ask
again.
"""

from dataclasses import dataclass
from typing import Final

from yarl import URL

from ingest.collector import CollectorContext
from ingest.http import Page, PageClient
from ingest.platforms.news.config import NewsConfig
from transport.errors import RetryLaterError
from transport.http import url_name

PERMANENT: Final = frozenset({301, 308})
REDIRECTS: Final = PERMANENT | {302, 303, 307}
MAX_REDIRECTS: Final = 3
"""Hops that are followed in a row: to https, to another host, to another path."""
MAX_URL_CHARS: Final = 2_000
MAX_VALIDATOR_CHARS: Final = 300
"""Longest ETag or Last-Modified that is kept; a server that sends a longer one is asked without a condition."""
ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """The validators of the version that was read last: the server sends the feed only if it has another."""

    etag: str | None = None
    modified: str | None = None

    @classmethod
    def of(cls, page: Page) -> "Condition":
        """Return the condition for asking again after ``page``."""
        return cls(*(_kept(page.headers.get(name)) for name in ("ETag", "Last-Modified")))

    def headers(self) -> dict[str, str]:
        """Return the headers of a conditional request (RFC 9110, section 13)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a feed's address led to. ``url``: where that was. ``for_good``: each redirect on the way was permanent."""

    page: Page
    url: str
    for_good: bool


class FeedClient:
    """Asks for feeds. Only the hosts of ``feeds`` may have private addresses; a redirect leads to a public one."""

    def __init__(self, config: NewsConfig, context: CollectorContext, feeds: list[str]) -> None:
        self._pages = PageClient(config, context, feeds, {"Accept": ACCEPT})

    async def fetch(self, url: str, condition: Condition) -> Fetched:
        """Return the page at ``url``, or where it redirects to: a success, or one of the statuses 304, 404 and 410.

        Raises:
            CollectError: no usable answer, or redirects without an end.
        """
        for_good = True
        for _ in range(MAX_REDIRECTS + 1):
            page = await self._pages.fetch(url, condition.headers())
            if page.status not in REDIRECTS:
                return Fetched(page, url, for_good)
            for_good &= page.status in PERMANENT
            url = _target(url, page.headers.get("Location", ""))
        raise RetryLaterError(f"{url_name(url)}: more than {MAX_REDIRECTS} redirects in a row")

    async def close(self) -> None:
        """Close the connections."""
        await self._pages.close()


def _target(url: str, location: str) -> str:
    what = url_name(url)
    try:
        target = URL(url).join(URL(location))
    except ValueError:
        target = URL()
    if target.scheme not in {"http", "https"} or not target.host or not location:
        raise RetryLaterError(f"{what} redirects to no web page: {location[:100]!r}")
    if len(str(target)) > MAX_URL_CHARS:
        raise RetryLaterError(f"{what} redirects to a URL of more than {MAX_URL_CHARS} characters")
    return str(target)


def _kept(value: str | None) -> str | None:
    return value if value and len(value) <= MAX_VALIDATOR_CHARS and value.isascii() and value.isprintable() else None
