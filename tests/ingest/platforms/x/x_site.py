"""A small X, scripted by a test: it counts what it charges, as X does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from aiohttp import web

from ingest.batch import Batch, Cursor, Signals
from ingest.platforms.x.collector import XCollector
from ingest.platforms.x.config import XConfig
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import Site

Thing = dict[str, object]

NOON_MS = 1_764_504_000_000  # 2025-11-30T12:00:00Z
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DISCONNECT: Thing = {
    "errors": [
        {
            "title": "operational-disconnect",
            "disconnect_type": "OperationalDisconnect",
            "detail": "This stream has been disconnected for operational reasons.",
            "type": "https://api.twitter.com/2/problems/operational-disconnect",
        }
    ]
}


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def post(number: int, created_ms: int = NOON_MS - HOUR_MS // 2, **changes: object) -> Thing:
    """Return a post by author ``number % 5``."""
    found: Thing = {
        "id": str(number),
        "text": f"post {number}",
        "author_id": str(900 + number % 5),
        "conversation_id": str(number),
        "created_at": iso(created_ms + number),
        "public_metrics": {
            "retweet_count": 3, "reply_count": 2, "like_count": 10, "quote_count": 1, "impression_count": 1000,
        },
    }  # fmt: skip
    return found | changes


class XSite(Site):
    """``posts`` are searched, newest last; ``lines`` go out on the stream. ``charged``: by UTC day."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self.now_ms = now_ms
        self.posts: list[Thing] = []
        self.rules: list[Thing] = []
        self.lines: asyncio.Queue[Thing | None] = asyncio.Queue()
        self.charged: dict[str, set[str]] = {}
        self.counted: dict[str, int] = {}

    def posts_charged(self) -> int:
        """Return how many posts X has charged, each once a day."""
        return sum(id_.startswith("post") for ids in self.charged.values() for id_ in ids)

    def usd(self, config: XConfig) -> float:
        """Return what X has charged in all."""
        posts = self.posts_charged()
        return posts * config.usd_per_post + (sum(map(len, self.charged.values())) - posts) * config.usd_per_author

    def bodies(self, posts: list[Thing]) -> Thing:
        """Return posts with their authors, and charge both."""
        day = self.charged.setdefault(iso(self.now_ms())[:10], set())
        day.update(f"post {item['id']}" for item in posts)
        day.update(f"author {item['author_id']}" for item in posts)
        users = [
            {"id": str(id_), "username": f"user{id_}", "public_metrics": {"followers_count": 50}}
            for id_ in sorted({str(item["author_id"]) for item in posts})
        ]
        return {"data": posts, "includes": {"users": users}} if posts else {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/2/usage/tweets":
                usage = [{"date": f"{day}T00:00:00.000Z", "usage": str(posts)} for day, posts in self.counted.items()]
                return web.json_response({"data": {"project_usage": "0", "daily_project_usage": {"usage": usage}}})
            case "/2/tweets/search/stream/rules":
                return await self._rules(request)
            case "/2/tweets/search/stream":
                return await self._stream(request)
            case "/2/tweets/search/recent":
                return web.json_response(self._search(request))
            case "/2/tweets":
                return web.json_response(self._lookup(request))
        return web.Response(status=404)

    async def _rules(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            body = json.loads(await request.text())
            for rule in body.get("add", []):
                self.rules.append({"id": str(len(self.rules) + 1), **rule})
            gone = body.get("delete", {}).get("ids", [])
            self.rules = [rule for rule in self.rules if rule["id"] not in gone]
        return web.json_response({"data": self.rules, "meta": {}} if self.rules else {"meta": {"result_count": 0}})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"\r\n")
        with suppress(ConnectionError):
            while (line := await self.lines.get()) is not None:
                if "id" in line:
                    body = self.bodies([line])
                    line = {**body, "data": line, "matching_rules": []}
                await response.write(json.dumps(line).encode() + b"\r\n")
        return response

    def _search(self, request: web.Request) -> Thing:
        size = int(request.query["max_results"])
        assert 10 <= size <= 100
        found = [item for item in reversed(self.posts) if str(item["created_at"]) >= request.query["start_time"]]
        begin = int(request.query.get("next_token", "0"))
        page = found[begin : begin + size]
        meta: Thing = {"result_count": len(page)}
        if begin + size < len(found):
            meta["next_token"] = str(begin + size)
        return {**self.bodies(page), "meta": meta}

    def _lookup(self, request: web.Request) -> Thing:
        wanted = request.query["ids"].split(",")
        assert 0 < len(wanted) <= 100
        found = [item for item in self.posts if item["id"] in wanted]
        gone = set(wanted) - {str(item["id"]) for item in found}
        problems = [
            {
                "resource_type": "tweet", "parameter": "ids", "resource_id": id_, "title": "Not Found Error",
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
            for id_ in sorted(gone)
        ]  # fmt: skip
        return {**self.bodies(found), **({"errors": problems} if problems else {})}


class Clock(FakeClock):
    """Real seconds, and the items' time that goes with them. ``ahead_ms``: days that a test lets pass."""

    ahead_ms = 0

    def now_ms(self) -> int:
        """Return the items' time."""
        return NOON_MS + self.ahead_ms + int((self.now - 1_000) * 1_000)


def config(url: str, **changes: object) -> XConfig:
    options: dict[str, object] = {
        "bearer_token": "secret-token",
        "base_url": url,
        "queries": ["one"],
        "request_timeout_seconds": 30,
        "stream": False,
        "stream_wait_seconds": 0.05,
        "reobserve_seconds": 1e9,
        "usage_seconds": 1e9,
    }
    return XConfig.model_validate(options | changes)


@asynccontextmanager
async def collecting(
    site: XSite, clock: Clock, cursor: Cursor | None = None, **changes: object
) -> AsyncIterator[XCollector]:
    collector = XCollector(config(site.url, **changes), cursor, context(clock.now_ms, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: XCollector, count: int) -> Batch:
    """Return what ``count`` polls give together, and the last cursor."""
    together, cursor = Signals(), b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def ids(signals: Signals) -> list[str]:
    return [signal.id.removeprefix("x:") for signal in signals.signals]
