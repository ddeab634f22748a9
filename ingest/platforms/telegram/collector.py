"""The Telegram collector: which page to read when, and how far each channel was read.

Owns the cursor: by channel, the highest number that was read and the tracked messages. Must never know HTTP nor HTML,
nor publish.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec
import structlog

from ingest.batch import Batch, Cursor, Ignored, Signals
from ingest.collector import CollectorContext
from ingest.memory.schedule import PollSchedule
from ingest.memory.seen import Seen
from ingest.memory.tracked import HOUR_MS
from ingest.platforms.telegram.client import Fetched, TelegramClient
from ingest.platforms.telegram.config import TelegramConfig
from ingest.platforms.telegram.convert import PLATFORM, convert, name_of
from ingest.platforms.telegram.known import KnownChannel, digest
from ingest.platforms.telegram.page import Channel
from transport.errors import UserError

__all__ = ["TelegramCollector"]

OLDER: Final = "older "
MAX_NAMELESS: Final = 1_000
"""Messages without a usable name that were reported already. The page shows them in each poll."""
MIN_TRACKED: Final = 20
"""A channel tracks at least the messages of its newest page."""

log = structlog.get_logger(__name__, collector=PLATFORM)


class _Cursor(msgspec.Struct):
    channels: dict[str, KnownChannel] = {}


@dataclass(slots=True)
class _Run:
    """Pages that follow one another, newest first. ``nameless``: messages without a usable name."""

    witnessed_ms: int
    channel: Channel = field(default_factory=Channel)
    messages: dict[int, dict[str, object]] = field(default_factory=dict)
    nameless: list[dict[str, object]] = field(default_factory=list)

    def add(self, fetched: Fetched) -> bool:
        """Add a page; return whether it reaches further back."""
        lowest = min(self.messages, default=None)
        for message in fetched.page.messages:
            name = name_of(message)
            if name is None:
                self.nameless.append(message)
            else:
                self.messages.setdefault(name.number, message)
        return bool(self.messages) and (lowest is None or min(self.messages) < lowest)


class TelegramCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: TelegramConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._client = TelegramClient(config, context)
        names = list(dict.fromkeys(name.lower() for name in config.channels))
        self._channels = {name: saved.channels.get(name) or KnownChannel() for name in names}
        self._collected = frozenset(names)
        self._schedule = PollSchedule(
            dict.fromkeys(names, config.poll_seconds) | {OLDER + name: config.reobserve_seconds for name in names},
            context.clock,
            context.sleep,
        )
        for name in names:
            self._schedule.put_off(OLDER + name)
        self._newest_page: dict[str, int] = {}
        self._without_preview: set[str] = set()
        self._nameless = Seen(MAX_NAMELESS)
        self._since_ms = context.now_ms() - int(config.backfill_hours * HOUR_MS)
        self._max_tracked = max(MIN_TRACKED, config.watch_max_items // len(names))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            poll = await self._schedule.next()
            channel = poll.removeprefix(OLDER)
            if poll == channel:
                signals = await self._newest(channel)
            elif (before := self._before_newest_page(channel)) is not None:
                signals = await self._older(channel, before)
            else:
                continue  # no request was made, so there is no success to report
            return Batch(signals, msgspec.json.encode(_Cursor(self._channels)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def tracked_items(self) -> int:
        """How many messages are polled again for their counts."""
        return sum(len(known.tracked) for known in self._channels.values())

    async def _newest(self, channel: str) -> Signals:
        """Read the newest page, and older ones back to what was read before."""
        known = self._channels[channel]
        newest = await self._client.page(channel)
        if newest is None:
            return self._no_preview(channel)
        run = _Run(newest.witnessed_ms, newest.page.channel)
        reaches_back = run.add(newest)
        first_page = min(run.messages, default=0)
        pages = 1
        while reaches_back and self._lacks(known, run) and pages < self._config.catch_up_max_pages:
            older = await self._client.page(channel, min(run.messages))
            reaches_back = older is not None and run.add(older)
            pages += 1
        missed = reaches_back and known.last is not None and self._lacks(known, run)
        # Nothing may fail from here on: what counts as read would be lost.
        if channel in self._without_preview:
            self._without_preview.discard(channel)
            log.info("channel shows a public preview again", channel=channel)
        self._newest_page[channel] = first_page
        missing = 0 if missed else known.missing(run.messages)
        signals = self._compare(channel, run)
        signals.gaps += missed
        if missing:
            signals.ignored += Counter({Ignored.MISSING: missing})
        return signals

    async def _older(self, channel: str, before: int) -> Signals:
        """Read pages again that are no longer the newest, as far as messages on them are tracked."""
        run = _Run(self._now_ms())
        oldest = min(self._channels[channel].tracked)
        for _ in range(self._config.reobserve_max_pages):
            older = await self._client.page(channel, before)
            if older is None or not run.add(older):
                break
            run.witnessed_ms, run.channel = older.witnessed_ms, older.page.channel
            before = min(run.messages)
            if before <= oldest:
                break
        return self._compare(channel, run)

    def _before_newest_page(self, channel: str) -> int | None:
        """Return where the page before the newest ends; None if no tracked message is there."""
        before = self._newest_page.get(channel)
        tracked = self._channels[channel].tracked
        return before if before is not None and tracked and min(tracked) < before else None

    def _lacks(self, known: KnownChannel, run: _Run) -> bool:
        """Return whether messages that were never read may stand before those of the run."""
        oldest = min(run.messages)
        if known.last is not None:
            return oldest > known.last + 1
        return oldest > 1 and len(known.changed({oldest: run.messages[oldest]}, self._since_ms)) > 0

    def _compare(self, channel: str, run: _Run) -> Signals:
        """Return what a run shows that was not known, and record it."""
        known = self._channels[channel]
        found = [*known.changed(run.messages, self._since_ms), *known.gone(channel, run.messages)]
        found += [message for message in run.nameless if self._nameless.add(digest(message))]
        known.observe(run.messages, self._since_ms)
        known.trim(self._max_tracked, self._now_ms() - int(self._config.watch_hours * HOUR_MS))
        signals = Signals()
        signals.extend(convert(message, run.witnessed_ms, run.channel, self._collected) for message in found)
        return signals

    def _no_preview(self, channel: str) -> Signals:
        """Report once that a channel cannot be read.

        Raises:
            UserError: no channel can.
        """
        if channel not in self._without_preview:
            self._without_preview.add(channel)
            advice = "channel shows no public preview: it is private, renamed or no channel; check the option channels"
            log.warning(advice, channel=channel)
        if len(self._without_preview) == len(self._channels):
            raise UserError("no channel shows a public preview: check the option channels of [collect.telegram]")
        return Signals()
