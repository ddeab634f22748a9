"""What the HTTP servers of the roles have in common: where they listen, and the names they answer to.

Owns the check of Host, and the message when an address cannot be listened on. Must never know what is served.
"""

import errno
import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from transport.errors import UserError

HOST_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")

_FIXES: Final = {
    errno.EADDRINUSE: "another program listens there: stop it, or set {}PORT (0 takes a free port)",
    errno.EACCES: "a port below 1024 needs privileges: set another with {}PORT",
}


async def listen(runner: web.AppRunner, host: str, port: int, what: str, variables: str) -> None:
    """Serve ``what``, the application of ``runner``, on this address, until ``runner`` is cleaned up.

    ``variables``: what the names of the settings ``…HOST`` and ``…PORT`` start with, for the message.

    Raises:
        UserError: the address cannot be used.
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        fix = _FIXES.get(error.errno or 0, "this machine has no such address: set {}HOST").format(variables)
        raise UserError(f"cannot serve {what} on {host}:{port}; {fix}") from None


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


def check_host(allowed_hosts: Collection[str], setting: str) -> Middleware:
    """Return the middleware that refuses requests with other names in the Host header. ``setting``: has the names."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_allowed_host(request.headers.get(hdrs.HOST, ""), allowed_hosts):
            error = f"this server does not answer to that name; its operator can add it to {setting}"
            return web.json_response({"error": error}, status=421)
        return await handler(request)

    return middleware
