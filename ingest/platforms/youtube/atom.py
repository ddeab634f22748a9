"""A channel's Atom feed into videos, in the form in which the API gives them.

Owns what each element of the feed means. Must never fetch, nor follow what a feed refers to: a document type, in which
XML bombs and references to files are declared, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from transport.errors import RetryLaterError

ATOM: Final = "http://www.w3.org/2005/Atom"
VIDEO: Final = "http://www.youtube.com/xml/schemas/2015"
MEDIA: Final = "http://search.yahoo.com/mrss/"
MAX_DEPTH: Final = 20
"""Deepest nesting; a feed has six levels."""

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    f"{VIDEO} videoId": ("", "id"),
    f"{VIDEO} channelId": ("snippet", "channelId"),
    f"{ATOM} title": ("snippet", "title"),
    f"{ATOM} published": ("snippet", "publishedAt"),
    f"{ATOM} name": ("snippet", "channelTitle"),
    f"{MEDIA} description": ("snippet", "description"),
}
"""Element -> where its text goes in a video of the API."""


class _Feed:
    """Takes the parser's events."""

    def __init__(self) -> None:
        self.videos: list[dict[str, object]] = []
        self.is_feed = False
        self._path: list[str] = []
        self._text: list[str] = []
        self._entry: dict[str, dict[str, object]] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self.is_feed = name == f"{ATOM} feed"
        if len(self._path) >= MAX_DEPTH:
            raise RetryLaterError("elements are nested too deep")
        self._path.append(name)
        self._text = []
        if name == f"{ATOM} entry":
            self._entry = {"": {"kind": "youtube#video"}, "snippet": {}}
        elif name == f"{MEDIA} statistics" and self._entry is not None and "views" in attributes:
            self._entry["statistics"] = {"viewCount": attributes["views"]}

    def text(self, text: str) -> None:
        self._text.append(text)

    def end(self, name: str) -> None:
        self._path.pop()
        entry = self._entry
        if entry is None:
            return
        if name == f"{ATOM} entry":
            self.videos.append({**entry.pop(""), **entry})
            self._entry = None
        elif (place := _TEXTS.get(name)) is not None:
            part, field = place
            entry[part].setdefault(field, "".join(self._text))


def videos_of(feed: bytes) -> list[dict[str, object]]:
    """Return the videos of a feed, newest first, as the API would give them.

    Raises:
        RetryLaterError: it is no Atom feed, or one that declares a document type.
    """
    taken = _Feed()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = taken.start
    parser.CharacterDataHandler = taken.text
    parser.EndElementHandler = taken.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(feed, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: an encoding that no one knows
        raise RetryLaterError(f"the feed is no XML: {error}") from None
    if not taken.is_feed:
        raise RetryLaterError("the answer is no Atom feed")
    return taken.videos


def _refuse(*_: object) -> None:
    raise RetryLaterError("the feed declares a document type")
