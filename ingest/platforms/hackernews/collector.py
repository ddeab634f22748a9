"""The Hacker News collector: what to poll, in which order, and how far it has read.

Owns the cursor: the next id to read (ids are given out in sequence), the ids still missing, and the tracked stories.
Must never know HTTP, nor publish.
"""

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
from ingest.platforms.hackernews.threads import Threads

MAX_MISSING: Final = 2_000
"""Most missing items. With more the platform is ill: nothing new is read until they come or are dropped."""
RECENT_ITEMS: Final = 100
"""How far behind the newest an item may still come; one that is missing further back never does."""


class _Cursor(msgspec.Struct):
    """``next_id``: all ids below were read, except for ``missing``; None before the first poll."""

    next_id: int | None = None
    missing: list[int] = []
    watched: list[int] = []


class HackerNewsCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: HackerNewsConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._client = HackerNewsClient(config, context)
        self._schedule = PollSchedule(
            {
                "new": config.poll_seconds,
                "front_page": config.front_page_seconds,
                "updates": config.updates_seconds,
                "reobserve": config.reobserve_seconds,
            },
            context.clock,
            context.sleep,
        )
        kept_ms = int(config.watch_hours * HOUR_MS)
        self._threads = Threads(kept_ms, context.now_ms)
        self._missing = MissingItems(
            config.missing_retry_seconds, config.missing_max_tries, context.clock, saved.missing
        )
        self._tracked = TrackedItems(config.watch_max_items, kept_ms)
        self._tracked.restore(map(signal_id, saved.watched), context.now_ms())
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
                    signals = await self._poll((await self._client.front_page())[: self._config.front_page_items])
                case "updates":
                    signals = await self._poll(filter(self._may_count, await self._client.updated()))
                case _:
                    due = self._tracked.due(self._now_ms(), self._config.reobserve_max_items)
                    if not due:
                        continue  # no request was made, so there is no success to report
                    signals = await self._poll(map(_item_id, due))
            return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def tracked_items(self) -> int:
        """How many stories are polled again for their counts."""
        return len(self._tracked)

    def _cursor(self) -> Cursor:
        watched = sorted(map(_item_id, self._tracked.ids()))
        return msgspec.json.encode(_Cursor(self._next_id, self._missing.ids(), watched))

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

    def _may_count(self, id_: int) -> bool:
        """Return whether a changed item is worth a request: it was read before, and may have counts."""
        return self._next_id is not None and id_ < self._next_id and not self._threads.is_known_comment(id_)

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
            became = convert(item.json, item.witnessed_ms, root_id)
            if became.ignored.keys() & {Ignored.MISSING, Ignored.ORPHAN} and self._may_still_come(id_):
                continue
            self._missing.discard(id_)
            if root_id is not None:
                self._threads.remember(id_, root_id)
            self._track(id_, became)
            signals.extend([became])
        for id_, why in failed.items():
            if not self._missing.add(id_):
                signals.unreadable.append(Unreadable.of({"id": id_}, "not_fetched", why))
        signals.signals.sort(key=lambda signal: (not signal.is_root, _item_id(signal.id)))
        return signals

    def _may_still_come(self, id_: int) -> bool:
        return id_ > self._newest_id - RECENT_ITEMS and self._missing.add(id_)

    def _track(self, id_: int, became: Signals) -> None:
        for signal in became.signals:
            if signal.is_root:
                self._tracked.observe(signal)
        if became.ignored:
            self._tracked.remove(signal_id(id_))


def _item_id(id_: str) -> int:
    return int(id_.removeprefix(f"{PLATFORM}:"))
