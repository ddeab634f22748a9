"""An instance of Mastodon on loopback: a world, served over REST and server-sent events.

Owns routes, pages, the rate limit and the stream. Must never know how a status is built (``statuses.py``), nor whether
the world was generated or recorded.

As on real instances, the public timeline shows neither replies nor boosts, and streaming needs a token: any but
``wrong``. Sources: https://docs.joinmastodon.org/methods/, and recorded sessions of Mastodon.py.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item, Post, Reply
from hubbub.world.platforms.mastodon.statuses import HERE, is_tagged, number_of, status
from hubbub.world.simulator import answer, send
from hubbub.world.timeline import newest
from hubbub.world.world import World

PLATFORM: Final = "mastodon"
REQUESTS_PER_WINDOW = 300
WINDOW_S = 300
PAGE, MOST = 20, 40
"""Statuses on a page: without a limit in the request, and at most."""
MOST_IDS = 20
ANCESTORS, DESCENDANTS = 40, 60
"""The most statuses of a thread that are shown without a token."""
REFUSED = "wrong"
STREAM_TICK_SECONDS = 0.02
HEARTBEAT_SECONDS = 15.0

Tells = Callable[[Post], bool]


class MastodonServer:
    """The instance's side of ``world`` at ``clock()``. It allows ``budget_factor`` * 300 requests in 5 minutes."""

    def __init__(self, world: World, clock: Clock, faults: Faults, budget_factor: float = 1.0) -> None:
        self._world, self._clock = world, clock
        self._budget = int(REQUESTS_PER_WINDOW * budget_factor)
        self._window_from_s, self._used = time.monotonic(), 0
        self._items: dict[str, Item] = {
            number_of(item): item
            for timeline in (world.posts(PLATFORM), world.replies(PLATFORM))
            for item in timeline.items
        }
        self.app = web.Application(middlewares=[faults.middleware(PLATFORM, clock), self._guard])
        self.app.add_routes(
            [
                web.get("/api/v2/instance", self._about),
                web.get("/api/v1/timelines/public", self._public),
                web.get("/api/v1/timelines/tag/{tag}", self._tag),
                web.get("/api/v1/statuses", self._several),
                web.get("/api/v1/statuses/{number}", self._one),
                web.get("/api/v1/statuses/{number}/context", self._context),
                web.get("/api/v1/streaming/public", self._stream),
            ]
        )

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let requests through within the budget; each answer says what is left, and until when."""
        if request.path.startswith("/_world/"):
            return await handler(request)
        if request.headers.get("Authorization") == f"Bearer {REFUSED}":
            return _error(401, "The access token is invalid")
        now_s = time.monotonic()
        if now_s - self._window_from_s >= WINDOW_S:
            self._window_from_s, self._used = now_s, 0
        self._used += 1
        reset = datetime.fromtimestamp(time.time() + WINDOW_S - (now_s - self._window_from_s), UTC)
        left = {
            "X-RateLimit-Limit": str(self._budget),
            "X-RateLimit-Remaining": str(max(0, self._budget - self._used)),
            "X-RateLimit-Reset": reset.isoformat().replace("+00:00", "Z"),
        }
        if self._used > self._budget:
            return _error(429, "Too many requests", left)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(left)
        return response

    async def _about(self, request: web.Request) -> web.Response:
        access = {"local": "public", "remote": "public"}
        return answer(
            {
                "domain": HERE,
                "title": "Mastodon",
                "version": "4.6.4",
                "usage": {"users": {"active_month": 4000}},
                "configuration": {
                    "urls": {"streaming": f"ws://{request.host}"},
                    "timelines_access": {"live_feeds": access, "hashtag_feeds": access},
                },
            }
        )

    async def _public(self, request: web.Request) -> web.Response:
        return self._page(request, lambda _: True)

    async def _tag(self, request: web.Request) -> web.Response:
        tags = [request.match_info["tag"], *request.query.getall("any[]", [])]
        return self._page(request, lambda post: any(is_tagged(post, tag.lower()) for tag in tags))

    def _page(self, request: web.Request, shows: Tells) -> web.Response:
        """Serve a page of posts, newest first; with ``min_id`` the oldest of those after it."""
        now_ms = self._clock()
        limit = min(MOST, int(request.query.get("limit", PAGE)))
        least, most = int(request.query.get("min_id", 0)), int(request.query.get("max_id", 2**63))
        since = int(request.query.get("since_id", 0))
        posts = [
            post
            for post in newest([self._world.posts(PLATFORM)], now_ms)
            if max(least, since) < int(number_of(post)) < most and shows(post) and not post.gone(now_ms)
        ]
        posts.sort(key=lambda post: int(number_of(post)), reverse=True)
        return answer([status(post, now_ms) for post in (posts[-limit:] if least else posts[:limit])])

    async def _several(self, request: web.Request) -> web.Response:
        numbers = request.query.getall("id[]", [])
        if len(numbers) > MOST_IDS:
            return _error(422, "Validation failed")
        now_ms = self._clock()
        return answer([status(item, now_ms) for number in numbers if (item := self._there(number)) is not None])

    async def _one(self, request: web.Request) -> web.Response:
        item = self._there(request.match_info["number"])
        return _error(404, "Record not found") if item is None else answer(status(item, self._clock()))

    async def _context(self, request: web.Request) -> web.Response:
        item = self._there(request.match_info["number"])
        if item is None:
            return _error(404, "Record not found")
        now_ms = self._clock()
        above: list[Item] = []
        top = item
        while isinstance(top, Reply):
            top = top.parent
            above.insert(0, top)
        below: list[Item] = list(_below(item))
        context: dict[str, list[Item]] = {"ancestors": above[-ANCESTORS:], "descendants": below[:DESCENDANTS]}
        return answer(
            {
                name: [status(each, now_ms) for each in items if each.there(now_ms) and not each.gone(now_ms)]
                for name, items in context.items()
            }
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Stream posts as they appear, and deletions of whatever is gone."""
        if "Authorization" not in request.headers:
            return _error(401, "Missing access token")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":)\n")
        until_ms, quiet_from_s = self._clock(), time.monotonic()
        while True:
            since_ms, until_ms = until_ms, self._clock()
            for item in self._items.values():
                if isinstance(item, Post) and since_ms < item.appears_ms <= until_ms:
                    await send(request, response, status(item, until_ms), event="update")
                if item.gone_ms is not None and since_ms < item.gone_ms <= until_ms:
                    await response.write(f"event: delete\ndata: {number_of(item)}\n\n".encode())
            if time.monotonic() - quiet_from_s > HEARTBEAT_SECONDS:
                quiet_from_s = time.monotonic()
                await response.write(b":thump\n")
            await asyncio.sleep(STREAM_TICK_SECONDS)

    def _there(self, number: str) -> Item | None:
        """Return the status that the instance shows under a local id."""
        item, now_ms = self._items.get(number), self._clock()
        return item if item is not None and item.there(now_ms) and not item.gone(now_ms) else None


def _below(item: Item) -> Iterable[Reply]:
    for reply in item.replies:
        yield reply
        yield from _below(reply)


def _error(code: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": message}, status=code, headers=headers)
