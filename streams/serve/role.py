"""The role ``serve``: it reads the topics and serves the page, from start to stop.

Owns the wiring of the parts and their shutdown. Must never know settings files, signals of the system or other roles:
it is given its connection, its clock and the event that stops it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from streams.runtime.http_server import check_host, listen
from streams.serve import metrics, page, security
from streams.serve.api import Api
from streams.serve.config import ServeConfig
from streams.serve.consume import EventConsumer, ScoreConsumer
from streams.serve.live import Live
from streams.serve.query import BadQueryError
from streams.serve.read_model import ReadModel
from streams.serve.status import Status
from streams.serve.subscribers import Subscribers
from streams.serve.vocabulary import vocabulary

MAX_BODY_BYTES = 1_024
SHUTDOWN_SECONDS = 2.0


class Server:
    """The role. Run it once.

    ``kafka``: how to connect, in aiokafka's keyword arguments. ``prefix``: what the names of Hubbub's topics start
    with. ``now_ms``: the clock, UTC epoch ms, which runs ``clock_rate`` times as fast as real time.
    ``platform_names``: how the page shows the name of each platform.
    """

    def __init__(
        self,
        *,
        kafka: Mapping[str, object],
        prefix: str,
        config: ServeConfig,
        now_ms: Callable[[], int],
        clock_rate: float = 1.0,
        platform_names: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        read_model = ReadModel(trend_points=config.trend_points, events_kept=config.events_kept)
        subscribers = Subscribers(config.max_clients)
        self._consumers = (
            ScoreConsumer(kafka, prefix, now_ms, read_model, subscribers),
            EventConsumer(kafka, prefix, now_ms, read_model, subscribers, newest=config.events_read_back),
        )
        self._status = Status(
            read_model=read_model,
            subscribers=subscribers,
            consumers=self._consumers,
            now_ms=now_ms,
            stale_after_ms=int(config.stale_after_seconds * 1_000),
            clock_rate=clock_rate,
        )
        self._live = Live(
            read_model=read_model, subscribers=subscribers, status=self._status, config=config, now_ms=now_ms
        )
        app = application(config, Api(read_model, self._status, now_ms, vocabulary(platform_names or {})), self._live)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)

    @property
    def url(self) -> str:
        """The address of the page while the role runs."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def problems(self) -> list[str]:
        """Return why the page is not complete now, one sentence each; nothing if it is ready."""
        return self._status.problems()

    async def run(self, stop: asyncio.Event) -> None:
        """Read the topics and serve API, WebSocket and page until ``stop`` is set.

        The page is served before both topics have been read to their ends, and says what it waits for.

        Raises:
            UserError: the server cannot listen on the address.
        """
        await listen(self._runner, self._config.host, self._config.port, "the page", "HUBBUB_SERVE__")
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    *(group.create_task(consumer.run()) for consumer in self._consumers),
                    group.create_task(self._live.publish_status()),
                ]
                await stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self._runner.cleanup()


def application(config: ServeConfig, api: Api, live: Live) -> web.Application:
    """Return page, API and WebSocket behind the security middleware."""
    app = web.Application(
        middlewares=[_measure, check_host(config.allowed_hosts, "serve.allowed_hosts"), _explain_bad_queries],
        client_max_size=MAX_BODY_BYTES,
    )
    app.on_response_prepare.append(security.security_headers(config.allowed_hosts))
    app.on_shutdown.append(live.close)
    app.add_routes([*page.routes(), *api.routes(), *live.routes()])
    return app


@web.middleware
async def _measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Measure the time of every answer but the WebSocket's, which stays open."""
    started = time.perf_counter()
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    code = 500
    try:
        response = await handler(request)
        code = response.status
    except web.HTTPException as error:
        code = error.status
        raise
    finally:
        if route != "/ws":
            metrics.REQUEST_SECONDS.labels(route, str(code)).observe(time.perf_counter() - started)
    return response


@web.middleware
async def _explain_bad_queries(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a bad query with status 400 and one line."""
    try:
        return await handler(request)
    except BadQueryError as error:
        return web.json_response({"error": str(error)}, status=400)
