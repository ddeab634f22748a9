"""URLs to which credentials are sent: https, or this machine.

Owns that check of a setting. Must never know a platform.
"""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, HttpUrl


def is_secure(url: HttpUrl) -> bool:
    """Return whether credentials may be sent to ``url``: over https, or to this machine."""
    return url.scheme == "https" or _is_loopback(url.host or "")


def _credentials_travel_safely(url: HttpUrl) -> HttpUrl:
    if not is_secure(url):
        raise ValueError("must be https: it carries credentials (plain http is allowed on this machine only)")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


SecureUrl = Annotated[HttpUrl, AfterValidator(_credentials_travel_safely)]
"""An option of this type rejects plain http, except to loopback."""
