"""The body of a request, bounded in time and size.

Owns how a body is read off the wire, and decompressed no further than its limit. Must never know what it says.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import ClientError, web

from ingest.platforms.webhook.refusal import RefusedRequestError
from transport.http import CHUNK_BYTES, BodyReader, RequestError

__all__ = ["is_single", "read_body", "unpack"]

SINGLE: Final = frozenset({"application/json"})
LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
UNPACKED_AT_A_TIME: Final = 16
"""Chunks decompressed before other requests get their turn."""


def is_single(request: web.Request) -> bool:
    """Return whether the body is one JSON value, and not one a line.

    Raises:
        RefusedRequestError: 415, it is neither.
    """
    if request.content_type not in SINGLE | LINES:
        raise RefusedRequestError(
            415,
            "wrong_content_type",
            "send Content-Type: application/json for one signal, or application/x-ndjson for one a line",
        )
    return request.content_type in SINGLE


async def read_body(request: web.Request, *, max_bytes: int, timeout_seconds: float) -> bytes:
    """Return the body as it was sent.

    Raises:
        RefusedRequestError: 413, 408, or 400: it is too large, too slow, or ends early.
    """
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_seconds):
            async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                if len(body) + len(chunk) > max_bytes:
                    raise _too_large(max_bytes)
                body += chunk
    except TimeoutError:
        raise RefusedRequestError(408, "too_slow", f"the body did not arrive within {timeout_seconds:g} s") from None
    except (web.RequestPayloadError, ClientError, ConnectionError) as error:
        raise RefusedRequestError(400, "broken_body", f"the body ends early: {error}") from None
    return bytes(body)


async def unpack(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Return ``body`` decompressed, if ``encoding`` (the header Content-Encoding) says that it is.

    Raises:
        RefusedRequestError: 413 or 415: it becomes too large, or it is not what its encoding says.
    """
    try:
        reader = BodyReader(max_bytes, encoding)
        for number, start in enumerate(range(0, len(body), CHUNK_BYTES), 1):
            reader.feed(body[start : start + CHUNK_BYTES])
            if number % UNPACKED_AT_A_TIME == 0:
                await asyncio.sleep(0)
        return reader.finish()
    except RequestError as error:
        if error.failure == "too_large":
            raise _too_large(max_bytes) from None
        raise RefusedRequestError(415, "wrong_encoding", f"{error}; send gzip or nothing") from None


def _too_large(max_bytes: int) -> RefusedRequestError:
    return RefusedRequestError(413, "too_large", f"the body has more than {max_bytes} bytes: send several requests")
