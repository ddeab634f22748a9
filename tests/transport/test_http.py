"""The HTTP client over a real socket: bounded in time and size, no redirects, no private addresses."""

from __future__ import annotations

import asyncio
import doctest
import gzip
import math
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from transport import http
from transport.http import BodyReader, HttpClient, RequestError, retry_after_seconds

MAX_BYTES = 1_000_000


async def _echo(request: web.Request) -> web.Response:
    return web.json_response({"body": await request.text(), "headers": dict(request.headers)})


async def _redirect(_: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "/echo"})


async def _hang(_: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


def _gzipped(body: bytes, cut: int | None = None) -> Callable[[web.Request], object]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(body)[:cut], headers={"Content-Encoding": "gzip"})

    return answer


async def _odd_encoding(_: web.Request) -> web.Response:
    return web.Response(body=b"?", headers={"Content-Encoding": "br"})


async def _huge(_: web.Request) -> web.Response:
    return web.Response(body=b" " * (MAX_BYTES + 1))


async def _broken_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"[")
    assert request.transport is not None
    request.transport.close()
    return response


async def _limited(_: web.Request) -> web.Response:
    return web.Response(status=429, body=b"?" * (MAX_BYTES + 1), headers={"Retry-After": "7"})


ROUTES: dict[str, Callable[[web.Request], object]] = {
    "/echo": _echo,
    "/redirect": _redirect,
    "/hang": _hang,
    "/gzip": _gzipped(b"[1]"),
    "/cut": _gzipped(bytes(range(256)) * 9, 100),
    "/bomb": _gzipped(bytes(100_000_000)),
    "/brotli": _odd_encoding,
    "/huge": _huge,
    "/limited": _limited,
    "/broken": _broken_off,
}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    for path, handler in ROUTES.items():
        app.router.add_route("*", path, handler)  # type: ignore[arg-type]  # every one returns a response
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site.port}"
    await runner.cleanup()


@asynccontextmanager
async def client(*operator_urls: str, timeout_seconds: float = 10.0) -> AsyncIterator[HttpClient]:
    found = HttpClient(timeout_seconds=timeout_seconds, max_body_bytes=MAX_BYTES, operator_urls=operator_urls)
    try:
        yield found
    finally:
        await found.close()


async def test_a_response_comes_whole_whatever_its_status(url: str) -> None:
    async with client(url) as asking:
        response = await asking.request("POST", f"{url}/echo", json=[1], headers={"X-Key": "k"})
        assert response.status == 200
        assert b'"body": "[1]"' in response.body
        assert b'"X-Key": "k"' in response.body
        assert (await asking.request("GET", f"{url}/nowhere")).status == 404
        assert (await asking.request("GET", f"{url}/gzip")).body == b"[1]"


async def test_an_unusable_body_does_not_hide_the_status_of_an_error(url: str) -> None:
    async with client(url) as asking:
        response = await asking.request("GET", f"{url}/limited")
        assert (response.status, response.body) == (429, b"")
        assert retry_after_seconds(response.headers) == 7


async def test_a_redirect_is_not_followed(url: str) -> None:
    async with client(url) as asking:
        response = await asking.request("GET", f"{url}/redirect", headers={"Authorization": "secret"})
        assert (response.status, response.headers["location"]) == (307, "/echo")


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/bomb", "too_large"),
        ("/huge", "too_large"),
        ("/cut", "unreadable"),
        ("/brotli", "unreadable"),
        ("/broken", "unreadable"),
    ],
)
async def test_an_unusable_body_is_refused(url: str, path: str, failure: str) -> None:
    async with client(url) as asking:
        with pytest.raises(RequestError) as raised:
            await asking.request("GET", url + path)
        assert raised.value.failure == failure
        assert "\n" not in str(raised.value)


async def test_silence_ends_with_the_time_out(url: str) -> None:
    async with client(url, timeout_seconds=0.1) as asking:
        with pytest.raises(RequestError) as raised:
            await asking.request("GET", f"{url}/hang")
        assert raised.value.failure == "timed_out"


async def test_a_closed_port_is_unreachable(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with client(url) as asking:
        with pytest.raises(RequestError) as raised:
            await asking.request("GET", url)
        assert raised.value.failure == "unreachable"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_private_address_that_no_setting_names_is_refused(url: str, host: str) -> None:
    port = url.rpartition(":")[2]
    async with client("http://127.0.0.1:1") as asking:
        with pytest.raises(RequestError) as raised:
            await asking.request("GET", f"http://{host}:{port}/echo")
        assert raised.value.failure == "unreachable"


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "192.168.1.1", "fe80::1%eth0", "224.0.0.1", "::"])
def test_which_addresses_are_private(address: str) -> None:
    assert http.is_private_address(address)
    assert not http.is_private_address("93.184.215.14")
    assert not http.is_private_address("example.org")


@pytest.mark.parametrize(
    "address",
    ["64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "::7f00:1", "::ffff:0:10.0.0.1", "::ffff:10.0.0.1",
     "fec0::1"],
)  # fmt: skip
def test_an_ipv4_address_inside_an_ipv6_address_counts(address: str) -> None:
    assert http.is_private_address(address)
    assert not http.is_private_address("64:ff9b::5db8:d70e")
    assert not http.is_private_address("2606:4700::1111")


def test_a_bomb_is_decompressed_no_further_than_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    reader = BodyReader(MAX_BYTES, "gzip")
    tracemalloc.start()
    try:
        with pytest.raises(RequestError):
            reader.feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10 * MAX_BYTES
    finally:
        tracemalloc.stop()


def test_what_follows_the_end_of_a_compressed_body_is_not_gathered() -> None:
    reader = BodyReader(MAX_BYTES, "gzip")
    reader.feed(gzip.compress(b"whole"))
    tracemalloc.start()
    try:
        for _ in range(100):
            reader.feed(bytes(http.CHUNK_BYTES))
        assert tracemalloc.get_traced_memory()[1] < 10 * http.CHUNK_BYTES
    finally:
        tracemalloc.stop()
    assert reader.finish() == b"whole"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "1e9"}, 3600),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:29:00 GMT"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 -0000"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(CIMultiDict(headers)) == seconds


@given(st.text())
def test_retry_after_is_within_bounds_whatever_the_server_writes(header: str) -> None:
    seconds = retry_after_seconds({"Retry-After": header, "Date": header})
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= 3600)


def test_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(http).failed == 0
