"""The Hacker News collector: what to poll, in which order, and how far it has read.

Owns the cursor: the next id to read (ids are given out in sequence), the ids still missing, the tracked stories, and
how far the past was read. Must never know HTTP, nor publish.
"""

import math
from collections.abc import Iterable
from typing import Final, Self

import msgspec

from ingest.batch import Batch, Cursor, Ignored, Signals, Unreadable
from ingest.collector import CollectorContext
from ingest.memory.schedule import PollSchedule
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.hackernews.client import HackerNewsClient
from ingest.platforms.hackernews.config import HackerNewsConfig
from ingest.platforms.hackernews.convert import PLATFORM, convert, signal_id
from ingest.platforms.hackernews.missing import MissingItems
from ingest.platforms.hackernews.past import Past
from ingest.platforms.hackernews.published import Published
from ingest.platforms.hackernews.threads import Threads

MAX_MISSING: Final = 2_000
"""Most missing items. With more the platform is ill: nothing new is read until they come or are dropped."""
RECENT_ITEMS: Final = 100
"""How far behind the newest an item may still come; one that is missing further back never does."""


class _Cursor(msgspec.Struct):
    """``next_id``: all ids from ``since_id`` on were read, except for ``missing``; None before the first poll.

    ``past_s``: from when until when the past is still to be read, in seconds since 1970; None when all of it was read.
    """

    next_id: int | None = None
    missing: list[int] = []
    watched: list[int] = []
    since_id: int | None = None
    past_s: tuple[int, int] | None = None


class HackerNewsCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: HackerNewsConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        if cursor is None:
            now_s = context.now_ms() // 1_000
            hours = config.backfill_hours
            saved = _Cursor(past_s=(now_s - int(hours * 3_600), now_s) if hours else None)
        else:
            saved = msgspec.json.decode(cursor, type=_Cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._client = HackerNewsClient(config, context)
        every_seconds = {
            "new": config.poll_seconds,
            "front_page": config.front_page_seconds,
            "updates": config.updates_seconds,
            "reobserve": config.reobserve_seconds,
        }
        self._past: Past | None = None
        if saved.past_s is not None:
            self._past = Past(config, context, *saved.past_s)
            every_seconds["past"] = config.poll_seconds
        self._schedule = PollSchedule(every_seconds, context.clock, context.sleep)
        kept_ms = int(config.watch_hours * HOUR_MS)
        self._threads = Threads(kept_ms, context.now_ms)
        self._missing = MissingItems(
            config.missing_retry_seconds, config.missing_max_tries, context.clock, saved.missing
        )
        self._tracked = TrackedItems(config.watch_max_items, kept_ms)
        self._tracked.restore(map(signal_id, saved.watched), context.now_ms())
        self._published = Published(saved.since_id, saved.watched)
        self._next_id = saved.next_id
        self._newest_id = 0
        self._times_ahead = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            match await self._schedule.next():
                case "new":
                    signals = await self._new()
                case "front_page":
                    signals = await self._front_pages()
                case "updates":
                    signals = await self._poll(filter(self._was_read, await self._client.updated()))
                case "past":
                    signals = await self._read_past()
                case _:
                    due = self._tracked.due(self._now_ms(), self._config.reobserve_max_items)
                    if not due:
                        continue  # no request was made, so there is no success to report
                    signals = await self._poll(map(_item_id, due))
            return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._past is not None:
            await self._past.close()

    @property
    def tracked_items(self) -> int:
        """How many stories are polled again for their counts."""
        return len(self._tracked)

    def _cursor(self) -> Cursor:
        watched = sorted(map(_item_id, self._tracked.ids()))
        past_s = None if self._past is None else (self._past.from_s, self._past.until_s)
        since_id = self._published.since_id
        return msgspec.json.encode(_Cursor(self._next_id, self._missing.ids(), watched, since_id, past_s))

    async def _front_pages(self) -> Signals:
        ids: list[int] = []
        for name in self._config.front_page_lists:
            ids += (await self._client.front_page(name))[: self._config.front_page_items]
        return await self._poll(ids)

    async def _read_past(self) -> Signals:
        """Read a window of the past: what was missed before the first start."""
        if self._past is None:
            return Signals()
        items, witnessed_ms, more = await self._past.next()
        signals = Signals(gaps=int(more))
        for item, root_id in items:
            became = convert(item, witnessed_ms, root_id)
            for signal in became.signals:
                self._threads.remember(_item_id(signal.id), _item_id(signal.thread))
            self._track(became)
            signals.extend([became])
        if self._past.is_read:
            await self._past.close()
            self._past = None
            self._schedule.change("past", math.inf)
        else:
            self._schedule.hurry("past")
        return signals

    async def _new(self) -> Signals:
        """Read the items after the last one read, and ask again for those that were missing."""
        self._newest_id = newest_id = await self._believable_newest_id()
        if newest_id == 0:
            return Signals()  # the platform is empty
        next_id = newest_id + 1 - self._config.backfill_items if self._next_id is None else self._next_id
        begin_id = max(1, next_id, newest_id + 1 - self._config.catch_up_max_items)
        max_items = self._config.batch_max_items
        end_id = min(newest_id + 1, begin_id + max(0, min(max_items, MAX_MISSING - len(self._missing))))
        signals = await self._poll([*self._missing.due()[:max_items], *range(begin_id, end_id)])
        signals.gaps += self._next_id is not None and begin_id > next_id
        if self._published.since_id is None:
            self._published.since_id = begin_id
        self._next_id = max(begin_id, end_id)
        if end_id <= newest_id and len(self._missing) < MAX_MISSING:
            self._schedule.hurry("new")
        return signals

    async def _believable_newest_id(self) -> int:
        """Return the newest id; a leap only if a second answer confirms it, and a way back only the second time.

        After a false answer far too high the collector would wait for items that come in years.
        """
        newest_id = await self._client.newest_id()
        if self._next_id is None:
            return newest_id
        if newest_id > self._next_id + self._config.catch_up_max_items:
            newest_id = min(newest_id, await self._client.newest_id())
        self._times_ahead = self._times_ahead + 1 if self._next_id > newest_id + 1 else 0
        if self._times_ahead > 1:
            self._next_id = newest_id + 1
        return newest_id

    def _was_read(self, id_: int) -> bool:
        """Return whether a changed item was read before. Comments change too: they are edited, deleted and killed."""
        return self._next_id is not None and id_ < self._next_id

    async def _poll(self, ids: Iterable[int]) -> Signals:
        """Fetch items, and the ancestors of comments; return posts first, then replies, oldest first.

        Raises:
            CollectError: not one of the items could be had, so the platform is ill and not the items.
        """
        fetched = await self._client.items(dict.fromkeys(ids))
        if fetched.failed and not fetched.items:
            raise next(iter(fetched.failed.values()))
        rootless = await self._threads.fetch_ancestors(fetched.items, self._client)
        # Nothing may fail from here on: the state would be ahead of the signals.
        failed = {id_: str(error) for id_, error in fetched.failed.items()}
        failed |= dict.fromkeys(rootless, "an ancestor could not be fetched")
        signals = Signals()
        for id_, item in sorted(fetched.items.items()):
            if id_ in failed:
                continue
            root_id = self._threads.root_id(id_, fetched.items)
            published = id_ not in self._missing and self._published.contains(id_, self._next_id)
            became = convert(item.json, item.witnessed_ms, root_id, published)
            if became.ignored.keys() & {Ignored.MISSING, Ignored.ORPHAN} and self._may_still_come(id_):
                continue
            self._missing.discard(id_)
            if root_id is not None:
                self._threads.remember(id_, root_id)
            if became.ignored:
                self._published.ignore(id_)
                self._tracked.remove(signal_id(id_))
            self._track(became)
            signals.extend([became])
        for id_, why in failed.items():
            if not self._missing.add(id_):
                signals.unreadable.append(Unreadable.of({"id": id_}, "not_fetched", why))
        signals.signals.sort(key=lambda signal: (not signal.is_root, _item_id(signal.id)))
        return signals

    def _may_still_come(self, id_: int) -> bool:
        return id_ > self._newest_id - RECENT_ITEMS and self._missing.add(id_)

    def _track(self, became: Signals) -> None:
        for signal in became.signals:
            self._published.add(_item_id(signal.id))
            if signal.is_root:
                self._tracked.observe(signal)


def _item_id(id_: str) -> int:
    return int(id_.removeprefix(f"{PLATFORM}:"))
