"""Requests to Hacker News: single ones, and many items at once.

Owns the paths and the forms of the lists. Must never know what an item means, nor ask again.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.collector import CollectorContext
from ingest.errors import CollectError
from ingest.http import Answer, JsonClient
from ingest.platforms.hackernews.config import FrontPageList, HackerNewsConfig
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError

DEFAULT_HOLD_SECONDS: Final = 5.0
"""Pause after "too many requests" without a ``Retry-After``."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The items that were asked for, as parsed JSON (None where the platform has none), and the failures."""

    items: dict[int, Answer]
    failed: dict[int, CollectError]


class HackerNewsClient:
    """The endpoints of https://github.com/HackerNews/API that the collector needs."""

    def __init__(self, config: HackerNewsConfig, context: CollectorContext) -> None:
        self._json = JsonClient(config, context, str(config.base_url))
        self._max_concurrent_requests = config.max_concurrent_requests
        self._rate_limiter = context.rate_limiter

    async def newest_id(self) -> int:
        """Return the id of the newest item.

        Raises:
            CollectError: it cannot be had now.
        """
        newest = (await self._get("maxitem")).json
        if type(newest) is not int or newest < 0:
            raise RetryLaterError(f"maxitem is no item id: {str(newest)[:100]!r}")
        return newest

    async def front_page(self, name: FrontPageList) -> list[int]:
        """Return the ids of the stories in a list, best first. Raises as :meth:`newest_id` does."""
        return _ids((await self._get(f"{name}stories")).json, f"{name}stories")

    async def updated(self) -> list[int]:
        """Return the ids of items that changed a short time ago. Raises as :meth:`newest_id` does."""
        updates = (await self._get("updates")).json
        return _ids(updates.get("items") if isinstance(updates, dict) else None, "updates")

    async def items(self, ids: Iterable[int]) -> Fetched:
        """Fetch items concurrently; one that fails holds up no other."""
        fetched = Fetched({}, {})
        turns = asyncio.Semaphore(self._max_concurrent_requests)

        async def fetch(id_: int) -> None:
            async with turns:
                try:
                    fetched.items[id_] = await self._get(f"item/{id_}")
                except (RetryLaterError, SlowDownError, NeverRetryError) as error:
                    fetched.failed[id_] = error

        async with asyncio.TaskGroup() as group:
            for id_ in ids:
                group.create_task(fetch(id_))
        for error in fetched.failed.values():
            if isinstance(error, SlowDownError):
                self._rate_limiter.hold(error.after_seconds or DEFAULT_HOLD_SECONDS)
        return fetched

    async def close(self) -> None:
        """Close the connections."""
        await self._json.close()

    async def _get(self, name: str) -> Answer:
        return await self._json.get(f"/v0/{name}.json")


def _ids(raw: object, name: str) -> list[int]:
    if not isinstance(raw, list) or not all(type(id_) is int for id_ in raw):
        raise RetryLaterError(f"{name} is no list of item ids: {str(raw)[:100]!r}")
    return raw
