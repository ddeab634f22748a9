"""The platforms: servers on loopback that serve a world as each platform would, and senders.

Owns starting and stopping them, and the control routes through which another process sets faults and asks for the
truth. Must never know what the platforms answer or send.

Control, on every server: ``GET /_world/faults`` tells the schedule and what has struck, ``PUT /_world/faults`` sets
the schedule (a JSON list of faults), ``GET /_world/truth`` tells the truth as of now.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

import msgspec
from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Fault, Faults
from hubbub.world.simulator import Simulator, answer
from hubbub.world.truth import truth
from hubbub.world.world import World
from ingest.registry import PLATFORMS

HOST = "127.0.0.1"

_FOLDER = "hubbub.world.platforms."
SIMULATORS: Final[Mapping[str, Simulator]] = MappingProxyType(
    {name: import_module(_FOLDER + name).SIMULATOR for name in PLATFORMS if find_spec(_FOLDER + name) is not None}
)
"""The simulated ones of the platforms, by name."""


def free_port() -> int:
    """Return a port that no program listens on now."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def _running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run ``work`` beside the block, and cancel it at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Platforms:
    """Serves ``world`` while used as an async context manager.

    ``urls``: by platform; of a sender, where its collector is to listen. ``ports``: by platform; one that is absent or
    0 takes a free port. ``budget_factor``: how many times as many requests the platforms allow; a world that runs
    faster than real time needs its speed.
    Raises OSError on entering when a port is taken.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        faults: Faults | None = None,
        ports: Mapping[str, int] = MappingProxyType({}),
        budget_factor: float = 1.0,
    ) -> None:
        self.world, self.clock = world, clock
        self.faults = Faults() if faults is None else faults
        self.urls: dict[str, str] = {}
        self._ports = ports
        self._apps = {
            name: simulator.serve(world, clock, self.faults, budget_factor)
            for name, simulator in SIMULATORS.items()
            if simulator.serve is not None
        }
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Platforms:
        async with AsyncExitStack() as starting:
            for name, app in self._apps.items():
                self.urls[name] = await self._serve(app, self._ports.get(name, 0), starting)
            for name, simulator in SIMULATORS.items():
                if simulator.push is not None:
                    self.urls[name] = url = f"http://{HOST}:{self._ports.get(name, 0) or free_port()}"
                    await starting.enter_async_context(_running(simulator.push(self.world, self.clock, url)))
            self._running = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def _serve(self, app: web.Application, port: int, running: AsyncExitStack) -> str:
        app.add_routes(
            [
                web.get("/_world/faults", self._get_faults),
                web.put("/_world/faults", self._put_faults),
                web.get("/_world/truth", self._get_truth),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        running.push_async_callback(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise OSError(
                f"port {port} of {HOST} cannot be had ({error.strerror}); take another, or 0 for any"
            ) from error
        return f"http://{HOST}:{site.port}"

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
