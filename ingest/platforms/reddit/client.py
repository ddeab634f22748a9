"""Requests to Reddit: PRAW in a thread of its own.

Owns that thread (PRAW blocks, and a ``Reddit`` may be used by one thread only) and the queue to it. Must never know
what a thing means, nor ask again.

Things are kept as JSON, not as PRAW's objects: a malformed thing is then one dead letter with its original. An object
that cannot be built would cost the whole page.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from ingest.collector import CollectorContext
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.session import RedditSession, error_for_exception
from ingest.platforms.reddit.source import PAGE_ITEMS, THREAD_ITEMS, ListingName, Page
from transport.errors import RetryLaterError

OVERTIME_FACTOR: Final = 4
"""PRAW's time-out is for the next bytes. A slow answer may take this many times as long in all."""


class RedditClient:
    """The endpoints of https://www.reddit.com/dev/api that the collector needs; a ``Source``."""

    has_counts = True

    def __init__(self, config: RedditConfig, context: CollectorContext) -> None:
        self._config = config
        place = "r/" + "+".join(config.subreddits)
        self._paths = {"submissions": f"{place}/new", "comments": f"{place}/comments"}
        self._rate_limiter = context.rate_limiter
        self._now_ms = context.now_ms
        self._thread: _RedditThread | None = None

    async def listing(self, name: ListingName, after: str | None) -> Page:
        """See :class:`~ingest.platforms.reddit.source.Source`."""
        params: dict[str, str | int] = {"limit": PAGE_ITEMS}
        if after is not None:
            params["after"] = after
        return await self._get(self._paths[name], params)

    async def info(self, fullnames: Sequence[str]) -> Page:
        """See :class:`~ingest.platforms.reddit.source.Source`."""
        return await self._get("api/info", {"id": ",".join(fullnames)})

    async def thread(self, fullname: str) -> Page:
        """See :class:`~ingest.platforms.reddit.source.Source`."""
        path = f"comments/{fullname.removeprefix('t3_')}"
        json, witnessed_ms = await self._request(path, {"limit": THREAD_ITEMS, "sort": "new"})
        if not isinstance(json, list):
            raise RetryLaterError(f"{path} is no thread: {str(json)[:100]!r}")
        return Page(tuple(flattened(json)), None, witnessed_ms)

    async def close(self) -> None:
        """End the thread without waiting for a request that hangs."""
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    async def _get(self, path: str, params: dict[str, str | int]) -> Page:
        json, witnessed_ms = await self._request(path, params)
        return _page(json, witnessed_ms, path)

    async def _request(self, path: str, params: dict[str, str | int]) -> tuple[object, int]:
        await self._rate_limiter.acquire()
        if self._thread is None:
            self._thread = _RedditThread(self._config, self._now_ms)
        try:
            async with asyncio.timeout(OVERTIME_FACTOR * self._config.request_timeout_seconds):
                answer = await self._thread.get(path, params)
        except TimeoutError:
            self._thread.end()
            self._thread = None
            raise RetryLaterError(f"{path} is not answered") from None
        if answer.exhausted_for_seconds:
            self._rate_limiter.hold(answer.exhausted_for_seconds)
        return answer.json, answer.witnessed_ms


@dataclass(frozen=True, slots=True)
class _Answer:
    json: object
    witnessed_ms: int
    exhausted_for_seconds: float


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    params: dict[str, str | int]
    future: Future[_Answer]


class _RedditThread(threading.Thread):
    """One ``Reddit`` and its thread: a daemon, since a request that hangs must not hold up the end of the process."""

    def __init__(self, config: RedditConfig, now_ms: Callable[[], int]) -> None:
        super().__init__(name="reddit", daemon=True)
        self._config = config
        self._now_ms = now_ms
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._session: RedditSession | None = None
        self.start()

    async def get(self, path: str, params: dict[str, str | int]) -> _Answer:
        """Let the thread ask Reddit, and wait for the answer."""
        request = _Request(path, params, Future())
        self._requests.put(request)
        return await asyncio.wrap_future(request.future)

    def end(self) -> None:
        """Let the thread end after the requests that it was given; those that no one waits for are skipped."""
        self._requests.put(None)

    def run(self) -> None:
        """Answer requests one by one until :meth:`end`. Between two of them no page is kept: a page is large."""
        while self._answer(self._requests.get()):
            pass
        if self._session is not None:
            self._session.close()

    def _answer(self, request: _Request | None) -> bool:
        """Answer ``request``; return False if it is None, the last one."""
        if request is None:
            return False
        if not request.future.set_running_or_notify_cancel():
            return True  # no one waits for it any more
        try:
            self._session = self._session or RedditSession(self._config)
            json = self._session.get(request.path, request.params)
            request.future.set_result(_Answer(json, self._now_ms(), self._session.exhausted_for_seconds))
        except Exception as error:  # noqa: BLE001 (raised again in the event loop, which decides)
            request.future.set_exception(error_for_exception(error, request.path))
        return True


def _page(json: object, witnessed_ms: int, path: str) -> Page:
    data = json.get("data") if isinstance(json, dict) and json.get("kind") == "Listing" else None
    things = data.get("children") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(things, list):
        raise RetryLaterError(f"{path} is no listing: {str(json)[:100]!r}")
    after = data.get("after")
    return Page(tuple(things), after if isinstance(after, str) else None, witnessed_ms)


def flattened(json: object) -> Iterator[object]:
    """Yield the things of a thread: the post, and comments at any depth. Markers of more comments are left out."""
    waiting = [json]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(reversed(part))
            continue
        data = part.get("data") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(data, dict):
            continue
        if part.get("kind") == "Listing":
            waiting.append(data.get("children"))
        elif part.get("kind") in {"t1", "t3"}:
            replies = data.get("replies")  # a listing; an empty text if there are none
            yield {**part, "data": {**data, "replies": ""}}
            waiting.append(replies)
