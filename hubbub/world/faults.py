"""Faults: failures of the platforms, on demand.

Owns the schedule of faults, which of them strikes a request, and how a struck request is answered. Must never know
what a route would have answered, nor which client asks. Seeded: the same requests in the same order fail alike.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hubbub.clock import Clock


class Kind(StrEnum):
    """How a request fails."""

    RATE_LIMITED = "rate_limited"
    """429, with Retry-After and, on Reddit, no requests remaining."""
    SERVER_ERROR = "server_error"
    """500, as JSON."""
    BAD_GATEWAY = "bad_gateway"
    """502, as a proxy's HTML page."""
    UNAUTHORIZED = "unauthorized"
    """401: the token has expired early."""
    HANG = "hang"
    """No answer for ``seconds``, then the connection is dropped."""
    GARBAGE = "garbage"
    """200 with a JSON content type and an HTML body."""
    TRUNCATED = "truncated"
    """The real response, cut off in the middle by a dropped connection."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of failure, and the requests that it strikes.

    ``route``: a pattern, with ``*``, over platform and path: ``reddit/r/*/new``, ``hackernews/*``.
    ``probability``: of a matching request, 0 to 1. ``from_ms``, ``until_ms``: its window in world time; None is open.
    ``seconds``: how long a hang lasts, and what Retry-After says.
    """

    kind: Kind
    route: str = "*"
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    from_ms: int | None = None
    until_ms: int | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 5.0

    def covers(self, route: str, now_ms: int) -> bool:
        """True if a request for ``route`` at ``now_ms`` may be struck."""
        return (
            (self.from_ms is None or self.from_ms <= now_ms)
            and (self.until_ms is None or now_ms < self.until_ms)
            and fnmatchcase(route, self.route)
        )


_ANSWERS = {
    Kind.SERVER_ERROR: (500, "application/json", '{"message": "Internal Server Error", "error": 500}'),
    Kind.UNAUTHORIZED: (401, "application/json", '{"message": "Unauthorized", "error": 401}'),
    Kind.BAD_GATEWAY: (502, "text/html", "<html><h1>502 Bad Gateway</h1></html>"),
    Kind.GARBAGE: (200, "application/json", "<!doctype html><title>Our CDN was unable to reach"),
}
"""Status, content type and body of the faults that are a complete response."""


class Faults:
    """The schedule. ``schedule`` may be set at any time; ``struck`` counts the struck requests, by kind."""

    def __init__(
        self, schedule: Iterable[Fault] = (), seed: int = 0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.schedule = tuple(schedule)
        self.struck: Counter[Kind] = Counter()
        self._sleep = sleep
        self._rng = random.Random(f"{seed}:faults")

    def strike(self, route: str, now_ms: int) -> Fault | None:
        """Return the first fault of the schedule that strikes this request; None if none does."""
        for fault in self.schedule:
            if fault.covers(route, now_ms) and self._rng.random() < fault.probability:
                self.struck[fault.kind] += 1
                return fault
        return None

    def middleware(self, platform: str, clock: Clock) -> Middleware:
        """Return the aiohttp middleware that applies this schedule to a platform's server."""

        @web.middleware
        async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self.strike(platform + request.path, clock()) if not request.path.startswith("/_world/") else None
            if fault is None:
                return await handler(request)
            if fault.kind is Kind.HANG:
                await self._sleep(fault.seconds)
                return _drop(request)
            return await _fail(fault, request, handler)

        return strike


async def _fail(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.kind is Kind.TRUNCATED:
        return await _truncate(request, await handler(request))
    if fault.kind is Kind.RATE_LIMITED:
        wait = str(max(1, round(fault.seconds)))
        headers = {"Retry-After": wait}
        if "Authorization" in request.headers:
            headers |= {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "1000", "x-ratelimit-reset": wait}
        return web.json_response({"message": "Too Many Requests", "error": 429}, status=429, headers=headers)
    status, content_type, text = _ANSWERS[fault.kind]
    return web.Response(status=status, content_type=content_type, text=text)


async def _truncate(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    """Send the headers of the whole response and half of its body."""
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    headers = {name: value for name, value in whole.headers.items() if name != "Content-Length"}
    part = web.StreamResponse(status=whole.status, headers=headers)
    part.content_length = len(body)
    await part.prepare(request)
    await part.write(body[: len(body) // 2])
    return _drop(request)


def _drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without sending the rest."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
