"""The Reddit collector: what to poll, in which order, and how far it has read.

Owns the cursor: the latest seen things of each listing, and the tracked posts. (Reddit's own ``after`` and ``before``
do not serve: the thing that they name may be deleted.) Must never know PRAW, nor publish.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import msgspec
from cachetools import TTLCache

from ingest.batch import Batch, Cursor, Signals, as_json
from ingest.collector import CollectorContext
from ingest.memory.schedule import PollSchedule
from ingest.memory.seen import Seen
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.reddit.client import PAGE_ITEMS, Page, RedditClient
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import PLATFORM, convert, created_ms, fullname, link_id, signal_id
from transport.errors import NeverRetryError, UserError

REOBSERVE: Final = "reobserve"
FULL_SCAN: Final = "full scan "
REACH: Final = 900
"""Reddit's listings reach back 1 000 things, less the removed ones. A shorter one is complete."""
MAX_SEEN: Final = 1_500
"""Seen things per listing: its reach and some more, since things come and go."""
MAX_KNOWN_POSTS: Final = 50_000
"""Known posts, each kept as long as posts are tracked. A comment on another post costs a request for that post."""
MAX_NAME_CHARS: Final = 32
"""Longest name that is kept and saved in the cursor; Reddit's have twelve characters."""


class _Cursor(msgspec.Struct):
    """``since_ms``: older things of listings are skipped. The seen-sets, oldest first, and the tracked posts."""

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

    def __init__(self, config: RedditConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        now_ms = context.now_ms
        self._config = config
        self._now_ms = now_ms
        self._client = RedditClient(config, context)
        place = "r/" + "+".join(config.subreddits)
        self._paths = {"submissions": f"{place}/new", "comments": f"{place}/comments"}
        polls = {"submissions": config.submissions_poll_seconds, "comments": config.comments_poll_seconds}
        if not config.comments:
            del polls["comments"]
        scans = {f"{FULL_SCAN}{name}": config.sweep_seconds for name in polls}
        every_seconds = {**polls, REOBSERVE: config.reobserve_seconds, **scans}
        self._schedule = PollSchedule(every_seconds, context.clock, context.sleep)
        for scan in scans:
            self._schedule.put_off(scan)
        kept_ms = int(config.watch_hours * HOUR_MS)
        self._tracked = TrackedItems(config.watch_max_items, kept_ms)
        if cursor is None:
            saved = _Cursor(since_ms=now_ms() - int(config.backfill_hours * HOUR_MS))
        else:
            saved = msgspec.json.decode(cursor, type=_Cursor)
        self._since_ms = saved.since_ms
        self._seen = {"submissions": Seen(MAX_SEEN, saved.submissions), "comments": Seen(MAX_SEEN, saved.comments)}
        self._known_posts: TTLCache[str, bool] = TTLCache(MAX_KNOWN_POSTS, kept_ms, timer=now_ms)
        for name in (*saved.watched, *saved.submissions):
            self._known_posts[name] = True
        self._tracked.restore(map(signal_id, saved.watched), now_ms())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            poll = await self._schedule.next()
            if poll != REOBSERVE:
                signals = await self._read(poll.removeprefix(FULL_SCAN), whole=poll.startswith(FULL_SCAN))
            elif due := self._tracked.due(self._now_ms(), self._config.reobserve_max_items):
                signals = await self._info([_fullname(id_) for id_ in due])
                self._track(signals)
            else:
                continue  # no request was made, so there is no success to report
            return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """End PRAW's thread."""
        await self._client.close()

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return len(self._tracked)

    def _cursor(self) -> Cursor:
        return msgspec.json.encode(
            _Cursor(
                self._since_ms,
                list(self._seen["submissions"]),
                list(self._seen["comments"]),
                sorted(map(_fullname, self._tracked.ids())),
            )
        )

    async def _read(self, name: str, *, whole: bool = False) -> Signals:
        """Return the new things of a listing; a post that comments answer and that is not known goes before them."""
        fresh, gap = await self._fresh(name, whole=whole)
        links = dict.fromkeys(link for item in fresh if (link := link_id(item.thing)) is not None)
        unknown = [link for link in links if link not in self._known_posts]
        signals = await self._info(unknown)
        signals.extend(convert(item.thing, item.witnessed_ms) for item in fresh)
        signals.gaps += gap
        # Nothing may fail from here on: things marked as seen would be lost.
        self._track(signals)
        for name_ in unknown:  # also those that Reddit does not give: asking again would not help
            self._known_posts[name_] = True
        for item in fresh:
            self._seen[name].add(item.fullname)
            if name == "submissions":
                self._known_posts[item.fullname] = True
        return signals

    async def _fresh(self, name: str, *, whole: bool) -> tuple[list[_Witnessed], bool]:
        """Read a listing back to a seen thing; return the unseen ones, oldest first, and whether there is a gap.

        A listing shows the newest first and moves on while its pages are read, so a thing may appear on two of them.
        There is a gap if the listing ends at Reddit's limit and holds no seen thing. ``whole``: a full scan, which
        reads on past seen things.
        """
        seen = self._seen[name]
        fresh: dict[str, _Witnessed] = {}
        listed: set[str] = set()
        after: str | None = None
        met = whole or not len(seen)
        for _ in range(self._config.listing_max_pages):
            page = await self._page(name, after)
            witnessed = [_Witnessed(thing, _name_of(thing), page.witnessed_ms) for thing in page.things]
            recent = [item for item in witnessed if created_ms(item.thing) >= self._since_ms]
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
            raise UserError(f"{error}: check the option subreddits") from error

    async def _info(self, fullnames: Sequence[str]) -> Signals:
        """Return things as they are now. Each page becomes signals at once: 100 things are large."""
        signals = Signals()
        for start in range(0, len(fullnames), PAGE_ITEMS):
            page = await self._client.info(fullnames[start : start + PAGE_ITEMS])
            signals.extend(convert(thing, page.witnessed_ms) for thing in page.things)
        return signals

    def _track(self, signals: Signals) -> None:
        for signal in signals.signals:
            if signal.is_root and signal.id.isascii():  # any other is rejected, and cannot be saved
                self._tracked.observe(signal)


def _name_of(thing: object) -> str:
    """Return the thing's fullname; a digest if it has none that can be kept, so that it too comes only once."""
    name = fullname(thing)
    if name is not None and name.isascii() and len(name) <= MAX_NAME_CHARS:
        return name
    return hashlib.sha256(as_json(thing)).hexdigest()[:16]


def _fullname(id_: str) -> str:
    return id_.removeprefix(f"{PLATFORM}:")
