"""Addresses inside addresses: redirects, archives, AMP caches, readers, Google News.

Owns finding the address that a link only wraps; `rules.toml` says where it is. Must never fetch anything: what the
link does not contain stays unknown.
"""

import re
from base64 import urlsafe_b64decode
from urllib.parse import unquote

from streams.resolve.matching.links.address import MAX_FIELDS, Address, normal_path, read
from streams.resolve.matching.links.rules import Known, Match, Wrap, rules_of

MAX_UNWRAPPINGS = 4
"""Bounds wrappers around wrappers; honest links have at most two, and a loop must end."""
GOOGLE_NEWS_HEADER = b"\x08\x13\x22"
"""Begins the identifiers of Google News that hold an address: field 1 is 19, field 4 a text. Its length follows."""

_TRANSLATED = ".translate.goog"
_is_url = re.compile(r"https?:/", re.IGNORECASE).match
_is_escaped_url = re.compile(r"https?(?::|%3A)%2F", re.IGNORECASE).match
_is_bare_url = re.compile(r"(?:[^/?#\s.%]+\.)+[^/?#\s.%]+(?:[/?].*)?").fullmatch
_is_bare_page = re.compile(r"(?:[^/?#\s.%]+\.)+[^/?#\s.%]+/.+").fullmatch
_base64_url = re.compile(r"(?:a1)?(aHR0c[\w=-]*)").fullmatch


def unwrapped(url: str) -> tuple[Address, Known] | None:
    """Return the address that ``url`` leads to and the rules of its host; None if that is no web address."""
    for _ in range(MAX_UNWRAPPINGS + 1):
        address = read(url)
        if address is None:
            return None
        if address.host.endswith(_TRANSLATED):
            address = address._replace(host=_untranslated(address.host))
        known = rules_of(address.host)
        for match, wrap in known.wraps:
            if inner := _in_parameters(address, match, wrap) if wrap.parameters else _in_path(address, match, wrap):
                url = inner
                break
        else:
            return address, known
    return None


def _in_path(address: Address, match: Match, wrap: Wrap) -> str | None:
    """Return the address in the path of ``address``, with the query and fragment that belong to it."""
    path = normal_path(address.path)
    found = match(f"{path}?{address.query}" if address.query else path)
    if found is None:
        return None
    inner = "".join(group or "" for group in found.groups())
    if wrap.decode:
        return _of_google_news(inner)
    if _is_escaped_url(inner):
        inner = unquote(inner)
    if not (_is_url(inner) or _is_bare_url(inner)):
        return None
    return f"{inner}#{address.fragment}" if address.fragment else inner


def _in_parameters(address: Address, match: Match, wrap: Wrap) -> str | None:
    """Return the address in the first of the parameters of ``wrap`` that holds one."""
    if not address.query or not match(address.path):
        return None
    given: dict[str, str] = {}
    for field in address.query.split("&", MAX_FIELDS)[:MAX_FIELDS]:
        name, _, value = field.partition("=")
        given.setdefault(name, unquote(value.replace("+", " ")))
    inner = (_as_url(given.get(name, ""), address.host, wrap.prefix) for name in wrap.parameters)
    return next((address for address in inner if address), None)


def _as_url(value: str, host: str, prefix: str) -> str | None:
    """Return the address that ``value`` is: written out, escaped twice, without a scheme, relative, or in base64."""
    if prefix:
        value = re.sub(f"^{prefix}", "", value).partition(" ")[0]
    if _is_escaped_url(value):
        value = unquote(value)
    if _is_url(value) or _is_bare_page(value):
        return value
    if value.startswith("/"):
        return f"https:{value}" if value.startswith("//") else f"https://{host}{value}"
    if encoded := _base64_url(value):
        return _decoded(encoded[1]).decode("utf-8", "replace")
    return None


def _of_google_news(identifier: str) -> str | None:
    """Return the address inside an identifier of Google News; None if it holds none, as newer ones do."""
    message = _decoded(identifier)
    if not message.startswith(GOOGLE_NEWS_HEADER) or len(message) < 6:
        return None
    start = len(GOOGLE_NEWS_HEADER) + 1
    length = message[start - 1]
    if length & 0x80:  # a varint of two bytes; an address takes no more
        length = (length & 0x7F) | message[start] << 7
        start += 1
    inner = message[start : start + length].decode("utf-8", "replace")
    return inner if _is_url(inner) else None


def _decoded(text: str) -> bytes:
    text = text.rstrip("=")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _untranslated(host: str) -> str:
    """Return the host that Google's translator shows as ``host``: dots are written as hyphens, hyphens twice."""
    return host.removesuffix(_TRANSLATED).replace("--", "\0").replace("-", ".").replace("\0", "-")
