"""The platforms: servers on loopback that serve a world as Reddit and Hacker News would.

Owns starting and stopping the servers, and the control routes through which another process sets faults and asks for
the truth. Must never know what the platforms answer.

Control, on either server: ``GET /_world/faults`` tells the schedule and what has struck, ``PUT /_world/faults`` sets
the schedule (a JSON list of faults), ``GET /_world/truth`` tells the truth as of now.
"""

from __future__ import annotations

from types import TracebackType

import msgspec
from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Fault, Faults
from hubbub.world.platforms.answer import answer
from hubbub.world.platforms.hackernews.server import HackerNewsServer
from hubbub.world.platforms.reddit.server import REQUESTS_PER_WINDOW, RedditServer
from hubbub.world.truth import truth
from hubbub.world.world import World

__all__ = ["Platforms"]

HOST = "127.0.0.1"


class Platforms:
    """Serves ``world`` while used as an async context manager.

    ``reddit_port``, ``hackernews_port``: 0 takes a free one. ``reddit_budget``: requests that an OAuth client may make
    in ten real minutes; a world that runs faster than real time wants a larger one (1000 times its speed).
    Raises OSError on entering when a port is taken.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        faults: Faults | None = None,
        reddit_port: int = 0,
        hackernews_port: int = 0,
        reddit_budget: int = REQUESTS_PER_WINDOW,
    ) -> None:
        self.world, self.clock = world, clock
        self.faults = Faults() if faults is None else faults
        self.reddit_url = ""
        self.hackernews_url = ""
        self._ports = (reddit_port, hackernews_port)
        self._apps = (
            RedditServer(world, clock, self.faults, reddit_budget).app,
            HackerNewsServer(world, clock, self.faults).app,
        )
        self._runners: list[web.AppRunner] = []

    async def __aenter__(self) -> Platforms:
        try:
            self.reddit_url, self.hackernews_url = [
                await self._serve(app, port) for app, port in zip(self._apps, self._ports, strict=True)
            ]
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _serve(self, app: web.Application, port: int) -> str:
        app.add_routes(
            [
                web.get("/_world/faults", self._get_faults),
                web.put("/_world/faults", self._put_faults),
                web.get("/_world/truth", self._get_truth),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        self._runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise OSError(
                f"port {port} of {HOST} cannot be had ({error.strerror}); take another, or 0 for any"
            ) from error
        return f"http://{HOST}:{site.port}"

    async def _stop(self) -> None:
        while self._runners:
            await self._runners.pop().cleanup()

    async def _get_faults(self, _: web.Request) -> web.Response:
        return answer({"schedule": self.faults.schedule, "struck": self.faults.struck})

    async def _put_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults.schedule = tuple(msgspec.json.decode(await request.read(), type=list[Fault]))
        except msgspec.DecodeError as error:
            return web.json_response({"error": str(error)}, status=422)
        return await self._get_faults(request)

    async def _get_truth(self, _: web.Request) -> web.Response:
        return answer(truth(self.world, self.clock()))
