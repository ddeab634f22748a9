"""Answers of a platform that is ill: each strikes one request in the contract suite."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from functools import lru_cache

from aiohttp import web

from tests.ingest.sites import Answer, body, drop, hang, status

HUGE_BYTES = 48_000_000


@lru_cache
def bomb() -> bytes:
    """Return 400 MB of zeros, compressed."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(400)), packer.flush()])


async def bombard(_: web.Request) -> web.StreamResponse:
    return web.Response(body=bomb(), content_type="application/json", headers={"Content-Encoding": "gzip"})


async def pour(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(HUGE_BYTES // 1_000_000):
        await response.write(b"[" * 1_000_000)
    return response


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"kind": ')
    return await drop(request)


async def break_off_compressed(_: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(bytes(range(256)) * 9)[:100], headers={"Content-Encoding": "gzip"})


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    return await drop(request)


async def drip(request: web.Request) -> web.StreamResponse:
    """Send a body without an end, a byte at a time."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while not _is_closed(request):
        await response.write(b"[")
        await asyncio.sleep(0.02)
    return response


async def stay_silent(request: web.Request) -> web.StreamResponse:
    """Accept the request, open what it wants opened, and send nothing until the client goes."""
    if request.headers.get("Upgrade", "").lower() == "websocket":
        socket_ = web.WebSocketResponse()
        await socket_.prepare(request)
        await socket_.receive()
        return socket_
    response = web.StreamResponse(headers={"Content-Type": request.headers.get("Accept", "").partition(",")[0]})
    await response.prepare(request)
    while not _is_closed(request):
        await asyncio.sleep(0.02)
    return response


def _is_closed(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def redirect_to_itself(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": str(request.url)})


LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
XML_BOMB = (
    f'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY l0 "ha">{LAUGHS}]><feed xmlns="http://www.w3.org/2005/Atom">'
    "<title>&l9;</title><entry><id>&l9;</id><title>&l9;</title><content>&l9;</content></entry></feed>"
)
"""Two thousand million characters, when the entities are put in."""


async def send_xml_bomb(_: web.Request) -> web.StreamResponse:
    return web.Response(text=XML_BOMB, content_type="application/atom+xml")


DATES = {"Retry-After": "Wed, 21 Oct 2015 07:28:40 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
WIRE_FAULTS: dict[str, Answer] = {
    "400": status(400),
    "401": status(401),
    "403": status(403),
    "404": status(404),
    "408": status(408),
    "409": status(409),
    "410": status(410),
    "429 without a time": status(429),
    "500": status(500, body='{"message": "Internal Server Error"}'),
    "502 as HTML": status(502, body="<html><h1>502 Bad Gateway</h1></html>"),
    "503": status(503),
    "connection dropped": drop,
    "connection reset": reset,
    "truncated body": break_off,
    "truncated compressed body": break_off_compressed,
    "empty body": body(""),
    "invalid JSON": body('{"kind": "Listing", "data"'),
    "HTML instead of JSON": body("<!doctype html><title>Our CDN was unable to reach our servers</title>"),
    "JSON of another shape": body('{"message": "ok"}'),
    "error as text inside 200": body('{"error": "rate_limit_error", "message": "Too many requests", "ok": false}'),
    "error as object inside 200": body(
        '{"error": {"code": 403, "message": "Forbidden", "status": "PERMISSION_DENIED",'
        ' "errors": [{"reason": "quotaExceeded", "domain": "youtube.quota"}]}}'
    ),
    "errors as list inside 200": body(
        '{"errors": [{"title": "operational-disconnect", "disconnect_type": "OperationalDisconnect",'
        ' "detail": "This stream has been disconnected", "type": "about:blank"}]}'
    ),
    "error by number inside 200": body(
        '{"error_id": 502, "error_name": "throttle_violation", "error_message": "too many requests"}'
    ),
    "JSON nested without end": body("[" * 100_000),
    "number without end": body("9" * 10_000),
    "unknown compression": status(200, {"Content-Encoding": "br"}, "?"),
    "huge body": pour,
    "compressed bomb": bombard,
    "XML bomb": send_xml_bomb,
}
SLOW_FAULTS: dict[str, Answer] = {"slow answer": hang, "slow drip": drip}
"""Those that only the time-out ends."""
