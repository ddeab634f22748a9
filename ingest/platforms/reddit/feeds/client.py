"""Requests to Reddit's feeds.

Owns their addresses, and obeying what Reddit says of the requests that remain. Must never know what a thing means, nor
ask again.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from ingest.collector import CollectorContext
from ingest.errors import CollectError
from ingest.http import PageClient, refusal_by_status
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.feeds.entries import things
from ingest.platforms.reddit.source import PAGE_ITEMS, ListingName, Page, allowance
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError
from transport.http import RequestError, Response

MAX_BODY_BYTES: Final = 8_388_608
"""Largest feed, decompressed. One of 100 posts with the longest texts has some 5 MB."""
_NAMES: Final = {"submissions": "new", "comments": "comments"}


class FeedClient:
    """``/r/A+B+C/new.rss`` and ``/r/A+B+C/comments.rss``; a :class:`~ingest.platforms.reddit.source.Source`."""

    has_counts = False

    def __init__(self, config: RedditConfig, context: CollectorContext) -> None:
        self._rate_limiter, self._now_ms = context.rate_limiter, context.now_ms
        self._base_url = str(config.reddit_url).rstrip("/")
        first, *others = config.subreddits
        self._place = "+".join(config.subreddits)
        self._named = f"/r/{first}" + (f" and {len(others)} others" if others else "")
        """What messages name: a hundred communities would hide the rest, and the token of an account is in no path."""
        self._account: dict[str, str] = {}
        if config.feed_token is not None:
            self._account = {"feed": config.feed_token.get_secret_value(), "user": config.username or ""}
        self._pages = PageClient(
            config,
            context,
            [self._base_url],
            {"User-Agent": config.user_agent},
            refusal=self._refusal,
            max_body_bytes=MAX_BODY_BYTES,
        )

    async def listing(self, name: ListingName, after: str | None) -> Page:
        """See :class:`~ingest.platforms.reddit.source.Source`."""
        feed = f"{_NAMES[name]}.rss"
        url, what = f"{self._base_url}/r/{self._place}/{feed}", f"{feed} of {self._named}"
        params = {"limit": str(PAGE_ITEMS), **({"after": after} if after else {}), **self._account}
        try:
            response = await self._pages.request("GET", f"{url}?{urlencode(params)}", what=what)
        except NeverRetryError as error:
            if isinstance(error.__cause__, RequestError):  # too large: that says nothing about the communities
                raise RetryLaterError(str(error)) from error
            raise
        witnessed_ms = self._now_ms()
        found = await asyncio.to_thread(things, response.body)
        return Page(found, _last_name(found) if len(found) >= PAGE_ITEMS else None, witnessed_ms)

    async def info(self, fullnames: Sequence[str]) -> Page:
        """Feeds give no single things."""
        raise NeverRetryError(f"Reddit gives {len(fullnames)} things by name with an API key only")

    async def thread(self, fullname: str) -> Page:
        """Feeds give no counts, so that no thread is worth a request of the few."""
        raise NeverRetryError(f"Reddit gives the thread {fullname} with an API key only")

    async def close(self) -> None:
        """Close the connections."""
        await self._pages.close()

    def _refusal(self, response: Response, what: str) -> CollectError | None:
        """Return the error that a response stands for; ask nothing while no requests remain."""
        remaining, reset_seconds = allowance(response.headers)
        if remaining < 1 and reset_seconds:
            self._rate_limiter.hold(reset_seconds)
        refusal = refusal_by_status(response, what)
        if isinstance(refusal, SlowDownError) and refusal.after_seconds is None:
            refusal.after_seconds = reset_seconds
        return refusal


def _last_name(found: Sequence[object]) -> str | None:
    data = found[-1].get("data") if isinstance(found[-1], dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None
