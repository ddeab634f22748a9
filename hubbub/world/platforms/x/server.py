"""X on loopback: a world, served as the API v2 does.

Owns routes, tokens, rules, pages, the stream, and which posts are charged. Must never know how a post looks. Every rule
and query matches everything. Any token but ``wrong`` is taken. Source: https://docs.x.com/x-api.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item
from hubbub.world.platforms.x import posts
from hubbub.world.platforms.x.posts import iso
from hubbub.world.simulator import answer, send
from hubbub.world.timeline import Timeline, newest, newest_page, place
from hubbub.world.world import World

PLATFORM: Final = "x"
REFUSED: Final = "wrong"
"""The token that is rejected."""
LEAST, MOST = 10, 100
"""Posts on a page of a search."""
TICK_SECONDS: Final = 0.05
"""How often the stream looks for new posts."""
KEEP_ALIVE_TICKS: Final = 400
"""An empty line after 20 s without a post."""
PROBLEMS: Final = "https://api.twitter.com/2/problems/"


class XServer:
    """X's side of ``world`` at ``clock()``. It allows ``connections`` to the stream at the same time; X allows one."""

    def __init__(self, world: World, clock: Clock, faults: Faults, connections: int = 1) -> None:
        self._world, self._clock = world, clock
        self._connections_left = connections
        self._rules: dict[str, dict[str, object]] = {}
        self._charged: dict[str, set[str]] = {}
        self.app = web.Application(middlewares=[faults.middleware("x", clock), self._guard])
        self.app.add_routes(
            [
                web.get("/2/usage/tweets", self._usage),
                web.get("/2/tweets/search/stream/rules", self._get_rules),
                web.post("/2/tweets/search/stream/rules", self._change_rules),
                web.get("/2/tweets/search/stream", self._stream),
                web.get("/2/tweets/search/recent", self._search),
                web.get("/2/tweets", self._lookup),
            ]
        )

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not request.path.startswith("/_world/") and (scheme.lower() != "bearer" or token in {"", REFUSED}):
            return _problem(401, "Unauthorized", "Unauthorized", "about:blank")
        return await handler(request)

    async def _usage(self, _: web.Request) -> web.Response:
        """Serve how many posts were charged, by day."""
        days = [{"date": f"{date}T00:00:00.000Z", "usage": str(len(ids))} for date, ids in self._charged.items()]
        data = {"project_id": "1", "project_cap": "2000000", "cap_reset_day": 1}
        used = sum(map(len, self._charged.values()))
        return answer({"data": data | {"project_usage": str(used), "daily_project_usage": {"usage": days}}})

    async def _get_rules(self, _: web.Request) -> web.Response:
        meta = {"sent": iso(self._clock()), "result_count": len(self._rules)}
        return answer({"data": list(self._rules.values()), "meta": meta} if self._rules else {"meta": meta})

    async def _change_rules(self, request: web.Request) -> web.Response:
        body = await request.json()
        created: list[dict[str, object]] = []
        for rule in body.get("add", ()):
            id_ = str(1_000_000 + len(self._rules))
            self._rules[id_] = {"id": id_, **rule}
            created.append(self._rules[id_])
        for id_ in body.get("delete", {}).get("ids", ()):
            self._rules.pop(id_, None)
        meta = {"sent": iso(self._clock()), "summary": {"created": len(created), "not_created": 0, "invalid": 0}}
        return answer({"data": created, "meta": meta} if created else {"meta": meta})

    async def _search(self, request: web.Request) -> web.Response:
        """Serve a page of what was created since ``start_time``, newest first."""
        now_ms = self._clock()
        since_ms = int(datetime.fromisoformat(request.query["start_time"]).timestamp() * 1000)
        results = max(LEAST, min(int(request.query.get("max_results", LEAST)), MOST))
        token = request.query.get("next_token")
        anchor = self._world.find(f"{PLATFORM}:{token}", now_ms) if token else None

        def shown(item: Item) -> bool:
            return item.created_ms >= since_ms and not item.gone(now_ms)

        after = place(anchor) if anchor is not None else None
        page = newest_page(self._timelines(), now_ms, shown, results, after=after)
        meta: dict[str, object] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0].native, "oldest_id": page[-1].native}
        if len(page) == results:
            meta["next_token"] = page[-1].native
        return answer(self._posts(request, page, now_ms) | {"meta": meta})

    async def _lookup(self, request: web.Request) -> web.Response:
        """Serve posts by id; those that are gone are problems inside a success."""
        now_ms = self._clock()
        found: list[Item] = []
        problems: list[dict[str, object]] = []
        for id_ in request.query["ids"].split(",")[:MOST]:
            item = self._world.find(f"{PLATFORM}:{id_}", now_ms)
            if item is not None and not item.gone(now_ms):
                found.append(item)
                continue
            problems.append(
                {
                    "value": id_,
                    "detail": f"Could not find tweet with ids: [{id_}].",
                    "title": "Not Found Error",
                    "resource_type": "tweet",
                    "parameter": "ids",
                    "resource_id": id_,
                    "type": f"{PROBLEMS}resource-not-found",
                }
            )
        return answer(self._posts(request, found, now_ms) | ({"errors": problems} if problems else {}))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Serve what appears from now on, one post a line."""
        if self._connections_left <= 0:
            detail = "This stream is currently at the maximum allowed connection limit."
            return _problem(429, "ConnectionException", detail, f"{PROBLEMS}streaming-connection")
        self._connections_left -= 1
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
            await response.prepare(request)
            seen_ms, ticks = self._clock(), 0
            while request.transport is not None and not request.transport.is_closing():
                now_ms, ticks = self._clock(), ticks + 1
                for item in self._appeared(seen_ms, now_ms):
                    matching = [{"id": rule["id"], "tag": rule.get("tag")} for rule in self._rules.values()]
                    shown = self._posts(request, [item], now_ms)
                    await send(
                        request, response, shown | {"data": posts.post(item, now_ms), "matching_rules": matching}
                    )
                    ticks = 0
                if ticks and ticks % KEEP_ALIVE_TICKS == 0:
                    await response.write(b"\r\n")
                seen_ms = now_ms
                await asyncio.sleep(TICK_SECONDS)
            return response
        finally:
            self._connections_left += 1

    def _posts(self, request: web.Request, items: Iterable[Item], now_ms: int) -> dict[str, object]:
        """Return the body of a response with ``items``, and charge them."""
        items = list(items)
        originals = "referenced_tweets.id" in request.query.get("expansions", "")
        charged = self._charged.setdefault(iso(now_ms)[:10], set())
        charged.update(item.native for item in items)
        if not items:
            return {}
        came_along = posts.includes(items, now_ms, originals=originals)
        return {"data": [posts.post(item, now_ms) for item in items], "includes": came_along}

    def _appeared(self, after_ms: int, now_ms: int) -> list[Item]:
        """Return what has appeared after ``after_ms``, oldest first."""
        fresh: list[Item] = []
        for item in newest(self._timelines(), now_ms):
            if item.appears_ms <= after_ms:
                break
            fresh.append(item)
        return [item for item in reversed(fresh) if not item.gone(now_ms)]

    def _timelines(self) -> list[Timeline[Item]]:
        world = self._world
        return [world.posts(PLATFORM), world.replies(PLATFORM), world.reposts(PLATFORM)]  # type: ignore[list-item]


def _problem(status: int, title: str, detail: str, type_: str) -> web.Response:
    value = {"title": title, "detail": detail, "type": type_, "status": status}
    return web.json_response(value, status=status, content_type="application/problem+json")
