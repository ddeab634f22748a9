"""The Lemmy collector: what to poll, in which order, and how far it has read.

Owns the cursor: the latest items of each listing, and the tracked posts. Must never know HTTP, nor publish.

Growth: a page of new posts, of the posts commented on last, or of the highest ranked, shows 50 counts in one request.
Only a tracked post that none of them shows any more is asked for alone. A signal goes out when it says something new.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec

from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorContext
from ingest.memory.changes import Changes
from ingest.memory.schedule import PollSchedule
from ingest.memory.seen import Seen
from ingest.memory.tracked import HOUR_MS
from ingest.platforms.lemmy import views
from ingest.platforms.lemmy.communities import CommunitySizes
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.platforms.lemmy.convert import convert
from ingest.platforms.lemmy.holds import Holds
from ingest.platforms.lemmy.instance import GoneError, LemmyInstance, View
from ingest.platforms.lemmy.listing import Listing, Reading
from ingest.platforms.lemmy.owners import Owners
from ingest.platforms.lemmy.posts import Posts, Saved, Target
from ingest.signal import Signal

FULL_SCAN: Final = "full scan "
REOBSERVE: Final = "reobserve"
MEMBERS: Final = "members"
ALWAYS_MS: Final = float("-inf")
MAX_ITEMS: Final = 50_000
"""Items whose last signal is remembered, in some 15 MB; the largest instance shows as many in two days."""

MAX_REJECTED: Final = 1_000
"""Unreadable items that are remembered, so that each is one dead letter however often listings show it."""


class _Cursor(msgspec.Struct):
    """``since_ms``: older items of new listings are skipped. ``seen``: by listing. ``watched``: the tracked posts."""

    since_ms: int
    seen: dict[str, list[str]] = {}
    watched: list[Saved] = []


class LemmyCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: LemmyConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        if cursor is None:
            saved = _Cursor(since_ms=context.now_ms() - int(config.backfill_hours * HOUR_MS))
        else:
            saved = msgspec.json.decode(cursor, type=_Cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._since_ms = saved.since_ms
        instances = (LemmyInstance(config, context, url) for url in config.instances)
        self._instances = {instance.host: instance for instance in instances}
        self._listings = {listing.name: listing for listing in self._make_listings(saved.seen)}
        self._schedule = PollSchedule(self._intervals(), context.clock, context.sleep)
        for name in self._intervals():
            if name.startswith(FULL_SCAN):
                self._schedule.put_off(name)
        self._holds = Holds(len(self._instances), context.clock)
        self._changes = Changes(MAX_ITEMS)
        self._rejected = Seen(MAX_REJECTED)
        self._owners = Owners(MAX_ITEMS)
        for one in saved.watched:
            if one.host in self._instances:
                self._owners.accept(one.id, one.host, context.now_ms())
        self._posts = Posts(config, saved.watched, context.now_ms)
        self._sizes = CommunitySizes(config.members_hours * 3600, context.clock)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            match await self._schedule.next():
                case name if name == MEMBERS:
                    signals = await self._ask_for_members()
                case name if name == REOBSERVE:
                    signals = await self._ask_for_post()
                case name:
                    signals = await self._read(self._listings[name.removeprefix(FULL_SCAN)], name.startswith(FULL_SCAN))
            if signals is not None:
                return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        for instance in self._instances.values():
            await instance.close()

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return len(self._posts)

    def _make_listings(self, seen: Mapping[str, list[str]]) -> Iterable[Listing]:
        for instance, community in self._places():
            for listing in (
                Listing(instance, "post", "New", community),
                Listing(instance, "post", "NewComments", community),
                Listing(instance, "post", "Hot", community),
                Listing(instance, "comment", "New", community),
            ):
                if self._config.comments or listing.kind == "post":
                    listing.restore(seen.get(listing.name, ()))
                    yield listing

    def _places(self) -> Iterable[tuple[LemmyInstance, str | None]]:
        """Each instance as a whole; or each community, at home if its instance is asked at all, else at the first."""
        if not self._config.communities:
            for instance in self._instances.values():
                yield instance, None
        first = next(iter(self._instances.values()))
        for name in dict.fromkeys(self._config.communities):
            yield self._instances.get(name.partition("@")[2].lower(), first), name

    def _intervals(self) -> dict[str, float]:
        config = self._config
        intervals: dict[str, float] = {}
        for name, listing in self._listings.items():
            match listing.kind, listing.sort:
                case "comment", _:
                    intervals[name] = config.comments_poll_seconds
                case _, "New":
                    intervals[name] = config.posts_poll_seconds
                case _, "NewComments":
                    intervals[name] = config.discussed_poll_seconds
                case _:
                    intervals[name] = config.hot_poll_seconds
        scans = {
            FULL_SCAN + name: config.full_scan_seconds for name, one in self._listings.items() if one.sort == "New"
        }
        return intervals | scans | {REOBSERVE: config.reobserve_seconds, MEMBERS: config.members_seconds}

    def _cursor(self) -> Cursor:
        seen = {name: listing.seen for name, listing in self._listings.items() if listing.sort == "New"}
        return msgspec.json.encode(_Cursor(self._since_ms, seen, self._posts.saved()))

    async def _read(self, listing: Listing, whole: bool) -> Signals | None:
        """Return what is new in a listing; None if its instance wants to be left alone."""
        instance = listing.instance
        if self._holds.holds(instance.host):
            return None
        with self._holds.watching(instance.host):
            if listing.sort != "New":
                reading = await listing.read(1, ALWAYS_MS)
            elif whole:
                reading = await listing.read(self._config.full_scan_pages, self._since_ms, whole=True)
            else:
                reading = await listing.read(self._config.listing_max_pages, self._since_ms)
        # Nothing may fail from here on: items that count as shown would be lost.
        signals = Signals(gaps=int(reading.gap))
        for view in reading.shown:
            signals.extend([self._convert(view, instance, listing)])
        listing.remember(reading)
        self._look_for_missing(listing, reading)
        return signals

    def _convert(self, view: View, instance: LemmyInstance, listing: Listing | None = None) -> Signals:
        """Return the signal of a view if it says something new, and remember it."""
        facts = instance.facts._replace(members=self._sizes.known)
        became = convert(view.raw, view.witnessed_ms, facts)
        if not became.signals:
            new = listing is None or listing.is_new(view)
            return became if new and self._rejected.add(f"{instance.host} {views.key(view.raw)}") else Signals()
        (signal,) = became.signals
        if not self._owners.accept(signal.id, instance.host, view.witnessed_ms, deleted=signal.deleted):
            return Signals()
        self._follow(signal, view, instance)
        return became if self._changes.observe(signal) else Signals()

    def _follow(self, signal: Signal, view: View, instance: LemmyInstance) -> None:
        """Remember what is to be asked for because of a signal."""
        number = views.post_number(view.raw)
        if signal.is_root:
            self._posts.observe(signal, instance.host, number)
        elif number is not None and (signal.thread not in self._changes or views.is_post_gone(view.raw)):
            self._posts.want(Target(signal.thread, instance.host, number))
        place = signal.community
        if place is not None and place.name is not None and place.members is None:
            self._sizes.want(place.name, instance.host)

    def _look_for_missing(self, listing: Listing, reading: Reading) -> None:
        """Ask for posts that are missing from a listing of new posts: most were taken back."""
        if (listing.kind, listing.sort) == ("post", "New"):
            numbers = {number for view in reading.shown if (number := views.post_number(view.raw)) is not None}
            self._posts.want_missing(listing.instance.host, listing.community, reading.oldest_ms, numbers)

    async def _ask_for_post(self) -> Signals | None:
        """Return how a post is now; None if none is due, or its instance wants to be left alone."""
        target = self._posts.next()
        instance = None if target is None else self._instances.get(target.host)
        if target is None or instance is None or self._holds.holds(target.host):
            return None
        with self._holds.watching(target.host):
            try:
                view = await instance.post(target.number)
            except GoneError:
                return self._posts.gone(target, self._now_ms())
        return self._convert(view, instance)

    async def _ask_for_members(self) -> Signals | None:
        """Learn the size of one community; None if all are known, or its instance wants to be left alone."""
        wanted = self._sizes.next()
        if wanted is None or self._holds.holds(wanted[1]):
            return None
        name, host = wanted
        with self._holds.watching(host):
            try:
                self._sizes.learn(name, await self._instances[host].members(name))
            except GoneError:
                self._sizes.learn(name, None)
        return Signals()
