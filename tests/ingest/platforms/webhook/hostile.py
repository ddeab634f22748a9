"""Hostile and broken requests to the webhook, byte by byte: what no HTTP client would send."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable

from tests.ingest.contract.wire_faults import bomb
from tests.ingest.platforms.webhook.sending import TOKEN, Webhook, ndjson, sent

__all__ = ["FAULTS", "Fault", "head", "raw", "reset"]

Fault = Callable[[Webhook], Awaitable[object]]


def head(length: int | None, *, token: str | None = TOKEN, kind: str = "application/x-ndjson", **headers: str) -> bytes:
    """Return the head of a request; ``headers`` have underscores for hyphens."""
    lines = ["POST /v1/signals HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    lines += [] if token is None else [f"Authorization: Bearer {token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def raw(hook: Webhook, *parts: bytes, end: bool = False) -> int:
    """Send bytes on a connection of their own; return the status of the answer, 0 if there is none.

    ``end``: close our side of the connection after them.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", hook.collector.port)
    try:
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            if end:
                writer.write_eof()
            line = await asyncio.wait_for(reader.readline(), 30)
        except ConnectionError:
            line = b""
        return int(line.split()[1]) if line else 0
    finally:
        writer.close()


async def reset(hook: Webhook) -> int:
    """Send half a body, and reset the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", hook.collector.port)
    writer.write(head(1000) + b'{"id": ')
    await writer.drain()
    linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
    return 0


def sends(status: int, body: bytes, *, end: bool = False, **headers: str) -> Fault:
    """Return a fault that sends a whole request, which must be answered with ``status``."""

    async def fault(hook: Webhook) -> None:
        assert await raw(hook, head(len(body), **headers), body, end=end) == status

    return fault


def breaks_off(*parts: bytes, status: int = 0) -> Fault:
    """Return a fault that sends the beginning of a request, and closes."""

    async def fault(hook: Webhook) -> None:
        assert await raw(hook, *parts, end=True) in {0, status}

    return fault


async def drip(hook: Webhook) -> None:
    """Promise a body, and send nothing of it but a byte."""
    assert await raw(hook, head(1000), b"{") == 408


async def explode(hook: Webhook) -> None:
    """Send 400 MB of zeros, compressed."""
    await sends(413, bomb(), Content_Encoding="gzip")(hook)


FAULTS: dict[str, Fault] = {
    "connection dropped": breaks_off(b"POST /v1/signals HTTP/1.1\r\nHost"),
    "connection reset": reset,
    "slow answer": drip,
    "truncated body": breaks_off(head(1000), b'{"id": "forum:', status=400),
    "truncated compressed body": sends(415, gzip.compress(ndjson(sent(1)))[:40], Content_Encoding="gzip"),
    "empty body": sends(400, b""),
    "invalid JSON": sends(422, b'{"id": "forum:1"'),
    "HTML instead of JSON": sends(415, b"<!doctype html>", kind="text/html"),
    "JSON of another shape": sends(422, b'{"message": "ok"}'),
    "JSON nested without end": sends(422, b"[" * 100_000),
    "number without end": sends(422, b"9" * 10_000),
    "unknown compression": sends(415, b"?", Content_Encoding="br"),
    "huge body": breaks_off(head(48_000_000), b"[" * 1_000_000, status=413),
    "compressed bomb": explode,
}
"""By the name of the check of the contract suite that they are the counterpart of."""
