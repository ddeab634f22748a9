"""Simulated news sites: each has a feed, in one of three formats."""

from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b
from html import escape
from itertools import islice
from typing import Any, Final

from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Post
from hubbub.world.platforms.news.formats import CONTENT_TYPES, read, write
from hubbub.world.simulator import Codec, ItemShape, Simulator
from hubbub.world.timeline import newest
from hubbub.world.words import NAMES
from hubbub.world.world import World

__all__ = ["SIMULATOR"]

OUTLETS: Final = NAMES["outlets"]
FORMATS: Final = tuple(CONTENT_TYPES)
FEED_ITEMS: Final = 50
"""Articles in a feed: the newest."""


class NewsServer:
    """The feeds of all outlets, as of ``clock()``."""

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self._world, self._clock = world, clock
        self.app = web.Application(middlewares=[faults.middleware("news", clock)])
        self.app.router.add_get("/{outlet}/feed", self._feed)

    async def _feed(self, request: web.Request) -> web.Response:
        outlet = request.match_info["outlet"]
        if outlet not in OUTLETS:
            return web.Response(status=404)
        kind = FORMATS[OUTLETS.index(outlet) % len(FORMATS)]
        now_ms = self._clock()
        articles = newest([self._world.posts("news", outlet)], now_ms)
        entries = [_entry(post, kind) for post in islice(articles, FEED_ITEMS) if not post.gone(now_ms)]
        body = write({"format": kind, "title": outlet, "language": "en", "ttl": "2", "entries": entries})
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type=CONTENT_TYPES[kind], charset="utf-8", headers={"ETag": etag})


def _entry(post: Post, kind: str) -> dict[str, Any]:
    created = datetime.fromtimestamp(post.created_ms / 1000, UTC)
    return {
        "id": f"tag:{post.community},2020:{post.native}",
        "link": post.url,
        "title": post.title,
        "summary": f"<p>{escape(post.text)}</p>" if post.text else None,
        "author": post.author,
        "published": format_datetime(created, usegmt=True) if kind == "rss" else created.isoformat(),
    }


def _fields(value: dict[str, object]) -> dict[str, object] | None:
    return value if {"id", "link", "published"} <= value.keys() else None


SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, _: NewsServer(world, clock, faults).app,
    options=lambda url: {"default_feeds": False, "feeds": [f"{url}/{outlet}/feed" for outlet in OUTLETS]},
    shape=ItemShape(
        fields=_fields,
        created="published",
        write_time=lambda at_ms: datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
        deleted={},
    ),
    fast_options={"requests_per_minute": 6000, "poll_min_seconds": 1, "poll_max_seconds": 2, "failed_max_seconds": 5},
    codec=Codec(decode=read, encode=write),
)
