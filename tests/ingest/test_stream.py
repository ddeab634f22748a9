"""Streams over real sockets: what comes is returned, what breaks is an error, and the next call connects again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from ingest.collector import CollectorConfig
from ingest.stream import EventStream, LineStream, Stream, WebSocketStream
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import Answer, hang, status
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError

Send = Callable[[bytes], Awaitable[None]]
Script = Callable[[Send, int], Awaitable[None]]
"""What a platform sends; with the number of the connection, from 1."""
NOW_MS = 1_760_000_000_000
FORMS = {"websocket": WebSocketStream, "lines": LineStream, "events": EventStream}


class Platform:
    """Sends by ``script`` on each connection, in the form ``form``; then keeps the connection open."""

    def __init__(self, form: str, script: Script) -> None:
        self.form, self.script, self.connections = form, script, 0
        self.instead: Answer | None = None
        self.ends = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.instead is not None:
            return await self.instead(request)
        self.connections += 1
        if self.form == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await self.script(socket.send_bytes, self.connections)
            if not self.ends:
                await socket.receive()
            return socket
        response = web.StreamResponse()
        await response.prepare(request)

        async def send(data: bytes) -> None:
            await response.write(b"data: %s\n\n" % data if self.form == "events" else data + b"\r\n")

        await self.script(send, self.connections)
        if not self.ends:
            await asyncio.sleep(3600)
        return response


@asynccontextmanager
async def streaming(platform: Platform, clock: FakeClock | None = None, **options: object) -> AsyncIterator[Stream]:
    app = web.Application()
    app.router.add_get("/", platform.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site.port}/"
    stream = FORMS[platform.form](
        CollectorConfig(request_timeout_seconds=1),
        context(lambda: NOW_MS, clock),
        url + "?token=secret",
        [url],
        **options,  # type: ignore[arg-type]
    )
    try:
        yield stream
    finally:
        await stream.aclose()
        await runner.cleanup()


async def receive(stream: Stream, count: int) -> list[bytes]:
    """Return the next ``count`` items, in however many calls they come."""
    received: list[bytes] = []
    while len(received) < count:
        received += [frame.data for frame in await stream.receive(count - len(received), 5)]
    return received


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def send_five(send: Send, connection: int) -> None:
    for number in range(5):
        await send(b"%d.%d" % (connection, number))


async def test_items_come_in_order_and_none_is_lost_by_a_cancelled_call(form: str) -> None:
    go_on = asyncio.Event()

    async def script(send: Send, connection: int) -> None:
        await send_five(send, connection)
        await go_on.wait()
        await send_five(send, 2)

    async with streaming(Platform(form, script)) as stream:
        assert await receive(stream, 5) == [b"1.0", b"1.1", b"1.2", b"1.3", b"1.4"]
        waiting = asyncio.create_task(stream.receive(10, 60))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await stream.receive(10, 0.01) == []
        go_on.set()
        assert await receive(stream, 5) == [b"2.0", b"2.1", b"2.2", b"2.3", b"2.4"]
        assert stream.connected


async def test_a_broken_connection_is_an_error_after_its_items_and_the_next_call_connects_again(form: str) -> None:
    platform = Platform(form, send_five)
    platform.ends = True
    async with streaming(platform) as stream:
        assert len(await receive(stream, 5)) == 5
        with pytest.raises(RetryLaterError) as raised:
            await stream.receive(10, 5)
        assert "secret" not in str(raised.value)
        assert not stream.connected
        assert await receive(stream, 2) == [b"2.0", b"2.1"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(429, {"Retry-After": "7"}), SlowDownError),
        (status(401), RetryLaterError),
        (status(404), NeverRetryError),
        (status(302, {"Location": "http://127.0.0.1:9/thief"}), (NeverRetryError, RetryLaterError)),
        (hang, RetryLaterError),
    ],
)
async def test_a_refused_handshake_is_an_error_of_the_loop(
    form: str, answer: Answer, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    platform = Platform(form, send_five)
    platform.instead = answer
    async with streaming(platform) as stream:
        with pytest.raises(error) as raised:
            await stream.receive(10, 5)
        assert "secret" not in str(raised.value)
        if isinstance(raised.value, SlowDownError):
            assert raised.value.after_seconds == 7
        platform.instead = None
        assert await receive(stream, 1) == [b"1.0"]


async def test_silence_is_an_error_once_it_is_too_long(form: str) -> None:
    clock = FakeClock()
    async with streaming(Platform(form, send_five), clock, silence_seconds=20) as stream:
        await receive(stream, 5)
        clock.now += 20
        assert await stream.receive(1, 0.01) == []
        clock.now += 1
        with pytest.raises(RetryLaterError, match="nothing came for 20 s"):
            await stream.receive(1, 0.01)
        assert await receive(stream, 1) == [b"2.0"]


async def test_an_item_that_is_too_large_ends_the_connection(form: str) -> None:
    go_on = asyncio.Event()

    async def script(send: Send, _: int) -> None:
        await send(b"small")
        await go_on.wait()
        await send(b"x" * 100_000)

    async with streaming(Platform(form, script), max_frame_bytes=10_000) as stream:
        assert await receive(stream, 1) == [b"small"]
        go_on.set()
        with pytest.raises(RetryLaterError):
            await receive(stream, 1)
        assert not stream.connected


async def test_events_have_names_ids_and_several_lines() -> None:
    async def script(send: Send, _: int) -> None:
        await send(b"one\ndata: two\nevent: update\nid: 7")

    clock = FakeClock()
    async with streaming(Platform("events", script), clock) as stream:
        (frame,) = await stream.receive(1, 5)
        assert (frame.data, frame.event, frame.id, frame.witnessed_ms) == (b"one\ntwo", "update", "7", NOW_MS)


async def test_a_keep_alive_ends_a_silence() -> None:
    beat, beaten = asyncio.Event(), asyncio.Event()

    async def script(send: Send, _: int) -> None:
        await send(b"1")
        await beat.wait()
        await send(b"")
        beaten.set()

    clock = FakeClock()
    async with streaming(Platform("lines", script), clock, silence_seconds=20) as stream:
        await receive(stream, 1)
        clock.now += 15
        beat.set()
        await beaten.wait()
        assert await stream.receive(1, 0.05) == []
        clock.now += 15
        assert await stream.receive(1, 0.01) == []


async def test_a_private_address_that_no_setting_names_is_not_asked(form: str) -> None:
    platform = Platform(form, send_five)
    async with streaming(platform) as stream:
        stream.url = stream.url.replace("127.0.0.1", "127.0.0.2")
        with pytest.raises(RetryLaterError, match="private address"):
            await stream.receive(1, 5)
    assert platform.connections == 0
