"""Ids of Mastodon: what names one status everywhere, and what a number says about time.

Owns the native id of a status, made of its ``uri``, and the times in local ids. A status has another local id on each
instance, and one ``uri`` on all of them. Must never know what a status says.
"""

import re
from hashlib import sha256
from string import ascii_letters, digits, punctuation
from typing import Final
from urllib.parse import quote

PLATFORM: Final = "mastodon"
MAX_NATIVE_CHARS: Final = 480
"""Longest native id; a longer one is replaced by a digest. Signals allow ids of 512 characters."""

_SAFE = ascii_letters + digits + punctuation
_numbered = re.compile(r"(?:users/[^/]+|ap/users/[0-9]+)/statuses/([0-9]+)(?:/activity)?").fullmatch
"""Mastodon numbers the statuses of an instance; a boost is an activity with a number of its own."""


def signal_id(uri: str) -> str:
    """Return the id of the signals that observe the status ``uri``.

    >>> signal_id("https://Mastodon.example/users/ada/statuses/115777843082007945")
    'mastodon:mastodon.example/115777843082007945'
    >>> signal_id("https://pixels.example/p/grace/7 €")
    'mastodon:pixels.example/p/grace/7%20%E2%82%AC'

    Raises:
        ValueError: ``uri`` names nothing, or is neither an address of the web nor a ``tag:``.
    """
    host = host_of(uri)
    path = uri.partition("://")[2].partition("/")[2] if host else uri
    if not path or (not host and "://" in path):
        raise ValueError(f"uri {uri[:100]!r} names no status")
    if host:
        numbered = _numbered(path)
        path = f"{host}/{path if numbered is None else numbered[1]}"
    native = quote(path, safe=_SAFE)
    if len(native) > MAX_NATIVE_CHARS:
        native = f"sha256/{sha256(native.encode()).hexdigest()}"
    return f"{PLATFORM}:{native}"


def host_of(uri: str) -> str:
    """Return the host of an address of the web, in lower case, with its port; "" if it has none.

    >>> host_of("https://Mastodon.example/users/ada"), host_of("tag:old.example,2017:objectId=1")
    ('mastodon.example', '')
    """
    scheme, separator, rest = uri.partition("://")
    return rest.partition("/")[0].lower() if separator and scheme in {"http", "https"} else ""


def local_id_at(at_ms: int) -> int:
    """Return the least local id of a status that was created at ``at_ms``: ids begin with the time in ms.

    A status from elsewhere that arrives late has an id of the time when it was created, so it stands between others.
    """
    return max(0, at_ms) << 16


def created_at(local_id: int) -> int:
    """Return when the status with this local id was created, in UTC epoch ms."""
    return local_id >> 16
