"""A listing of Reddit, read from its newest thing back to a known one.

Owns what the listing has shown: the seen things, its growth, what vanished from it. Must never know what a thing
becomes, nor when to read.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ingest.batch import as_json
from ingest.memory.seen import Seen
from ingest.platforms.reddit.convert import created_ms, fullname
from ingest.platforms.reddit.growth import Growth
from ingest.platforms.reddit.source import ListingName, Page, Source
from ingest.platforms.reddit.vanished import Vanished
from transport.errors import NeverRetryError, UserError

SHORT: Final = 900
"""Listings reach back 1 000 things, less the removed ones. A shorter one is complete."""
MAX_SEEN: Final = 1_500
"""Seen things per listing: its reach and some more, since things come and go."""
MAX_NAME_CHARS: Final = 32
"""Longest name that is kept and saved in the cursor; Reddit's have twelve characters."""


class Witnessed(NamedTuple):
    """A thing, its name and when it arrived."""

    thing: object
    fullname: str
    witnessed_ms: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one poll of a listing showed.

    ``fresh``: the unseen things, oldest first. ``known``: the others, oldest first. ``names``: of all, newest first.
    ``complete``: whether it found all since the poll before. ``polled_ms``: when it began, in the time of the items.
    """

    fresh: list[Witnessed]
    known: list[Witnessed]
    names: list[str]
    complete: bool
    polled_ms: int


class Listing:
    """The listing ``name`` of a source. ``seen``: the names of a cursor, oldest first."""

    def __init__(self, name: ListingName, source: Source, seen: Iterable[str]) -> None:
        self._name: ListingName = name
        self._source = source
        self.seen = Seen(MAX_SEEN, seen)
        self.growth = Growth()
        # An API key can ask for what has vanished. Without one a second poll must do.
        self._vanished = Vanished(confirmations=1 if source.has_counts else 2)

    async def read(self, since_ms: int, max_pages: int, *, whole: bool) -> Reading:
        """Read back to a seen thing; ``whole``: on past it, a full scan. Things before ``since_ms`` are left out.

        A listing shows the newest first and moves on while its pages are read, so a thing may appear on two of them.
        Nothing is marked as seen before :meth:`accept`.

        Raises:
            CollectError: a page cannot be had now.
        """
        fresh: dict[str, Witnessed] = {}
        known: dict[str, Witnessed] = {}
        names: dict[str, None] = {}
        after: str | None = None
        complete = whole or not len(self.seen)
        polled_ms: int | None = None
        for _ in range(max_pages):
            page = await self._page(after)
            polled_ms = page.witnessed_ms if polled_ms is None else polled_ms
            witnessed = [Witnessed(thing, _name_of(thing), page.witnessed_ms) for thing in page.things]
            recent = [item for item in witnessed if created_ms(item.thing) >= since_ms]
            names |= dict.fromkeys(item.fullname for item in recent)
            for item in recent:
                (known if item.fullname in self.seen else fresh).setdefault(item.fullname, item)
            met = any(item.fullname in self.seen for item in witnessed)
            # An empty page: the thing that it begins after has left the listing meanwhile.
            ended = page.after is None and (after is None or bool(page.things))
            complete = complete or met or (not recent and ended) or (ended and len(names) < SHORT)
            after = page.after
            if after is None or not recent or (met and not whole):
                break
        fresh_first, known_first = list(fresh.values())[::-1], list(known.values())[::-1]
        return Reading(fresh_first, known_first, list(names), complete, polled_ms or 0)

    def accept(self, reading: Reading) -> tuple[int, list[str]]:
        """Mark what was read as seen; return about how many things were missed, and the names of vanished ones."""
        for item in reading.fresh:
            self.seen.add(item.fullname)
        names = [item.fullname for item in reading.fresh]
        missed = self.growth.observe(names, reading.polled_ms, complete=reading.complete)
        return missed, self._vanished.update(reading.names)

    async def _page(self, after: str | None) -> Page:
        try:
            return await self._source.listing(self._name, after)
        except NeverRetryError as error:
            raise UserError(f"{error}: check the option subreddits") from error


def _name_of(thing: object) -> str:
    """Return the thing's fullname; a digest if it has none that can be kept, so that it too comes only once."""
    name = fullname(thing)
    if name is not None and name.isascii() and len(name) <= MAX_NAME_CHARS:
        return name
    return hashlib.sha256(as_json(thing)).hexdigest()[:16]
