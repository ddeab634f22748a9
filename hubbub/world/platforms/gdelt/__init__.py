"""A simulated GDELT: a file every 15 minutes, and the search."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import islice, takewhile
from typing import Any, Final

from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Post
from hubbub.world.platforms.gdelt.formats import read, write
from hubbub.world.simulator import Codec, ItemShape, Simulator, answer
from hubbub.world.timeline import newest
from hubbub.world.world import World
from ingest.platforms.gdelt.files import INTERVAL, file_name, file_time

__all__ = ["SIMULATOR"]

INTERVAL_MS: Final = int(INTERVAL.total_seconds() * 1000)
STAMP: Final = "%Y%m%d%H%M%S"


class GdeltServer:
    """GDELT's side of ``world``, as of ``clock()``."""

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self._world, self._clock = world, clock
        self.app = web.Application(middlewares=[faults.middleware("gdelt", clock)])
        self.app.add_routes(
            [
                web.get("/gdeltv2/lastupdate.txt", self._newest),
                web.get("/gdeltv2/{name}", self._file),
                web.get("/api/v2/doc/doc", self._search),
            ]
        )

    async def _newest(self, request: web.Request) -> web.Response:
        """Serve the list of the newest files: size, checksum and address of each."""
        now_ms = self._clock()
        name = file_name(_time(now_ms - now_ms % INTERVAL_MS), translated=False)
        packed = write(self._pages(file_time(name[:14])))
        checksum = md5(packed, usedforsecurity=False).hexdigest()
        return web.Response(text=f"{len(packed)} {checksum} http://{request.host}/gdeltv2/{name}\n")

    async def _file(self, request: web.Request) -> web.Response:
        """Serve the pages that appeared in the quarter of an hour before the time in the file's name."""
        time = file_time(request.match_info["name"][:14])
        if time is None or time > _time(self._clock()):
            return web.Response(status=404)
        return web.Response(body=write(self._pages(time)), content_type="application/zip")

    async def _search(self, request: web.Request) -> web.Response:
        """Serve the newest pages of the last hours, whatever is searched for."""
        since_ms = self._clock() - int(request.query["timespan"].removesuffix("h")) * 3_600_000
        shown = takewhile(lambda post: post.appears_ms >= since_ms, self._newest_first(self._clock()))
        found = [_article(post) for post in islice(shown, int(request.query["maxrecords"]))]
        return answer({"articles": found} if found else {})

    def _pages(self, time: datetime | None) -> list[dict[str, Any]]:
        end_ms = int(time.timestamp() * 1000) if time else 0
        shown = takewhile(lambda post: post.appears_ms > end_ms - INTERVAL_MS, self._newest_first(end_ms))
        return [_page(post, f"{time:{STAMP}}") for post in shown]

    def _newest_first(self, now_ms: int) -> Iterator[Post]:
        return newest([self._world.posts("gdelt")], now_ms)


def _page(post: Post, seen: str) -> dict[str, Any]:
    return {
        "url": post.url,
        "title": post.title,
        "seendate": seen,
        "published": f"{_time(post.created_ms):{STAMP}}",
        "domain": (post.url or "").removeprefix("https://").partition("/")[0],
    }


def _article(post: Post) -> dict[str, Any]:
    page = _page(post, f"{_time(post.appears_ms):%Y%m%dT%H%M%SZ}")
    del page["published"]
    return page | {"url_mobile": "", "socialimage": "", "language": "English", "sourcecountry": "United States"}


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)


def _serve(world: World, clock: Clock, faults: Faults, _: float) -> web.Application:
    return GdeltServer(world, clock, faults).app


_FAST: Final = {"requests_per_minute": 6000, "poll_seconds": 1}

SIMULATOR: Final = Simulator(
    serve=_serve,
    options=lambda url: {"files_url": url},
    shape=ItemShape(
        fields=lambda value: value if {"url", "seendate"} <= value.keys() else None,
        created="published",
        write_time=lambda at_ms: f"{_time(at_ms):{STAMP}}",
        deleted={},
    ),
    fast_options=_FAST,
    codec=Codec(decode=read, encode=write),
    ways={
        "search": Simulator(
            serve=_serve,
            options=lambda url: {"source": "api", "api_url": url, "query": "artificial intelligence"},
            shape=ItemShape(
                fields=lambda value: value if {"url", "seendate"} <= value.keys() else None,
                created="seendate",
                write_time=lambda at_ms: f"{_time(at_ms):%Y%m%dT%H%M%SZ}",
                deleted={},
            ),
            fast_options=_FAST,
        )
    },
)
