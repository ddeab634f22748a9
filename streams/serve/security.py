"""The security of the page: who may connect, and what the page may do.

Owns the check of Origin and the security headers of every answer. There is no login. Listening on loopback, this check
and that of Host (:mod:`streams.runtime.http_server`) keep other sites from reading the page in the reader's browser.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from aiohttp import hdrs, web

from streams.runtime.http_server import is_allowed_host

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


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether a page from ``origin`` came from this server, reached as ``host``.

    A browser lets any page open a WebSocket to any server, and sends the origin of the page.
    """
    scheme, separator, rest = origin.partition("://")
    return bool(separator) and scheme in {"http", "https"} and rest.lower() == host.lower()


def security_headers(allowed_hosts: Collection[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the hook that sets the security headers of every answer (for ``Application.on_response_prepare``)."""

    async def put(request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get(hdrs.HOST, "")
        sockets = f"ws://{host} wss://{host}" if is_allowed_host(host, allowed_hosts) else ""
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = _POLICY.format(sockets=sockets)

    return put
