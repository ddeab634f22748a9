"""Connections that stay open: a platform sends what happens as it happens.

Owns the three forms in which platforms do so (WebSocket, server-sent events, lines), and what bounds a connection:
the time for the handshake, the size of an item, and the longest silence. Must never know a platform, what an item
means, nor connect again by itself: a broken connection is an error, and the next call opens a new one.
"""

from __future__ import annotations

import abc
import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import aiohttp

from ingest.collector import CollectorConfig, CollectorContext
from ingest.http import USER_AGENT, Refusal, refusal_by_status
from transport.errors import RetryLaterError
from transport.http import HttpClient, RequestError, Response, one_line, url_name

MAX_FRAME_BYTES: Final = 1_048_576
"""Largest item. Posts have some kilobytes; a platform that sends more is ill, so the connection is given up."""
SILENCE_SECONDS: Final = 60.0
"""A connection on which nothing came for so long is taken for dead, though it is open."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One item as it came. ``event``, ``id``: of a server-sent event, else empty. ``witnessed_ms``: when it came."""

    data: bytes
    witnessed_ms: int
    event: str = ""
    id: str = ""


class Stream(abc.ABC):
    """One connection to ``url``, which may be changed for the next connection, to go on from a cursor.

    ``operator_urls``: URLs from the settings; only their hosts may have private addresses. ``headers``: sent with the
    handshake. ``silence_seconds``: real seconds; a platform's keep-alive ends a silence. ``refusal``: what the
    response to the handshake means as an error.
    """

    def __init__(
        self,
        config: CollectorConfig,
        context: CollectorContext,
        url: str,
        operator_urls: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
        *,
        silence_seconds: float = SILENCE_SECONDS,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        refusal: Refusal = refusal_by_status,
    ) -> None:
        self.url = url
        self._context = context
        self._silence_seconds = silence_seconds
        self._max_frame_bytes = max_frame_bytes
        self._refusal = refusal
        self._pending: deque[Frame] = deque()
        self._connected = False
        self._heard_at = 0.0
        self._http = HttpClient(
            timeout_seconds=config.request_timeout_seconds,
            max_body_bytes=max_frame_bytes,
            operator_urls=operator_urls,
            headers={"User-Agent": USER_AGENT, **(headers or {})},
        )

    @property
    def connected(self) -> bool:
        """True while a connection is open, as far as is known."""
        return self._connected

    async def receive(self, max_items: int, max_seconds: float) -> list[Frame]:
        """Return what comes within ``max_seconds`` (real ones), oldest first, but at most ``max_items`` at once.

        Items wait in the socket until they are received, so a slow reader makes the platform wait. A cancelled call
        loses nothing.

        Raises:
            CollectError: the handshake was refused, or the connection broke, was silent too long or sent too much.
                Items that were read before are returned first; the error comes with the next call.
        """
        if not self._connected:
            await self._connect()
        frames: list[Frame] = []
        broken: RetryLaterError | None = None
        try:
            async with asyncio.timeout(max_seconds):
                while len(frames) < max_items:
                    if self._pending:
                        frames.append(self._pending.popleft())
                        continue
                    self._pending.extend(await self._next())
                    self._heard_at = self._context.clock()
        except TimeoutError:
            if not frames and self._context.clock() - self._heard_at > self._silence_seconds:
                broken = RetryLaterError(f"{self._name}: nothing came for {self._silence_seconds:g} s")
        except (RequestError, aiohttp.ClientError, OSError) as error:
            broken = RetryLaterError(f"{self._name}: {error if isinstance(error, RequestError) else one_line(error)}")
        if broken is not None:
            await self.aclose()
            if not frames:
                raise broken
        return frames

    async def aclose(self) -> None:
        """Close the connection, if there is one. The next call of :meth:`receive` opens another."""
        self._connected = False
        self._pending.clear()
        await self._hang_up()
        await self._http.close()

    @property
    def _name(self) -> str:
        return url_name(self.url)

    def _frame(self, data: bytes, event: str = "", id_: str = "") -> Frame:
        return Frame(data, self._context.now_ms(), event, id_)

    async def _connect(self) -> None:
        await self._context.rate_limiter.acquire()
        try:
            response = await self._open()
        except RequestError as error:
            raise RetryLaterError(f"{self._name}: {error}") from error
        if response is not None:
            await self.aclose()
            raise self._refusal(response, self._name) or RetryLaterError(f"{self._name} opens no stream")
        self._connected, self._heard_at = True, self._context.clock()

    @abc.abstractmethod
    async def _open(self) -> Response | None:
        """Open a connection; return the response if it refuses."""

    @abc.abstractmethod
    async def _next(self) -> Iterable[Frame]:
        """Return the next items, none for what only ends a silence; cancelling loses nothing."""

    @abc.abstractmethod
    async def _hang_up(self) -> None:
        """Close the connection."""


class WebSocketStream(Stream):
    """Items are messages."""

    _socket: aiohttp.ClientWebSocketResponse[Literal[False]] | None = None

    async def _open(self) -> Response | None:
        opened = await self._http.open_websocket(self.url)
        if isinstance(opened, Response):
            return opened
        self._socket = opened
        return None

    async def _next(self) -> Iterable[Frame]:
        if self._socket is None:
            raise RequestError("unreachable", "closed")
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                return (self._frame(message.data),)
            case aiohttp.WSMsgType.ERROR:
                raise RequestError("unreadable", one_line(message.data))
            case _:
                raise RequestError("unreachable", f"closed with code {self._socket.close_code}")

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


class _BodyStream(Stream):
    """A response whose body goes on and on, cut into lines."""

    _response: aiohttp.ClientResponse | None = None
    _rest: bytes = b""

    async def _open(self) -> Response | None:
        self._rest = b""
        response = await self._http.open_stream(self.url)
        if response.status != 200:
            async with response:
                return Response(response.status, response.headers, await self._http.read_refusal(response))
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()
            raise RequestError("unreadable", "a compressed stream was not asked for")
        self._response = response
        return None

    async def _lines(self) -> list[bytes]:
        """Return the next whole lines, without their ends. Part of a line does not end a silence; it is kept."""
        lines: list[bytes] = []
        while not lines:
            chunk = b"" if self._response is None else await self._response.content.readany()
            if not chunk:
                raise RequestError("unreachable", "the platform ended the stream")
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if max(map(len, lines), default=0) > self._max_frame_bytes or len(self._rest) > self._max_frame_bytes:
                raise RequestError("too_large", f"an item is longer than {self._max_frame_bytes} bytes")
        return [line.removesuffix(b"\r") for line in lines]

    async def _hang_up(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()  # no wait for the rest of a body that never ends


class LineStream(_BodyStream):
    """Items are lines; an empty line only ends a silence."""

    async def _next(self) -> Iterable[Frame]:
        return [self._frame(line) for line in await self._lines() if line]


class EventStream(_BodyStream):
    """Items are server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # the options of a stream, whatever they are
        self._data: list[bytes] = []
        self._event, self._id = "", ""

    async def _open(self) -> Response | None:
        self._data, self._event = [], ""
        return await super()._open()

    async def _next(self) -> Iterable[Frame]:
        frames: list[Frame] = []
        for line in await self._lines():
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            match field:
                case b"" if not line:  # the end of an event; a line that begins with a colon is a comment
                    if self._data:
                        frames.append(self._frame(b"\n".join(self._data), self._event, self._id))
                    self._data, self._event = [], ""
                case b"data":
                    self._data.append(value)
                    if sum(map(len, self._data)) > self._max_frame_bytes:
                        raise RequestError("too_large", f"an event is longer than {self._max_frame_bytes} bytes")
                case b"event":
                    self._event = value.decode(errors="replace")
                case b"id":
                    self._id = value.decode(errors="replace")
        return frames
