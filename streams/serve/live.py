"""The WebSocket: what changes on the board, as it changes.

Owns the life of a connection: who may open one, what it asked for, its pace, and its end. Must never let one client's
slowness cost more than its own outbox: a client that takes nothing for ``client_timeout_seconds`` is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable

import msgspec
from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from streams.serve import metrics
from streams.serve.api import values_of
from streams.serve.config import ServeConfig
from streams.serve.query import BadQueryError, StoryFilter
from streams.serve.read_model import Board
from streams.serve.security import is_same_origin
from streams.serve.status import Status
from streams.serve.subscribers import Watcher, Watchers

__all__ = ["Live"]

MAX_MESSAGE_BYTES = 4_096
HEARTBEAT_SECONDS = 20.0
STATUS_SECONDS = 1.0
GOODBYE_SECONDS = 1.5

_encode = msgspec.json.Encoder().encode


class _Watch(msgspec.Struct, forbid_unknown_fields=True):
    """What a client may send at any time: watch this from now on. The same words as in the address."""

    story: str | None = None
    beat: list[str] = []
    band: list[str] = []
    state: list[str] = []
    platform: list[str] = []
    category: list[str] = []
    q: str = ""


_decode = msgspec.json.Decoder(_Watch).decode


class Live:
    """The WebSockets over one board."""

    def __init__(
        self, *, board: Board, watchers: Watchers, status: Status, config: ServeConfig, now_ms: Callable[[], int]
    ) -> None:
        self._board = board
        self._watchers = watchers
        self._status = status
        self._config = config
        self._now_ms = now_ms
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the WebSocket."""
        return [web.get("/ws", self.connect)]

    async def tell_status(self) -> None:
        """Tell every client once a second how serve is doing, until cancelled. It is also the sign of life."""
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            self._watchers.note_status(_encode(self._status.report()))

    async def close(self, _app: web.Application) -> None:
        """Say goodbye to every client (for ``Application.on_shutdown``); those that do not listen are left behind."""
        goodbyes = [
            asyncio.create_task(socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server is stopping"))
            for socket in self._sockets
        ]
        if goodbyes:
            await asyncio.wait(goodbyes, timeout=GOODBYE_SECONDS)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it goes, is dropped, or the server stops."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not is_same_origin(origin, request.headers.get(hdrs.HOST, "")):
            metrics.CLIENTS_DROPPED.labels("foreign_origin").inc()
            return web.json_response({"error": "pages of other sites may not connect here"}, status=403)
        if self._watchers.full:
            metrics.CLIENTS_DROPPED.labels("too_many").inc()
            return web.json_response({"error": "too many clients; try again later"}, status=503)
        values = values_of(request)
        watcher = Watcher(StoryFilter.parse(values), self._story_id(values.get("story", [None])[-1]))
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_MESSAGE_BYTES, timeout=1.0, compress=False
        )
        with self._watchers.watching(watcher):
            await socket.prepare(request)
            self._sockets.add(socket)
            watcher.note_status(_encode(self._status.report()))
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(request, socket, watcher))
                await self._receive(socket, watcher)
                sending.cancel()
        return socket

    async def _send(self, request: web.Request, socket: web.WebSocketResponse, watcher: Watcher) -> None:
        """Send what is due, at most once an interval, until the client goes or stops taking."""
        try:
            while True:
                await watcher.wake.wait()
                for type_, message in watcher.take(self._board, self._now_ms()):
                    async with asyncio.timeout(self._config.client_timeout_seconds):
                        await socket.send_str(message.decode())
                    metrics.MESSAGES.labels(type_).inc()
                await asyncio.sleep(self._config.flush_interval_ms / 1_000)
        except TimeoutError:
            metrics.CLIENTS_DROPPED.labels("too_slow").inc()
            if request.transport is not None:
                request.transport.abort()  # a goodbye would wait behind what it does not take
        except ConnectionError:
            pass  # it went; the receiving side sees that too

    async def _receive(self, socket: web.WebSocketResponse, watcher: Watcher) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"send JSON as text")
                return
            try:
                wish = _decode(message.data)
                values = {name: getattr(wish, name) for name in ("beat", "band", "state", "platform", "category")}
                watcher.watch(StoryFilter.parse(values | {"q": [wish.q]}), self._story_id(wish.story))
            except (msgspec.DecodeError, BadQueryError) as error:
                with contextlib.suppress(ConnectionError):
                    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(error).encode()[:120])
                return

    def _story_id(self, name: str | None) -> str | None:
        """Return the id of the story with this id or slug; an unknown name is taken for the id of one still to come."""
        if name is None:
            return None
        story = self._board.find(name)
        return story.row.story if story else name
