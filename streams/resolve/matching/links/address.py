"""The syntax of URLs: split into parts, and each part in its one normal form.

Owns RFC 3986 (dot segments, percent-encoding), host names in any script (UTS 46), and what is no link at all. Must
never know about sites: what a parameter means is in `parameters.py`.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

import idna

MAX_URL_CHARS = 2_048
"""Bounds all work on a link; browsers and platforms refuse longer ones."""
MAX_HOST_CHARS = 253
MAX_PORT = 65_535
DEFAULT_PORTS = frozenset([0, 80, 443])
MAX_FIELDS = 64
"""Bounds the parameters read of a query; no page needs more to be named."""

_EDGES = " \t\r\n\f\v\xa0\xad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2068\u2069\ufeff"
"""Blanks and invisible characters that are copied along with a link."""

_escaped_ampersand = re.compile(r"&(?:amp;|#0?38;)+", re.IGNORECASE).sub
_surrogate = re.compile("[\ud800-\udfff]").sub
_start = re.compile(r"(?:https?:[/\\]*)+|[/\\]{2}", re.IGNORECASE).match
_escaped_in_markdown = re.compile(r"\\(?=[_*~()\[\]-])").sub
_session = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE).sub
_other_scheme = re.compile(r"[a-z][a-z0-9+-]*:(?!\d)", re.IGNORECASE).match
_parts = re.compile(r"([^/?#\\]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL).fullmatch
_authority = re.compile(r"(?:.*@)?([^@:]*)(?::(\d{0,5}))?", re.DOTALL).fullmatch
_ascii_host = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}").fullmatch
_dots = re.compile(r"/\.{1,2}(?:/|$)").search
_slashes = re.compile(r"/{2,}").sub
_stray_percent = re.compile(r"%(?![0-9A-Fa-f]{2})").sub
_escapes = re.compile(r"(?:%[0-9A-Fa-f]{2})+").sub
_is_plain_path = re.compile(r"[\w.~/!=:,;@+$&()*'-]*", re.ASCII).fullmatch
_unsafe_in_path = re.compile(r"[^\w.~/!=:,;@+$&()*'%-]+", re.ASCII).sub
_is_plain_field = re.compile(r"[\w.~/!:,;@$()*'?-]*", re.ASCII).fullmatch
_unsafe_in_field = re.compile(r"[^\w.~/!:,;@$()*'?%-]+", re.ASCII).sub

Field = tuple[str, str | None]
"""A parameter: its name and its value in normal form; None if there is a name alone."""


Substitution = Callable[[Callable[[re.Match[str]], str], str], str]


class Address(NamedTuple):
    """A URL in parts. ``host`` and ``port`` are in normal form; a default port is "". The rest is as it was written."""

    host: str
    port: str
    path: str
    query: str
    fragment: str


def read(url: str) -> Address | None:
    """Return the parts of ``url``; None if it is no web address: another scheme, too long, an impossible host."""
    url = url.strip(_EDGES)
    if len(url) > MAX_URL_CHARS:
        return None
    if "&" in url:
        url = _escaped_ampersand("&", url)
    if "\\" in url:
        url = _escaped_in_markdown("", url)
    if not url.isascii():
        url = _surrogate("\ufffd", url)
    if start := _start(url):
        url = url[start.end() :]
    elif _other_scheme(url):
        return None
    parts = _parts(url)
    authority = _authority(parts[1]) if parts else None
    if parts is None or authority is None:
        return None
    host = _host(authority[1])
    port = int(authority[2] or 0)
    if host is None or port > MAX_PORT:
        return None
    path = parts[2].replace("\\", "/")
    return Address(host, "" if port in DEFAULT_PORTS else f"{port}", path, parts[3] or "", parts[4] or "")


def normal_path(path: str) -> str:
    """Return ``path`` without dot segments, empty segments and sessions, percent-encoded only where it has to be."""
    if not _is_plain_path(path):
        path = _normal(path, _unsafe_in_path, "/%")
    if ";" in path:
        path = _session("", path)
    if "//" in path:
        path = _slashes("/", path)
    return _without_dots(path) if _dots(path) else path


def fields(query: str) -> list[Field]:
    """Return the first parameters in ``query``, in normal form. An empty value says nothing, so it is left out."""
    found: list[Field] = []
    for field in query.split("&", MAX_FIELDS)[:MAX_FIELDS]:
        name, equals, value = field.partition("=")
        if name and (value or not equals):
            found.append((_normal_field(name), _normal_field(value) if equals else None))
    return found


def _host(host: str) -> str | None:
    """Return ``host`` in lower case and ASCII; None if it cannot be a host of the web."""
    if "%" in host:
        host = unquote(host)
    host = host.lower().removesuffix(".")
    if len(host) > MAX_HOST_CHARS:
        return None
    if host.isascii():
        return host if _ascii_host(host) else None
    try:
        # UTS 46 would drop invisible characters, but a host that hides some was not typed by its owner.
        if not all(idna.uts46_remap(character) for character in host):
            return None
        host = idna.encode(host, uts46=True).decode().removesuffix(".")
    except UnicodeError:
        return None
    return host if _ascii_host(host) else None


def _normal_field(text: str) -> str:
    return text if _is_plain_field(text) else _normal(text.replace("+", "%20"), _unsafe_in_field, "%")


def _normal(text: str, unsafe: Substitution, kept: str) -> str:
    """Return ``text`` with every character as it is if it is safe, percent-encoded otherwise (RFC 3986, 6.2.2).

    Characters in ``kept`` mean something else when they are not encoded, so they stay as they are. Bytes that are no
    UTF-8 stay bytes.
    """

    def decoded(match: re.Match[str]) -> str:
        text = bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "surrogateescape")
        for character in kept[::-1]:
            text = text.replace(character, f"%{ord(character):02X}")
        return text

    def encoded(match: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))

    text = _escapes(decoded, _stray_percent("%25", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return unsafe(encoded, text)


def _without_dots(path: str) -> str:
    """Return ``path`` with its dot segments resolved (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
