"""URLs to which credentials are sent: https, or this machine.

Owns that check of a setting. Must never know a platform.
"""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, HttpUrl


def _credentials_travel_safely(url: HttpUrl) -> HttpUrl:
    if url.scheme != "https" and not _is_loopback(url.host or ""):
        raise ValueError("must be https: it carries credentials (plain http is allowed on this machine only)")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


SecureUrl = Annotated[HttpUrl, AfterValidator(_credentials_travel_safely)]
"""An option of this type rejects plain http, except to loopback."""
