"""What is known of sites: which parameters decorate, which hosts show the same pages, which addresses wrap others.

Owns reading `rules.toml` and finding the rules of a host. Must never read a URL: see `address.py`.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

import msgspec

MAX_REMEMBERED_HOSTS = 4_096
"""Bounds the hosts whose rules are remembered; the posts of an hour link to fewer."""

_URL = r"(https?(?::|%3[Aa])(?:/|%2[Ff]){1,3}[^/].*|(?:[^/?#\s.%]+\.)+[^/?#\s.%]+(?:[/?].*)?)"
"""What ``{url}`` stands for in a rule: an address, with or without a scheme."""

Match = Callable[[str], re.Match[str] | None]

_decorated = re.compile(r"(?:(?:www\d?|m|mobile|amp|wap|touch)\.)+(?=[^.]+\.)").match
_mobile_inside = re.compile(r"(?<=\.)(?:m\.)+(?=[^.]+\.[^.]+$)").sub
_country = re.compile(r"(.+?)\.(?:(?:com?|org|net|gov|ac|edu)\.[a-z]{2}|[a-z]{2,3})").fullmatch


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form of the address of one page. ``key`` is filled with the groups of ``path``, then the values of ``query``.

    ``path``: a regular expression for the whole path. ``query``: parameters that must be there. ``unless``: parameters
    that must not. ``case``: letter case means nothing in this path. ``spaces``: how the site writes a space. A ``key``
    of "" says that the page is evidence of nothing, such as a profile.
    """

    path: str
    key: str
    query: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    case: Literal["", "lower", "upper"] = ""
    spaces: str = ""


class Wrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a site keeps the address that it only wraps.

    ``path``: a regular expression for the whole path, or for path and query if the address is in its groups.
    ``parameters``: where else the address is, after ``prefix``. ``decode``: how it is written, if not as a URL.
    """

    path: str = ".*"
    parameters: tuple[str, ...] = ()
    prefix: str = ""
    decode: Literal["", "google-news"] = ""


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of the hosts of a site.

    ``hosts``: ``*.a.b`` adds subdomains, ``a.*`` means the domain of any country, ``*`` any host without rules.
    ``mirrors``: hosts that show the same pages under the same paths as the first of ``hosts``. ``instances``: first
    labels of hosts that may do so. ``keep``: the only parameters that name a page. ``drop``: parameters that do not.
    ``profiles``: a path of one segment is a profile, which many unrelated posts link to. ``country``: the domain that
    shows the same pages as those of all countries.
    """

    hosts: tuple[str, ...]
    mirrors: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    wraps: tuple[Wrap, ...] = ()
    profiles: bool = False
    country: str = ""


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What parameters mean on any site; `rules.toml` explains the fields."""

    trackers: tuple[str, ...]
    suspects: tuple[str, ...]
    topics: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    sessions: tuple[str, ...]
    words: tuple[str, ...]
    endings: tuple[str, ...]


class General(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pages that are evidence of nothing."""

    sections: tuple[str, ...]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `rules.toml`."""

    parameters: Parameters
    general: General
    sites: tuple[Site, ...]


class Names:
    """A set of names of parameters, in any letter case; a name that ends in ``*`` is a beginning."""

    def __init__(self, names: Iterable[str]) -> None:
        names = tuple(name.lower() for name in names)
        self._whole = frozenset(name for name in names if not name.endswith("*"))
        self._beginnings = tuple(name[:-1] for name in names if name.endswith("*"))

    def __contains__(self, name: str) -> bool:
        name = name.lower()
        return name in self._whole or (bool(self._beginnings) and name.startswith(self._beginnings))


class Known(NamedTuple):
    """The rules of a host, compiled. ``host``: the host whose pages it shows."""

    host: str
    pages: tuple[tuple[Match, Page], ...] = ()
    wraps: tuple[tuple[Match, Wrap], ...] = ()
    keep: Names | None = None
    drop: Names | None = None
    profiles: bool = False


RULES = msgspec.convert(tomllib.loads(files(__package__).joinpath("rules.toml").read_text("utf-8")), Rules)


class _Index:
    """Finds the rules of a host."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self._exact: dict[str, tuple[Site, Known]] = {}
        self._below: dict[str, tuple[Site, Known]] = {}
        self._instances: dict[str, tuple[Site, Known]] = {}
        for site in sites:
            found = site, _compiled(site)
            for host in site.hosts:
                (self._below if host.startswith("*.") else self._exact)[host.removeprefix("*.")] = found
            for host in site.mirrors:
                self._exact[host] = site, found[1]._replace(host=site.hosts[0])
            for label in site.instances:
                self._instances[label] = site, found[1]._replace(keep=None, drop=None, wraps=())

    def find(self, host: str) -> Known:
        plain = undecorated(host)
        base = country[1] if (country := _country(plain)) else ""
        found = (
            self._exact.get(plain)
            or self._exact.get(f"{base}.*")
            or _longest(self._below, plain, "")
            or _longest(self._below, base, ".*")
            or self._instances.get(plain.partition(".")[0])
            or self._exact["*"]
        )
        site, known = found
        if known.host:
            return known
        return known._replace(host=f"{base}.{site.country}" if site.country and base else plain)


def undecorated(host: str) -> str:
    """Return ``host`` without the labels of mobile and AMP editions."""
    if decoration := _decorated(host):
        host = host[decoration.end() :]
    return _mobile_inside("", host) if ".m." in host else host


def _longest(table: dict[str, tuple[Site, Known]], host: str, ending: str) -> tuple[Site, Known] | None:
    while host:
        if found := table.get(host + ending):
            return found
        host = host.partition(".")[2]
    return None


def _compiled(site: Site) -> Known:
    for page in site.pages:
        groups = re.compile(page.path).groups
        page.key.format(*[""] * (groups + len(page.query)), host="")
    return Known(
        host="",
        pages=tuple((re.compile(page.path).fullmatch, page) for page in site.pages),
        wraps=tuple((re.compile(wrap.path.replace("{url}", _URL), re.DOTALL).fullmatch, wrap) for wrap in site.wraps),
        keep=None if site.keep is None else Names(site.keep),
        drop=Names(site.drop) if site.drop else None,
        profiles=site.profiles,
    )


_index = _Index(RULES.sites)


@lru_cache(maxsize=MAX_REMEMBERED_HOSTS)
def rules_of(host: str) -> Known:
    """Return the rules of ``host``, and under which host its pages are known."""
    return _index.find(host)
