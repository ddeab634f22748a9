"""A role's ``/metrics``, ``/healthz`` and ``/readyz``.

Owns the small server for Prometheus and for supervisors. Must never know what a role does: the role itself reports what
keeps it from working, in sentences.
"""

from collections.abc import Callable, Collection
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.runtime.http_server import check_host, listen


class HealthServer:
    """The server, for as long as the ``async with`` block runs.

    ``/healthz`` answers while the process runs. ``/readyz`` is 503 with the problems while there are any.
    """

    def __init__(
        self, problems: Callable[[], list[str]], *, host: str, port: int, allowed_hosts: Collection[str] = ()
    ) -> None:
        """``problems``: returns why the role is not ready, empty if it is. ``port``: 0 takes a free one.

        ``allowed_hosts``: names, besides localhost and bare addresses, that the server answers to.

        Raises (on entering):
            UserError: the address cannot be used.
        """
        self._problems = problems
        self._host = host
        self._port = port
        application = web.Application(middlewares=[check_host(allowed_hosts, "metrics_allowed_hosts")])
        application.add_routes(
            [web.get("/metrics", self._metrics), web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        )
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> Self:
        await listen(self._runner, self._host, self._port, "/metrics", "HUBBUB_METRICS_")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._runner.addresses[0][1])

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        problems = self._problems()
        status = "not ready" if problems else "ready"
        return web.json_response({"status": status, "problems": problems}, status=503 if problems else 200)
