"""The Reddit collector: what to poll, in which order, and how far it has read.

Owns the cursor: the latest seen things of each listing, and the tracked posts. (Reddit's own ``after`` and ``before``
do not serve: the thing that they name may be deleted.) The API and the feeds share it, so a key may be added later.
Must never know PRAW or Atom, nor publish.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Self

import msgspec

from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorContext
from ingest.memory.schedule import PollSchedule
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.reddit import budget
from ingest.platforms.reddit.by_name import ByName
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import PLATFORM, convert, fullname, is_taken_back, link_id, signal_id
from ingest.platforms.reddit.hot_threads import HotThreads
from ingest.platforms.reddit.listing import Listing, Reading, Witnessed
from ingest.platforms.reddit.published import Published
from ingest.platforms.reddit.source import PAGE_ITEMS, Source

REOBSERVE: Final = "reobserve"
FULL_SCAN: Final = "full scan "


class _Cursor(msgspec.Struct):
    """``since_ms``: older things of listings are skipped. The seen-sets, oldest first, and the tracked posts."""

    since_ms: int
    submissions: list[str] = []
    comments: list[str] = []
    watched: list[str] = []


class RedditCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: RedditConfig, cursor: Cursor | None, context: CollectorContext, source: Source) -> None:
        now_ms = context.now_ms
        self._config = config
        self._now_ms = now_ms
        self._source = source
        if cursor is None:
            saved = _Cursor(since_ms=now_ms() - int(config.backfill_hours * HOUR_MS))
        else:
            saved = msgspec.json.decode(cursor, type=_Cursor)
        self._since_ms = saved.since_ms
        self._listings = {
            "submissions": Listing("submissions", source, saved.submissions),
            "comments": Listing("comments", source, saved.comments),
        }
        polls = {"submissions": config.submissions_poll_seconds, "comments": config.comments_poll_seconds}
        if not config.comments:
            del polls["comments"]
        self._poll_seconds = polls
        self._plans = {name: budget.Plan(seconds, config.listing_max_pages) for name, seconds in polls.items()}
        self._is_tight = False
        self._hot_threads = HotThreads()
        self._recovered = 0
        """Comments that threads gave and that the listing has not counted as missed yet."""
        self._schedule = PollSchedule(self._every_seconds(), context.clock, context.sleep)
        if source.has_counts:
            for name in polls:
                self._schedule.put_off(f"{FULL_SCAN}{name}")
        kept_ms = int(config.watch_hours * HOUR_MS)
        self._tracked = TrackedItems(config.watch_max_items, kept_ms)
        self._published = Published(kept_ms, now_ms)
        for names in (saved.watched, saved.submissions, saved.comments):
            self._published.restore(names)
        self._tracked.restore(map(signal_id, saved.watched), now_ms())
        self._by_name = ByName(self._tracked, self._published)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            poll = await self._schedule.next()
            if poll == REOBSERVE:
                most = PAGE_ITEMS if self._is_tight else self._config.reobserve_max_items
                names = self._by_name.due(self._now_ms(), most)
                if not names:
                    continue  # no request was made, so there is no success to report
                signals = await self._ask(names)
            elif (name := poll.removeprefix(FULL_SCAN)) == poll:
                thread = self._hot_thread() if poll == "comments" else None
                if thread is not None:
                    signals = await self._read_thread(thread)
                else:
                    signals = await self._read(poll, pages=self._plans[poll].pages)
            elif self._is_worth_a_scan(name):
                signals = await self._read(name, pages=self._config.listing_max_pages, whole=True)
            else:
                continue
            self._remember(signals)
            return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close connections and end threads."""
        await self._source.close()

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return len(self._tracked)

    def _cursor(self) -> Cursor:
        return msgspec.json.encode(
            _Cursor(
                self._since_ms,
                list(self._listings["submissions"].seen),
                list(self._listings["comments"].seen),
                sorted(map(_fullname, self._tracked.ids())),
            )
        )

    def _every_seconds(self) -> dict[str, float]:
        every_seconds = {name: plan.seconds for name, plan in self._plans.items()}
        if self._source.has_counts:
            every_seconds[REOBSERVE] = self._config.reobserve_seconds
            every_seconds |= {f"{FULL_SCAN}{name}": self._config.sweep_seconds for name in self._plans}
        return every_seconds

    def _is_worth_a_scan(self, name: str) -> bool:
        """Return whether a full scan can find late things: not in a listing that turns over before the next scan."""
        per_second = self._listings[name].growth.per_second or 0.0
        return budget.turnover_seconds(per_second) > self._config.sweep_seconds

    async def _read(self, name: str, *, pages: int, whole: bool = False) -> Signals:
        """Return the new things of a listing; a post that comments answer and that is not known goes before them."""
        listing = self._listings[name]
        reading = await listing.read(self._since_ms, pages, whole=whole)
        fresh = await self._converted(reading.fresh)
        unknown = self._unknown_posts(reading)
        # In a place that is too busy these posts are asked for together, later: replies wait for their post.
        signals = await self._ask([] if self._is_tight else unknown)
        # Nothing may fail from here on: things marked as seen would be lost.
        if self._is_tight:
            self._by_name.add_answered(unknown)
        changed = [item for item in reading.known if self._has_changed(item)]
        signals.extend([fresh, *(self._convert(item.thing, item.witnessed_ms) for item in changed)])
        missed, vanished = listing.accept(reading)
        if name == "comments":
            links = (link for item in reading.fresh if (link := link_id(item.thing)) is not None)
            self._hot_threads.observe(links, missed, self._now_ms())
            recovered = min(missed, self._recovered)
            self._recovered -= recovered
            missed -= recovered
        signals.missed += missed
        signals.gaps += not reading.complete
        self._check(vanished, signals)
        self._plan_polls()
        return signals

    def _hot_thread(self) -> str | None:
        """Return a thread to read instead of the listing, where that is read only in part."""
        if not self._source.has_counts or self._plans["comments"].pages > 1:
            return None
        return self._hot_threads.hottest(self._listings["comments"].growth.per_second or 0.0, self._now_ms())

    async def _read_thread(self, post: str) -> Signals:
        page = await self._source.thread(post)
        signals = Signals()
        for thing in page.things:
            name = fullname(thing) or ""
            if not name.startswith("t1_") or name not in self._published:
                signals.extend([self._convert(thing, page.witnessed_ms)])
        new = sum(not signal.is_root for signal in signals.signals)
        self._recovered += new
        per_second = self._listings["comments"].growth.per_second or 0.0
        self._hot_threads.was_read(post, new, per_second, self._now_ms())
        return signals

    async def _converted(self, items: Sequence[Witnessed]) -> Signals:
        """Return what becomes of things. A thousand take 50 ms, so other tasks get their turn after each page."""
        signals = Signals()
        for start in range(0, len(items), PAGE_ITEMS):
            signals.extend(self._convert(one.thing, one.witnessed_ms) for one in items[start : start + PAGE_ITEMS])
            await asyncio.sleep(0)
        return signals

    def _unknown_posts(self, reading: Reading) -> list[str]:
        if not self._source.has_counts:
            return []
        links = dict.fromkeys(link for item in reading.fresh if (link := link_id(item.thing)) is not None)
        return [link for link in links if not self._published.is_known_post(link)]

    def _has_changed(self, item: Witnessed) -> bool:
        """Return whether a known thing was taken back since its last signal, or has returned."""
        return item.fullname in self._published and is_taken_back(item.thing) != self._published.is_taken_back(
            item.fullname
        )

    def _check(self, vanished: list[str], signals: Signals) -> None:
        """Ask for what has vanished from a listing, or, without a key, take it back."""
        published = [name for name in vanished if name in self._published]
        if not self._source.has_counts:
            gone = (self._published.taken_back(name, self._now_ms()) for name in published)
            signals.signals += [signal for signal in gone if signal is not None]
        elif published:
            self._by_name.add_vanished(published)
            self._schedule.hurry(REOBSERVE)

    async def _ask(self, names: Sequence[str]) -> Signals:
        """Return things as they are now. Each page becomes signals at once: 100 things are large."""
        signals = Signals()
        given: set[str] = set()
        for start in range(0, len(names), PAGE_ITEMS):
            page = await self._source.info(names[start : start + PAGE_ITEMS])
            signals.extend(self._convert(thing, page.witnessed_ms) for thing in page.things)
            given.update(name for thing in page.things if (name := fullname(thing)) is not None)
        signals.signals += self._by_name.settle(names, given, self._now_ms())
        return signals

    def _convert(self, thing: object, witnessed_ms: int) -> Signals:
        return convert(thing, witnessed_ms, fullname(thing) in self._published)

    def _remember(self, signals: Signals) -> None:
        storable = [signal for signal in signals.signals if signal.id.isascii()]  # any other is rejected
        self._published.record(storable)
        if self._source.has_counts:
            for signal in storable:
                if signal.is_root:
                    self._tracked.observe(signal)

    def _plan_polls(self) -> None:
        """Share the requests of a minute out again: places become busy, and quiet."""
        requests_per_minute = self._config.requests_per_minute
        rates = {name: self._listings[name].growth.per_second or 0.0 for name in self._poll_seconds}
        needs = {name: budget.pages_needed(rate) for name, rate in rates.items()}
        needs["submissions"] = budget.fresh_pages_needed(
            rates["submissions"], self._poll_seconds["submissions"], requests_per_minute
        )
        if self._source.has_counts:
            by_name = self._by_name.requests_per_minute
            self._is_tight = sum(needs.values()) + by_name > requests_per_minute
            by_name = min(by_name, budget.REOBSERVE_SHARE * requests_per_minute)
            needs = {"submissions": needs["submissions"], REOBSERVE: by_name, **needs}  # in order of value
        shares = budget.shares(requests_per_minute, needs)
        for name, seconds in self._poll_seconds.items():
            plan = self._plans[name] = budget.plan(
                rates[name],
                seconds,
                shares[name],
                max_pages=self._config.listing_max_pages,
                request_seconds=60 / requests_per_minute,
                takes_the_rest=name == "comments",
            )
            self._schedule.change(name, plan.seconds)


def _fullname(id_: str) -> str:
    return id_.removeprefix(f"{PLATFORM}:")
