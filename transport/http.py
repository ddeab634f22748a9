"""HTTP requests to other people's servers, bounded in time and size.

Owns the time-out, the size limit before and after decompression, and which addresses may be asked. It follows no
redirect: a redirect takes the credentials along, to wherever it points. Must never know what is asked for, nor ask
again.
"""

import asyncio
import math
import socket
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from transport.errors import RetryLaterError

CHUNK_BYTES = 65_536
MAX_REFUSAL_BYTES = 65_536
"""How much of the body of a refusal is read; platforms explain themselves in less."""
MAX_RETRY_AFTER_SECONDS = 3600.0
"""Longest wait that a server may ask for. A server that says "come back tomorrow" is asked again in an hour."""

_NAT64 = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
"""Networks whose addresses end with one of IPv4, for gateways (RFC 6052, 8215, 7915) and of old (RFC 4291)."""
_REQUEST_FAILURES = (TimeoutError, aiohttp.ClientError, OSError, ValueError)


class RequestError(RetryLaterError):
    """A request without a usable response. The message is one line and holds no credentials."""

    def __init__(self, failure: Literal["timed_out", "unreachable", "unreadable", "too_large"], message: str) -> None:
        super().__init__(message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Response:
    """A response, whatever its status. ``headers`` ignore letter case; ``body`` is decompressed.

    Of a status outside 200–299 the body is read as far as it is short, whole and arrives in time; else it is empty.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Sends requests. The connections belong to one event loop and are opened by the first request.

    ``operator_urls``: URLs from the settings. Only their hosts may have private or loopback addresses: any other URL
    comes from untrusted users, and must not reach what only this machine can reach.
    ``headers``: sent with every request.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        max_body_bytes: int,
        operator_urls: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._max_body_bytes = max_body_bytes
        self._trusted = frozenset((url.host, url.port) for url in map(URL, operator_urls))
        self._headers = {**(headers or {}), "Accept-Encoding": "gzip"}
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, url: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request and return the response; a redirect is a response like any other.

        Raises:
            RequestError: no response in time, an address that may not be asked, or a body that is too large or broken.
        """
        try:
            target = self._permitted(url)
            async with self._open().request(method, target, json=json, headers=headers, allow_redirects=False) as got:
                if 200 <= got.status < 300:
                    return Response(got.status, got.headers, await _read(got, self._max_body_bytes))
                return Response(got.status, got.headers, await self.read_refusal(got))
        except _REQUEST_FAILURES as error:
            raise self._explain(error) from error

    async def open_stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> aiohttp.ClientResponse:
        """Return a response whose body goes on and on; the caller reads it in time and closes it.

        Raises:
            RequestError: no response in time, or an address that may not be asked.
        """
        try:
            target = self._permitted(url)
            async with asyncio.timeout(self._timeout.total):
                return await self._open().get(
                    target, headers=headers, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=None)
                )
        except _REQUEST_FAILURES as error:
            raise self._explain(error) from error

    async def open_websocket(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> aiohttp.ClientWebSocketResponse[Literal[False]] | Response:
        """Return an open WebSocket, or the response by which the server refused it. Messages are bytes.

        Raises:
            RequestError: no response in time, an address that may not be asked, or a redirect.
        """
        try:
            target = self._permitted(url)
            async with asyncio.timeout(self._timeout.total):
                try:
                    return await self._open().ws_connect(
                        target, headers=headers, max_msg_size=self._max_body_bytes, decode_text=False
                    )
                except aiohttp.WSServerHandshakeError as error:
                    return Response(error.status, error.headers or {}, b"")
        except _REQUEST_FAILURES as error:
            raise self._explain(error) from error

    async def read_refusal(self, got: aiohttp.ClientResponse) -> bytes:
        """Return the body of a refusal; nothing if it is long, broken or late: its status and headers say enough."""
        try:
            async with asyncio.timeout(self._timeout.total):
                return await _read(got, MAX_REFUSAL_BYTES)
        except (RequestError, aiohttp.ClientError, OSError, TimeoutError):
            return b""

    def _permitted(self, url: str) -> URL:
        target = URL(url)
        if (target.host, target.port) not in self._trusted and is_private_address(target.host or ""):
            raise RequestError("unreachable", f"{target.host} is a private address; only settings may name one")
        return target

    def _explain(self, error: Exception) -> RequestError:
        if isinstance(error, TimeoutError):
            return RequestError("timed_out", f"no response within {self._timeout.total:g} s")
        if isinstance(error, aiohttp.ClientConnectorError):
            return RequestError("unreachable", f"cannot connect to {error.host}: {error.os_error.strerror or error}")
        away = isinstance(error, (aiohttp.ClientError, OSError)) and not isinstance(error, aiohttp.ClientPayloadError)
        return RequestError("unreachable" if away else "unreadable", one_line(error))

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_PublicResolver(self._trusted)),
                timeout=self._timeout,
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trace_configs=[_no_redirects()],
            )
        return self._session


def _no_redirects() -> aiohttp.TraceConfig:
    """Return what refuses a redirect where aiohttp cannot be asked not to follow it: in the handshake of WebSocket."""

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("redirected, which is not followed")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


async def _read(got: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = BodyReader(max_bytes, got.headers.get("Content-Encoding", ""))
    async for chunk in got.content.iter_chunked(CHUNK_BYTES):
        body.feed(chunk)
    return body.finish()


class BodyReader:
    """Puts a response's body together from its chunks, and decompresses it no further than ``max_bytes``.

    >>> reader = BodyReader(10, "")
    >>> reader.feed(b"12345")
    >>> reader.finish()
    b'12345'
    """

    def __init__(self, max_bytes: int, content_encoding: str) -> None:
        """Raises RequestError for an encoding that was not asked for."""
        self._max_bytes = max_bytes
        self._body = bytearray()
        encoding = content_encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise RequestError("unreadable", f"content encoding {encoding[:20]!r} was not asked for")
        self._unpack = None if encoding in {"", "identity"} else zlib.decompressobj(zlib.MAX_WBITS | 16)

    def feed(self, chunk: bytes) -> None:
        """Add a chunk as it came.

        Raises:
            RequestError: the body is too large, or not what its encoding says.
        """
        if self._unpack is None:
            self._add(chunk)
            return
        while chunk and not self._unpack.eof:  # zlib would gather what follows the end, without a limit
            try:
                self._add(self._unpack.decompress(chunk, CHUNK_BYTES))
            except zlib.error as error:
                raise RequestError("unreadable", f"the body is no gzip: {error}") from None
            chunk = self._unpack.unconsumed_tail

    def _add(self, chunk: bytes) -> None:
        if len(self._body) + len(chunk) > self._max_bytes:
            self._body.clear()  # the error would keep it
            raise RequestError("too_large", f"longer than {self._max_bytes} bytes")
        self._body += chunk

    def finish(self) -> bytes:
        """Return the body. Raises RequestError if a compressed one ends early."""
        if self._unpack is not None and self._body and not self._unpack.eof:
            raise RequestError("unreadable", "the compressed body ends early")
        return bytes(self._body)


class _PublicResolver(AbstractResolver):
    """Resolves names, and leaves out private addresses of all hosts but the ``trusted`` ones.

    It sees the very addresses that are connected to, so a name that changes its address in between gains nothing.
    """

    def __init__(self, trusted: Collection[tuple[str | None, int | None]]) -> None:
        self._trusted = trusted
        self._inner = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if (host, port) in self._trusted:
            return found
        public = [address for address in found if not is_private_address(address["host"])]
        if not public:
            raise OSError(None, f"{host} has only private addresses; only settings may name such a host")
        return public

    async def close(self) -> None:
        await self._inner.close()


def is_private_address(host: str) -> bool:
    """Return whether ``host`` is an address that not everybody on the internet can reach; False for a name."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = _carried(address) or address
    return not address.is_global or address.is_multicast or getattr(address, "is_site_local", False)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a gateway makes of an IPv6 address; None if it makes none."""
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait that ``Retry-After`` asks for (RFC 9110, section 10.2.3), None if it asks for none.

    At least 0, at most an hour. A date is compared with the response's own ``Date``, so no clock is needed.
    """
    header = headers.get("Retry-After")
    if header is None:
        return None
    try:
        seconds = float(header)
        if not math.isfinite(seconds):
            return None
    except ValueError:
        try:
            until, sent = (parsedate_to_datetime(text) for text in (header, headers.get("Date", "")))
            seconds = (until - sent).total_seconds()
        except (TypeError, ValueError):  # not dates, or only one of them knows its time zone
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def url_name(url: str) -> str:
    """Return ``url`` without what may hold a secret, for messages: the user information, the query, the fragment.

    >>> url_name("https://user:password@example.org/feed?key=1#top")
    'https://example.org/feed'
    """
    scheme, separator, rest = url.partition("#")[0].partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def one_line(error: BaseException) -> str:
    """Return the kind and the first line of ``error``, for a message."""
    return f"{type(error).__name__} {error}".rstrip().splitlines()[0]
