"""The security middleware: the names the server answers to, who may connect, and what the page may do.

Owns the checks of Host and Origin and the security headers of every answer. There is no login. Listening on loopback
and these checks keep other web sites from reading the page in the reader's browser.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

HOST_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")

_HEADERS: Final = {
    "Server": "hubbub",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        # 'self' covers WebSockets in Chromium only.
        "connect-src 'self' {sockets}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Where the browser knows Trusted Types, writing a string into innerHTML and its like is an error.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


def is_allowed_host(host: str, allowed_hosts: Collection[str]) -> bool:
    """Return whether a request with this Host header was meant for us.

    A web site can point a name of its own at 127.0.0.1 and so read what is served there (DNS rebinding). The Host
    header then has that name. A site cannot do that to an address, nor to ``localhost``, so these are allowed.
    """
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port  # a port out of range is a ValueError too
        if not HOST_CHARS.issuperset(host):
            return False
        if name != "localhost" and name not in allowed_hosts:
            ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether a page from ``origin`` came from this server, reached as ``host``.

    A browser lets any page open a WebSocket to any server, and sends the origin of the page.
    """
    scheme, separator, rest = origin.partition("://")
    return bool(separator) and scheme in {"http", "https"} and rest.lower() == host.lower()


def check_host(allowed_hosts: Collection[str]) -> Middleware:
    """Return the middleware that refuses requests with other names in the Host header."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_allowed_host(request.headers.get(hdrs.HOST, ""), allowed_hosts):
            error = "this server does not answer to that name; its operator can add it to serve.allowed_hosts"
            return web.json_response({"error": error}, status=421)
        return await handler(request)

    return middleware


def security_headers(allowed_hosts: Collection[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the hook that sets the security headers of every answer (for ``Application.on_response_prepare``)."""

    async def put(request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get(hdrs.HOST, "")
        sockets = f"ws://{host} wss://{host}" if is_allowed_host(host, allowed_hosts) else ""
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = _POLICY.format(sockets=sockets)

    return put
