"""The YouTube collector: what to poll, in which order, and what it has spent.

Owns the cursor: the videos seen in feeds, the tracked videos, and the quota. Must never know HTTP, nor publish.

When the quota is spent, the feeds go on: they cost nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Iterator
from datetime import datetime
from typing import Final, Self

import msgspec

from ingest import metrics
from ingest.batch import Batch, Cursor, Signals, as_json
from ingest.collector import CollectorContext
from ingest.errors import COLLECT_ERRORS
from ingest.fields import taken_back, utc_ms
from ingest.memory.schedule import PollSchedule
from ingest.memory.seen import Seen
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.youtube.answers import NoCommentsError, QuotaSpentError, Resources
from ingest.platforms.youtube.client import LIST_IDS, YouTubeClient
from ingest.platforms.youtube.config import YouTubeConfig
from ingest.platforms.youtube.convert import PLATFORM, convert, count, native_id, signal_id
from ingest.platforms.youtube.cursor import PACIFIC, Saved, load, quota
from ingest.platforms.youtube.videos import Videos
from transport.errors import SlowDownError, UserError

FEED_VIDEOS: Final = 15
"""Videos in a feed: no more are shown, however many there are."""
SEEN_PER_CHANNEL: Final = 40
HOUR_SECONDS: Final = 3_600.0
LONGEST_PAUSE_SECONDS: Final = 90.0
"""A feed is read at least so often, however few channels there are: it shows that the collector works."""
PAUSE_SECONDS: Final = 1.0
"""Pause after the quota is spent: what costs nothing goes on."""


class YouTubeCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: YouTubeConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = load(cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._client = YouTubeClient(config, context)
        polls = {
            "channels": config.channels_hours * HOUR_SECONDS,
            "feeds": min(config.feed_seconds / len(config.channels), LONGEST_PAUSE_SECONDS),
            "reobserve": config.reobserve_seconds,
        }
        if config.comments:
            polls["comments"] = config.comments_seconds
        self._schedule = PollSchedule(polls, context.clock, context.sleep)
        self._kept_ms = int(config.watch_hours * HOUR_MS)
        self._tracked = TrackedItems(config.watch_max_items, self._kept_ms)
        self._tracked.restore((signal_id(video.id) for video in saved.videos), context.now_ms())
        self._videos = Videos(saved.videos)
        self._seen = Seen(SEEN_PER_CHANNEL * len(config.channels), saved.seen)
        self._read = {channel for channel in saved.read if channel in config.channels}
        self._turn = 0
        self._members: dict[str, int | None] = {}
        self._quota = quota(config, saved.spent)
        self._reported_ms = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            match await self._schedule.next():
                case "channels":
                    signals = await self._channels()
                case "feeds":
                    signals = await self._feed()
                case "reobserve":
                    signals = await self._reobserve()
                case _:
                    signals = await self._comments()
            if signals is not None:  # else no request was made, so there is no success to report
                return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def tracked_items(self) -> int:
        """How many videos are polled again for their counts."""
        return len(self._tracked)

    def _cursor(self) -> Cursor:
        now_ms = self._now_ms()
        line = self._quota.line("units_per_day", now_ms)
        metrics.BUDGET_LIMIT.labels(PLATFORM, line.option).set(line.limit)
        metrics.BUDGET_SPENT.labels(PLATFORM, line.option).set(line.spent)
        self._videos.keep(map(native_id, self._tracked.ids()))
        return msgspec.json.encode(
            Saved(self._quota.saved(now_ms), list(self._seen), sorted(self._read), self._videos.saved())
        )

    async def _channels(self) -> Signals | None:
        """Ask for the channels' subscribers."""
        if not self._may_ask():
            return None
        members: dict[str, int | None] = {}
        try:
            for begin in range(0, len(self._config.channels), LIST_IDS):
                page = await self._ask(self._client.channels(self._config.channels[begin : begin + LIST_IDS]))
                members.update(filter(None, map(_members, page.items)))
        except COLLECT_ERRORS:
            self._schedule.hurry("channels")
            raise
        if not members:
            raise UserError("YouTube knows none of the channels; check the option channels")
        self._members = members
        return Signals()

    async def _feed(self) -> Signals:
        """Read the feed of the channel whose turn it is."""
        channel = self._config.channels[self._turn % len(self._config.channels)]
        self._turn += 1  # also after a failure: one channel must not keep the others waiting
        if self._turn < len(self._config.channels):
            self._schedule.hurry("feeds")  # after a start, all feeds are read at once
        page = await self._client.feed(channel)
        new = {_key(raw): raw for raw in reversed(page.items) if _key(raw) not in self._seen}
        signals = Signals(gaps=int(channel in self._read and len(new) >= FEED_VIDEOS))
        for key, raw in new.items():
            became = convert(raw, page.witnessed_ms, self._members)
            for signal in became.signals:
                if page.witnessed_ms - signal.created_ms < self._kept_ms:
                    self._videos.observe(key, signal)
                    self._tracked.restore([signal.id], page.witnessed_ms)  # due at once: the feed lacks most counts
                    signals.signals.append(signal)
            signals.unreadable += became.unreadable
            self._seen.add(key)
        self._read.add(channel)
        return signals

    async def _reobserve(self) -> Signals | None:
        """Poll the tracked videos that are due."""
        if not self._may_ask() or not (due := self._tracked.due(self._now_ms(), LIST_IDS)):
            return None
        ids = list(map(native_id, due))
        try:
            page = await self._ask(self._client.videos(ids))
        except COLLECT_ERRORS:
            self._tracked.restore(due, self._now_ms())
            raise
        signals = Signals()
        signals.extend(convert(raw, page.witnessed_ms, self._members) for raw in page.items)
        for signal in signals.signals:
            self._videos.observe(native_id(signal.id), signal)
            self._tracked.observe(signal)
        for id_ in sorted({*ids} - {*map(_key, page.items)}):
            video = self._videos.get(id_)
            if self._videos.missed(id_) and video is not None:
                gone, counts = signal_id(id_), self._videos.counts(id_)
                signals.signals.append(taken_back(gone, gone, video.created_ms, page.witnessed_ms, counts=counts))
                self._tracked.remove(gone)
        return signals

    async def _comments(self) -> Signals | None:
        """Read the new comments of the video that has most of them."""
        if not self._may_ask() or (video := self._videos.most_commented()) is None:
            return None
        there = self._videos.counts(video.id).replies
        signals = Signals()
        newest_ms, token = video.newest_ms, None
        for _ in range(self._config.comments_max_pages):
            try:
                page = await self._ask(self._client.comments(video.id, token))
            except NoCommentsError:
                video.comments = False
                break
            threads = [(_published_ms(thread), list(_flattened(thread))) for thread in page.items]
            for raw in (raw for _, comments in threads for raw in comments):
                at_ms = _published_ms(raw)
                if at_ms is None or at_ms >= video.newest_ms:
                    signals.extend([convert(raw, page.witnessed_ms)])
                    newest_ms = max(newest_ms, min(at_ms or 0, page.witnessed_ms))
            token = page.next_token
            reached = any(at_ms is not None and at_ms < video.newest_ms for at_ms, _ in threads)
            if token is None or reached or not self._quota.left(self._now_ms()):
                break
        else:
            signals.gaps += int(video.newest_ms > 0)
        video.comments_read, video.newest_ms = there, newest_ms
        signals.signals.sort(key=lambda signal: signal.created_ms)
        return signals

    def _may_ask(self) -> bool:
        """Return whether the quota allows a request.

        Raises:
            SlowDownError: it does not any more; reported once a day.
        """
        now_ms = self._now_ms()
        if self._quota.left(now_ms):
            return True
        until_ms = now_ms + self._quota.resets_in_ms(now_ms)
        if self._reported_ms < now_ms:
            self._reported_ms = until_ms
            until = datetime.fromtimestamp(until_ms / 1000, PACIFIC).strftime("%Y-%m-%d %H:%M %Z")
            raise SlowDownError(
                f"the quota of YouTube is spent until {until}; until then only the feeds are read. Ask Google for more"
                " units, or raise reobserve_seconds and comments_seconds",
                PAUSE_SECONDS,
            )
        return False

    async def _ask(self, request: Awaitable[Resources]) -> Resources:
        """Spend a unit, whatever comes of it, and return the answer."""
        self._quota.spend(1, self._now_ms())
        try:
            return await request
        except QuotaSpentError:
            self._quota.at_least(self._config.units_per_day, self._now_ms())
            self._may_ask()
            raise


def _members(channel: object) -> tuple[str, int | None] | None:
    """Return the id of a channel and its subscribers, None if it hides them; None if it is no channel."""
    id_ = channel.get("id") if isinstance(channel, dict) else None
    statistics = channel.get("statistics") if isinstance(channel, dict) else None
    if not isinstance(id_, str):
        return None
    subscribers = statistics.get("subscriberCount") if isinstance(statistics, dict) else None
    try:
        return id_, count(subscribers) if isinstance(subscribers, int | str) else None
    except ValueError:
        return id_, None


def _flattened(thread: object) -> Iterator[object]:
    """Yield the comments of a thread: the first one, and the answers to it that came along."""
    snippet = thread.get("snippet") if isinstance(thread, dict) else None
    if not isinstance(snippet, dict) or "topLevelComment" not in snippet:
        yield thread  # no thread; convert says what is wrong with it
        return
    yield snippet["topLevelComment"]
    answers = thread.get("replies") if isinstance(thread, dict) else None
    comments = answers.get("comments") if isinstance(answers, dict) else None
    if isinstance(comments, list):
        yield from comments


def _published_ms(raw: object) -> int | None:
    """Return when a comment, or the first one of a thread, was written; None if it does not say."""
    snippet = raw.get("snippet") if isinstance(raw, dict) else None
    if isinstance(snippet, dict) and "topLevelComment" in snippet:
        return _published_ms(snippet["topLevelComment"])
    published = snippet.get("publishedAt") if isinstance(snippet, dict) else None
    try:
        return utc_ms(published) if isinstance(published, str) else None
    except (ValueError, OverflowError):
        return None


def _key(raw: object) -> str:
    """Return the id of a video; of what has none, something that is the same the next time."""
    id_ = raw.get("id") if isinstance(raw, dict) else None
    return id_ if isinstance(id_, str) and len(id_) <= 64 else hashlib.sha256(as_json(raw)).hexdigest()[:32]
