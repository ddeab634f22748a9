"""The Bluesky collector: it listens to the firehose, and polls the counts and the authors of what it published.

Owns the cursor: the place in a host's stream, the latest threads and items that were published, and the tracked posts.
Must never know HTTP, nor publish.
"""

from typing import Self

import msgspec

from ingest.batch import Batch, Cursor, Ignored, Signals
from ingest.collector import CollectorContext
from ingest.memory.schedule import PollSchedule
from ingest.memory.tracked import HOUR_MS
from ingest.platforms.bluesky.client import AppView
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.counts import TrackedPosts
from ingest.platforms.bluesky.hosts import Place
from ingest.platforms.bluesky.known import Kind
from ingest.platforms.bluesky.listener import Listener
from ingest.platforms.bluesky.profiles import Profiles
from ingest.platforms.bluesky.published import Published
from ingest.platforms.bluesky.selection import Selection


class _Cursor(msgspec.Struct):
    """``place``: everything before it was read; None before the first event."""

    place: Place | None = None
    threads: str = ""
    items: list[tuple[str, Kind, str]] = []
    watched: list[str] = []


class BlueskyCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: BlueskyConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._now_ms, self._clock, self._relevance = context.now_ms, context.clock, context.relevance
        self._schedule = PollSchedule(
            {"events": config.batch_seconds, "counts": config.reobserve_seconds, "profiles": config.profiles_seconds},
            context.clock,
            context.sleep,
        )
        self._published = Published(config.threads_max, config.deletable_max_items, saved.threads, saved.items)
        self._profiles = Profiles(int(config.profile_hours * HOUR_MS), context.now_ms)
        self._tracked = TrackedPosts(config, self._published, self._profiles, saved.watched, context.now_ms())
        self._selection = Selection(config, context.relevance, self._published, self._profiles)
        self._listener = Listener(config, saved.place, context)
        self._appview = AppView(config, context)
        self._save_seconds = config.save_seconds
        self._max_items = config.batch_max_items
        self._saved = b""
        self._saved_at = 0.0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            signals: Signals | None
            match await self._schedule.next():
                case "events":
                    signals = await self._events()
                case "counts":
                    signals = await self._tracked.poll(self._appview, self._now_ms())
                case _:
                    self._profiles.know(self._relevance.accounts)
                    signals = Signals() if await self._profiles.fetch(self._appview) else None
            if signals is not None:  # else no request was made, so there is no success to report
                return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._listener.close()
        await self._appview.close()

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return len(self._tracked)

    async def _events(self) -> Signals:
        """Read what came from the firehose."""
        events, unreadable = await self._listener.listen()
        # Nothing may fail from here on: the state would be ahead of the signals.
        signals = Signals(unreadable=unreadable, gaps=self._listener.hosts.take_gaps())
        signals.extend(map(self._selection.take, events))
        if late := self._selection.drop_late(self._now_ms()):
            signals.ignored[Ignored.IRRELEVANT] += late
        self._tracked.follow(signals)
        if len(events) >= self._max_items:
            self._schedule.hurry("events")
        return signals

    def _cursor(self) -> Cursor:
        """Return how far everything was read. It moves on every few seconds only, since it is large.

        A reply that waits for its thread is read again after a restart, with all that came after it.
        """
        now = self._clock()
        if not self._saved or now - self._saved_at >= self._save_seconds:
            waiting = self._selection.oldest_waiting
            place = self._listener.hosts.place if waiting is None else waiting.place
            threads, items = self._published.saved()
            self._saved = msgspec.json.encode(_Cursor(place, threads, items, self._tracked.ids()))
            self._saved_at = now
        return self._saved
