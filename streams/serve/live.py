"""The WebSocket: changes of the read model, as they happen.

Owns a connection from its start to its end: who may open one, what it receives and how often. Must never let a slow
client cost more than its own queue. A client that receives nothing for ``client_timeout_seconds`` is dropped.
"""

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
from streams.serve.read_model import ReadModel
from streams.serve.security import is_same_origin
from streams.serve.status import Status
from streams.serve.subscribers import Subscriber, Subscribers

MAX_MESSAGE_BYTES = 4_096
HEARTBEAT_SECONDS = 20.0
STATUS_SECONDS = 1.0
CLOSE_SECONDS = 1.5


class _Selection(msgspec.Struct, forbid_unknown_fields=True):
    """The message with which a client selects other stories. The fields are the parameters of the address."""

    story: str | None = None
    beat: list[str] = []
    band: list[str] = []
    state: list[str] = []
    platform: list[str] = []
    category: list[str] = []
    q: str = ""


_decode = msgspec.json.Decoder(_Selection).decode


class Live:
    """The WebSockets of all clients."""

    def __init__(
        self,
        *,
        read_model: ReadModel,
        subscribers: Subscribers,
        status: Status,
        config: ServeConfig,
        now_ms: Callable[[], int],
    ) -> None:
        self._read_model = read_model
        self._subscribers = subscribers
        self._status = status
        self._config = config
        self._now_ms = now_ms
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the WebSocket."""
        return [web.get("/ws", self.connect)]

    async def publish_status(self) -> None:
        """Send the status to every client once a second, until cancelled. It also shows that the server runs."""
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            self._subscribers.publish_status(msgspec.json.encode(self._status.report()))

    async def close(self, _app: web.Application) -> None:
        """Close every WebSocket (for ``Application.on_shutdown``). Do not wait for clients that do not answer."""
        closing = [
            asyncio.create_task(socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server is stopping"))
            for socket in self._sockets
        ]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves, is dropped, or the server stops."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not is_same_origin(origin, request.headers.get(hdrs.HOST, "")):
            metrics.CLIENTS_DROPPED.labels("foreign_origin").inc()
            return web.json_response({"error": "pages of other sites may not connect here"}, status=403)
        if self._subscribers.full:
            metrics.CLIENTS_DROPPED.labels("too_many").inc()
            return web.json_response({"error": "too many clients; try again later"}, status=503)
        values = values_of(request)
        subscriber = Subscriber(StoryFilter.parse(values), self._story_id(values.get("story", [None])[-1]))
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_MESSAGE_BYTES, timeout=1.0, compress=False
        )
        with self._subscribers.subscribed(subscriber):
            await socket.prepare(request)
            self._sockets.add(socket)
            subscriber.queue_status(msgspec.json.encode(self._status.report()))
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(request, socket, subscriber))
                await self._receive(socket, subscriber)
                sending.cancel()
        return socket

    async def _send(self, request: web.Request, socket: web.WebSocketResponse, subscriber: Subscriber) -> None:
        """Send what is due, at most once an interval, until the client leaves or stops receiving."""
        try:
            while True:
                await subscriber.wake.wait()
                for type_, message in subscriber.drain(self._read_model, self._now_ms()):
                    async with asyncio.timeout(self._config.client_timeout_seconds):
                        await socket.send_str(message.decode())
                    metrics.MESSAGES.labels(type_).inc()
                await asyncio.sleep(self._config.flush_interval_ms / 1_000)
        except TimeoutError:
            metrics.CLIENTS_DROPPED.labels("too_slow").inc()
            if request.transport is not None:
                request.transport.abort()  # a closing message would wait behind what the client does not receive
        except ConnectionError:
            pass  # the client left; the receiving task sees that too

    async def _receive(self, socket: web.WebSocketResponse, subscriber: Subscriber) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"send JSON as text")
                return
            try:
                selection = _decode(message.data)
                values = {name: getattr(selection, name) for name in ("beat", "band", "state", "platform", "category")}
                subscriber.select(StoryFilter.parse(values | {"q": [selection.q]}), self._story_id(selection.story))
            except (msgspec.DecodeError, BadQueryError) as error:
                with contextlib.suppress(ConnectionError):
                    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(error).encode()[:120])
                return

    def _story_id(self, name: str | None) -> str | None:
        """Return the id of the story with this id or slug. An unknown name is taken for the id of a future story."""
        if name is None:
            return None
        story = self._read_model.find(name)
        return story.row.story if story else name
