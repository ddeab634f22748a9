"""Canonical links: all URLs of one page get one key.

Owns the key: from the address that a link leads to, its host, its path and the parameters that name the page. Owns also
which pages are too general to be evidence of a story: home pages, profiles, section fronts. Must never fetch anything:
a shortened link stays as it is unless the platform states its target. The rules of sites are in `links/rules.toml`.
"""

import re
from itertools import islice
from urllib.parse import unquote

from streams.resolve.matching.links.address import MAX_URL_CHARS, Field, fields, normal_path
from streams.resolve.matching.links.parameters import meaningful
from streams.resolve.matching.links.rules import RULES, Known
from streams.resolve.matching.links.wrappers import unwrapped

MIN_HEADLINE_WORDS = 3
"""A path with fewer words names a section of the site, not the subject of the page."""

_SECTIONS = frozenset(f"/{section}" for section in RULES.general.sections)
_may_be_decorated = re.compile(r"amp|/index\.", re.IGNORECASE).search
_amp_file = re.compile(r"(?:\.amp)+(?=\.html?$)", re.IGNORECASE).sub
_amp_ending = re.compile(r"(?:/amp(?:\.html?)?|(?<=[^./])\.amp|/index\.(?:html?|php|aspx?))+/*$", re.IGNORECASE).sub
_amp_beginning = re.compile(r"(?:/amp)+(?=/)", re.IGNORECASE).match
_has_headline = re.compile(r"[^/_-][-_]+[^/_-]+[-_]+[^/_-]").search
_PUNCTUATION = ".,;:!?…]}'\"”’»*\\"
_between_words = re.compile(r"[-_+ ]+").split
_url = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'「」【】（）]+", re.IGNORECASE).finditer


def canonical(url: str) -> str | None:
    """Return the key of the page at ``url``: host, path and meaningful parameters, without a scheme.

    None if the link is no evidence that two posts share a subject: not http(s), unreadable, a home page, a section
    front, a profile.
    """
    found = unwrapped(url)
    if found is None:
        return None
    address, known = found
    path = normal_path(address.path)
    given = fields(address.query) if address.query else []
    if known.pages and (key := _known_page(known, path.rstrip("/"), given)) is not None:
        return key or None
    path = _undecorated(path)
    named = meaningful(given, known, path) if given else []
    fragment = _route(address.fragment) if address.fragment[:1] in {"!", "/"} else ""
    if not named and not fragment and _is_general(known, path):
        return None
    host = f"{known.host}:{address.port}" if address.port else known.host
    return f"{host}{path}{'?' if named else ''}{_written(named)}{fragment}"


def headline_in(key: str) -> str:
    """Return the headline spelled out in the path of a canonical link, in lower case; "" if there is none."""
    headline: list[str] = []
    for segment in key.partition("?")[0].split("/")[1:]:
        name, _, ending = segment.rpartition(".")
        said = [
            word for word in _between_words(unquote(name if name and len(ending) <= 5 else segment)) if word.isalpha()
        ]
        if len(said) >= max(MIN_HEADLINE_WORDS, len(headline)):
            headline = said
    return " ".join(headline).lower()


def links_in(text: str) -> list[str]:
    """Return the first 8 links written out in ``text``, without the punctuation around them and Markdown's targets."""
    return [_trimmed(match[0][:MAX_URL_CHARS].partition("](")[0]) for match in islice(_url(text), 8)]


def _trimmed(link: str) -> str:
    """Return ``link`` without trailing punctuation; a bracket stays if it was opened in the link."""
    link = link.rstrip(_PUNCTUATION)
    while link.endswith(")") and link.count(")") > link.count("("):
        link = link[:-1].rstrip(_PUNCTUATION)
    return link


def _known_page(known: Known, path: str, given: list[Field]) -> str | None:
    """Return the key of a page whose site is known to give it several URLs, or None."""
    for match, page in known.pages:
        found = match(path)
        if found is None:
            continue
        values = dict(given)
        if any(name in values for name in page.unless) or not all(values.get(name) for name in page.query):
            continue
        parts = [group or "" for group in found.groups()] + [values[name] or "" for name in page.query]
        if page.spaces:
            parts = [part.replace("%20", page.spaces) for part in parts]
        if page.case:
            parts = [part.lower() if page.case == "lower" else part.upper() for part in parts]
        host, slash, rest = page.key.format(*parts, host=known.host).partition("/")
        return f"{host.lower()}{slash}{rest}"
    return None


def _undecorated(path: str) -> str:
    """Return ``path`` without the signs of an AMP page, the name of an index file and the last slash."""
    path = path.rstrip("/")
    while _may_be_decorated(path):
        before = path
        if (beginning := _amp_beginning(path)) and _has_headline(path, beginning.end()):
            path = path[beginning.end() :]
        path = _amp_ending("", _amp_file("", path)).rstrip("/")
        if path == before:
            break
    return path


def _route(fragment: str) -> str:
    """Return a fragment that names a page inside an application (``#!/story/1``), in normal form."""
    path, _, query = fragment.partition("?")
    path = normal_path(path).rstrip("/!")
    return f"#{path}{'?' if query else ''}{_written(fields(query))}" if path else ""


def _written(named: list[Field]) -> str:
    return "&".join(name if value is None else f"{name}={value}" for name, value in named)


def _is_general(known: Known, path: str) -> bool:
    """Return whether posts on any subject link to the page: a home page, a section front, a profile."""
    if not path or path.lower() in _SECTIONS:
        return True
    return known.profiles and path.count("/") == 1
