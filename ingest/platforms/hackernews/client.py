"""Talking to Hacker News: single requests, and many items at once.

Owns the HTTP side. Must never know what an item means, nor try a request again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import aiohttp

from ingest.errors import CollectError, GiveUpError, NeverRetryError, RetryLaterError, SlowDownError, verdict_on
from ingest.memory.rate_limit import Pace
from ingest.platforms.hackernews.config import HackerNewsConfig

__all__ = ["Fetched", "HackerNewsClient", "Item"]

MAX_BODY_BYTES: Final = 4_194_304
USER_AGENT: Final = "hubbub"
DEFAULT_HOLD_SECONDS: Final = 5.0
"""How long to leave a platform alone that says "too many requests" and not for how long."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as parsed JSON, None where the platform has none; ``witnessed_ms``: when it arrived."""

    raw: object
    witnessed_ms: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking for several items."""

    items: dict[int, Item]
    failed: dict[int, CollectError]


class HackerNewsClient:
    """The endpoints of https://github.com/HackerNews/API that the collector needs."""

    def __init__(self, config: HackerNewsConfig, pace: Pace, now_ms: Callable[[], int]) -> None:
        self._base_url = str(config.base_url).rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=config.request_timeout_seconds)
        self._max_concurrent_requests = config.max_concurrent_requests
        self._pace = pace
        self._now_ms = now_ms
        self._session: aiohttp.ClientSession | None = None

    async def newest_id(self) -> int:
        """Return the id of the newest item.

        Raises:
            CollectError: it cannot be had now.
        """
        newest = (await self._get("maxitem")).raw
        if type(newest) is not int or newest < 0:
            raise RetryLaterError(f"maxitem is no item id: {str(newest)[:100]!r}")
        return newest

    async def front_page(self) -> list[int]:
        """Return the ids of the top stories, best first. Raises as :meth:`newest_id` does."""
        return _ids((await self._get("topstories")).raw, "topstories")

    async def updated(self) -> list[int]:
        """Return the ids of items that changed lately. Raises as :meth:`newest_id` does."""
        updates = (await self._get("updates")).raw
        return _ids(updates.get("items") if isinstance(updates, dict) else None, "updates")

    async def items(self, ids: Iterable[int]) -> Fetched:
        """Fetch items side by side, each on its own: one that fails keeps no other back."""
        fetched = Fetched({}, {})
        turns = asyncio.Semaphore(self._max_concurrent_requests)

        async def fetch(id_: int) -> None:
            async with turns:
                try:
                    fetched.items[id_] = await self._get(f"item/{id_}")
                except CollectError as error:
                    fetched.failed[id_] = error

        async with asyncio.TaskGroup() as group:
            for id_ in ids:
                group.create_task(fetch(id_))
        for error in fetched.failed.values():
            if isinstance(error, SlowDownError):
                self._pace.hold(error.after_seconds or DEFAULT_HOLD_SECONDS)
        return fetched

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _get(self, path: str) -> Item:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers={"User-Agent": USER_AGENT})
        await self._pace.turn()
        try:
            async with self._session.get(f"{self._base_url}/v0/{path}.json", allow_redirects=False) as response:
                verdict = verdict_on(response.status, response.headers, path)
                if isinstance(verdict, GiveUpError):  # there are no credentials to mend
                    raise RetryLaterError(str(verdict))
                if verdict is not None:
                    raise verdict
                body = bytearray()
                async for chunk in response.content.iter_chunked(65_536):
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise NeverRetryError(f"{path} is longer than {MAX_BODY_BYTES} bytes")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise RetryLaterError(f"{path}: {type(error).__name__} {error}".rstrip()) from error
        try:
            return Item(json.loads(body), self._now_ms())
        except (ValueError, RecursionError) as error:
            raise RetryLaterError(f"{path} is not JSON: {bytes(body[:80])!r}") from error


def _ids(raw: object, path: str) -> list[int]:
    if not isinstance(raw, list) or not all(type(id_) is int for id_ in raw):
        raise RetryLaterError(f"{path} is no list of item ids: {str(raw)[:100]!r}")
    return raw
