"""The Reddit collector: what to look at, in which order, and how far it has come.

Owns the cursor: which of the latest things of each listing were seen (Reddit's own ``after`` and ``before`` cannot be
trusted with that: a thing they name may have been deleted), and the posts on the watch. Must never know PRAW, nor
publish.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Self

import msgspec

from ingest.batch import Batch, Cursor, Signals, as_json
from ingest.collector import CollectorSpec
from ingest.errors import GiveUpError, NeverRetryError
from ingest.memory.rate_limit import Pace
from ingest.memory.recent import Recent
from ingest.memory.schedule import Agenda
from ingest.memory.seen import Seen
from ingest.memory.tracked import HOUR_MS, Watch
from ingest.platforms.reddit.client import PAGE_ITEMS, Page, RedditClient
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import PLATFORM, convert, signal_id

__all__ = ["SPEC", "RedditCollector"]

REOBSERVE: Final = "reobserve"
SWEEP: Final = "sweep "
REACH: Final = 900
"""Reddit's listings reach back 1 000 things, less what was removed. One that ends before has shown all there is."""
MAX_SEEN: Final = 1_500
"""Per listing: its reach and some more, since things come and go."""
MAX_KNOWN_POSTS: Final = 50_000
MAX_NAME_CHARS: Final = 32
"""Reddit's names have twelve at most; what is kept of them is saved, so it must not be anything."""


class _Cursor(msgspec.Struct):
    """``since_ms``: nothing older is taken from listings. The seen-sets, oldest first, and the posts on the watch."""

    since_ms: int
    submissions: list[str] = []
    comments: list[str] = []
    watched: list[str] = []


class _Witnessed(NamedTuple):
    thing: object
    fullname: str
    witnessed_ms: int


class RedditCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: RedditConfig, cursor: Cursor | None, pace: Pace, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._now_ms = now_ms
        self._client = RedditClient(config, pace, now_ms)
        place = "r/" + "+".join(config.subreddits)
        self._paths = {"submissions": f"{place}/new", "comments": f"{place}/comments"}
        polls = {"submissions": config.submissions_poll_seconds, "comments": config.comments_poll_seconds}
        if not config.comments:
            del polls["comments"]
        sweeps = {f"{SWEEP}{name}": config.sweep_seconds for name in polls}
        self._agenda = Agenda({**polls, REOBSERVE: config.reobserve_seconds, **sweeps})
        for sweep in sweeps:
            self._agenda.put_off(sweep)
        kept_ms = int(config.watch_hours * HOUR_MS)
        self._watch = Watch(config.watch_max_items, kept_ms)
        if cursor is None:
            saved = _Cursor(since_ms=now_ms() - int(config.backfill_hours * HOUR_MS))
        else:
            saved = msgspec.json.decode(cursor, type=_Cursor)
        self._since_ms = saved.since_ms
        self._seen = {
            "submissions": Seen(MAX_SEEN, saved.submissions),
            "comments": Seen(MAX_SEEN, saved.comments),
        }
        self._known_posts: Recent[str, bool] = Recent(MAX_KNOWN_POSTS, kept_ms, now_ms)
        for fullname in (*saved.watched, *saved.submissions):
            self._known_posts.put(fullname, True)
        self._watch.restore(map(signal_id, saved.watched), now_ms())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            look = await self._agenda.next()
            if look != REOBSERVE:
                signals = await self._read(look.removeprefix(SWEEP), whole=look.startswith(SWEEP))
            elif due := self._watch.due(self._now_ms(), self._config.reobserve_max_items):
                signals = await self._info([_fullname(id_) for id_ in due])
                self._note(signals)
            else:
                continue  # nothing was asked, so there is nothing to tell, and no success to claim
            return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """End PRAW's thread."""
        await self._client.close()

    @property
    def watched_items(self) -> int:
        """How many posts are looked at again and again."""
        return len(self._watch)

    def _cursor(self) -> Cursor:
        return msgspec.json.encode(
            _Cursor(
                self._since_ms,
                list(self._seen["submissions"]),
                list(self._seen["comments"]),
                sorted(map(_fullname, self._watch.ids())),
            )
        )

    async def _read(self, name: str, *, whole: bool = False) -> Signals:
        """Take in what is new in a listing; a post that comments hang on and that is not known goes before them."""
        fresh, gap = await self._fresh(name, whole=whole)
        links = dict.fromkeys(link for item in fresh if (link := _link_of(item.thing)) is not None)
        unknown = [link for link in links if link not in self._known_posts]
        signals = await self._info(unknown)
        signals.extend(convert(item.thing, item.witnessed_ms) for item in fresh)
        signals.gaps += gap
        # Nothing may fail from here on, or what was marked as seen would be lost.
        self._note(signals)
        for fullname in unknown:  # also what Reddit does not give: asking again would not help
            self._known_posts.put(fullname, True)
        for item in fresh:
            self._seen[name].add(item.fullname)
            if name == "submissions":
                self._known_posts.put(item.fullname, True)
        return signals

    async def _fresh(self, name: str, *, whole: bool) -> tuple[list[_Witnessed], bool]:
        """Read a listing back to something seen; return what was not seen, oldest first, and whether there is a gap.

        A listing shows the newest first and moves on while its pages are read, so a thing may appear on two of them.
        There is a gap if nothing in it was known though it ended where Reddit's patience ends. ``whole``: read on past
        what is known.
        """
        seen = self._seen[name]
        fresh: dict[str, _Witnessed] = {}
        listed: set[str] = set()
        after: str | None = None
        met = whole or not len(seen)
        for _ in range(self._config.listing_max_pages):
            page = await self._page(name, after)
            witnessed = [_Witnessed(thing, _name_of(thing), page.witnessed_ms) for thing in page.things]
            recent = [item for item in witnessed if _created_ms(item.thing) >= self._since_ms]
            listed.update(item.fullname for item in recent)
            for item in recent:
                if item.fullname not in seen:
                    fresh.setdefault(item.fullname, item)
            known = any(item.fullname in seen for item in witnessed)
            after = page.after
            met = met or known or not recent or (after is None and len(listed) < REACH)
            if after is None or not recent or (known and not whole):
                break
        return list(reversed(fresh.values())), not met

    async def _page(self, name: str, after: str | None) -> Page:
        try:
            return await self._client.listing(self._paths[name], after)
        except NeverRetryError as error:
            raise GiveUpError(f"{error}: check the option subreddits") from error

    async def _info(self, fullnames: Sequence[str]) -> Signals:
        """Return what there is now of things, each page made signals at once: 100 things are large."""
        signals = Signals()
        for start in range(0, len(fullnames), PAGE_ITEMS):
            page = await self._client.info(fullnames[start : start + PAGE_ITEMS])
            signals.extend(convert(thing, page.witnessed_ms) for thing in page.things)
        return signals

    def _note(self, signals: Signals) -> None:
        for signal in signals.signals:
            if signal.is_root and signal.id.isascii():  # else nobody takes it, and it cannot be saved
                self._watch.note(signal)


def _name_of(thing: object) -> str:
    """Return the thing's fullname; a digest for one that has none to speak of, so that it too is taken only once."""
    name = _field(thing, "name")
    if isinstance(name, str) and name.isascii() and len(name) <= MAX_NAME_CHARS:
        return name
    return hashlib.sha256(as_json(thing)).hexdigest()[:16]


def _link_of(thing: object) -> str | None:
    """Return the post that a comment hangs on."""
    link = _field(thing, "link_id")
    return link if isinstance(link, str) else None


def _created_ms(thing: object) -> float:
    """Return when the thing was created; infinity where it does not say, so that it is taken and then refused."""
    created = _field(thing, "created_utc")
    return created * 1000 if isinstance(created, int | float) and math.isfinite(created) else math.inf


def _field(thing: object, name: str) -> object:
    data = thing.get("data") if isinstance(thing, dict) else None
    return data.get(name) if isinstance(data, dict) else None


def _fullname(id_: str) -> str:
    return id_.removeprefix(f"{PLATFORM}:")


SPEC: Final = CollectorSpec(
    name=PLATFORM,
    needs_account=True,
    needs="an API client: client_id and client_secret from https://www.reddit.com/prefs/apps",
    gives="new posts and comments of chosen communities, with scores, numbers of comments and vote ratios as they grow",
    config=RedditConfig,
    make=RedditCollector,
)
