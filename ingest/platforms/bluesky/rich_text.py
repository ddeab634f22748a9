"""The links in a post's text, which Bluesky keeps beside it.

Owns the facets of links (``app.bsky.richtext.facet``): places in the text, in bytes of UTF-8. Their writers are
untrusted, so places may overlap, lie outside the text or cut a character. Must never know what a post is.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

MAX_LINKS: Final = 20
"""Most links that are read in a text of at most 300 characters."""
MAX_LINK_CHARS: Final = 2_048
_LINK: Final = "app.bsky.richtext.facet#link"


class _Feature(msgspec.Struct):
    type: str = msgspec.field(name="$type")
    uri: str = ""


class _Index(msgspec.Struct):
    start: int = msgspec.field(name="byteStart")
    end: int = msgspec.field(name="byteEnd")


class Facet(msgspec.Struct):
    """A place in a text, and what is there."""

    index: _Index
    features: list[_Feature]

    @property
    def link(self) -> str | None:
        """The address that the place links to."""
        links = (feature.uri for feature in self.features if feature.type == _LINK)
        return next(
            (uri for uri in links if uri.startswith(("https://", "http://")) and len(uri) <= MAX_LINK_CHARS), None
        )


def with_links(text: str, facets: list[Facet]) -> str:
    """Return ``text`` with the whole address of each link: clients shorten those that they show.

    >>> facet = Facet(_Index(4, 18), [_Feature(_LINK, "https://a.example/b/c")])
    >>> with_links("See a.example/b…", [facet]), with_links("See ← here", [facet])
    ('See https://a.example/b/c', 'See ← here')
    """
    data = text.encode()
    parts: list[str] = []
    at = 0
    for start, end, link in _links(data, facets):
        if start < at:
            continue  # it overlaps the one before
        shown = data[start:end].decode()
        parts.append(data[at:start].decode())
        parts.append(link if _is_short_for(shown, link) else f"{shown} ({link})")
        at = end
    return "".join((*parts, data[at:].decode()))


def first_link(facets: list[Facet]) -> str | None:
    """Return the address of the first link."""
    return next((link for facet in facets if (link := facet.link)), None)


def _links(data: bytes, facets: list[Facet]) -> Iterator[tuple[int, int, str]]:
    """Yield begin, end and address of the links that are in the text, in order."""
    found = [(facet.index.start, facet.index.end, link) for facet in facets[:MAX_LINKS] if (link := facet.link)]
    for start, end, link in sorted(found):
        if 0 <= start < end <= len(data) and _is_boundary(data, start) and _is_boundary(data, end):
            yield start, end, link


def _is_boundary(data: bytes, at: int) -> bool:
    return at == len(data) or data[at] & 0xC0 != 0x80


def _is_short_for(shown: str, link: str) -> bool:
    """Return whether ``shown`` is the address itself, perhaps without its scheme or its end."""
    begin = shown.removesuffix("…").removesuffix("...").removeprefix("https://").removeprefix("http://")
    address = link.partition("://")[2]
    return bool(begin) and address.removeprefix("www.").startswith(begin.removeprefix("www."))
