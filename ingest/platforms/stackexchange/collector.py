"""The Stack Exchange collector: which site to ask next, and how far it has read.

Owns the cursor: the requests of the last day, the filter, and each site's watermark and tracked questions. Must never
know HTTP, nor publish.

Growth: one request shows the 100 questions of a site with the latest activity, with all that is below them and all
counts. Tracked questions that it shows no more are asked for together, now and then: those that do not come are gone.
"""

import asyncio
import hashlib
from typing import Final, NamedTuple, Self

import msgspec

from ingest import metrics
from ingest.batch import Batch, Cursor, Signals, as_json
from ingest.collector import CollectorContext
from ingest.memory.changes import Changes
from ingest.memory.seen import Seen
from ingest.platforms.stackexchange.client import BY_NUMBER, StackExchangeClient, listing_method
from ingest.platforms.stackexchange.config import StackExchangeConfig
from ingest.platforms.stackexchange.convert import PLATFORM, convert, number, parts
from ingest.platforms.stackexchange.cursor import OPTION, SavedCursor, SavedSite, load
from ingest.platforms.stackexchange.daily_requests import DailyRequests
from ingest.platforms.stackexchange.questions import Questions
from ingest.platforms.stackexchange.site_schedule import SiteSchedule

MAX_ITEMS: Final = 50_000
"""Items whose last signal is remembered, in some 10 MB: more than 50 sites show."""
MAX_REJECTED: Final = 1_000
"""Unreadable items that are remembered, so that each is one dead letter however often listings show it."""
MAX_UNSAVED: Final = 10
"""Failed requests after which the cursor is saved: a crash must not make the collector forget requests."""
SCARCE: Final = 5
"""With fewer than one in so many of the daily requests left, polls become rarer."""


class _Converted(NamedTuple):
    question: object
    became: list[tuple[object, Signals]]


class StackExchangeCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: StackExchangeConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = load(cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._clock = context.clock
        self._requests = DailyRequests(config.requests_per_day, saved.requests)
        self._client = StackExchangeClient(config, context, self._requests, saved.filter)
        self._sites = {
            name: Questions(name, tags, config, saved.sites.get(name, SavedSite()), context.now_ms)
            for name, tags in config.sites.items()
        }
        self._schedule = SiteSchedule(self._sites, config.poll_seconds, context.clock, context.sleep)
        self._checks_due_at = dict.fromkeys(self._sites, context.clock() + config.check_hours * 3600)
        self._changes = Changes(MAX_ITEMS)
        self._rejected = Seen(MAX_REJECTED)
        metrics.BUDGET_LIMIT.labels(PLATFORM, OPTION).set(config.requests_per_day)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        if self._client.unsaved >= MAX_UNSAVED:
            return Batch(Signals(), self._cursor())
        while True:
            site = self._sites[await self._schedule.next(self._requests_per_day())]
            check = self._clock() >= self._checks_due_at[site.name] and bool(site.unlisted())
            wait_seconds = self._client.free_in_seconds(BY_NUMBER if check else listing_method(site.tags))
            if wait_seconds:
                self._schedule.delay(site.name, wait_seconds)
                continue
            signals = await (self._check(site) if check else self._read(site))
            return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def tracked_items(self) -> int:
        """How many questions are polled again for their counts."""
        return sum(map(len, self._sites.values()))

    def _cursor(self) -> Cursor:
        """Return the cursor. As many requests as may be sent before the next one count as sent."""
        self._client.unsaved = 0
        now_ms = self._now_ms()
        metrics.BUDGET_SPENT.labels(PLATFORM, OPTION).set(self._requests.spent(now_ms))
        reserved = MAX_UNSAVED + self._config.listing_max_pages + 1
        sites = {name: site.saved() for name, site in self._sites.items()}
        return msgspec.json.encode(SavedCursor(self._requests.saved(now_ms, reserved), self._client.filter, sites))

    def _requests_per_day(self) -> int:
        """Return how many requests to spend in a day at the present rate."""
        return min(self._config.requests_per_day, SCARCE * self._client.left())

    async def _read(self, site: Questions) -> Signals:
        """Return what is new in a site's listing, read back to the latest activity that was read before."""
        shown: list[tuple[object, int]] = []
        seen: set[int | None] = set()
        method = listing_method(site.tags)
        for page in range(1, self._config.listing_max_pages + 1):
            answer = await self._client.active(site.name, site.tags, page)
            fresh = [one for one in answer.items if number(one) is None or number(one) not in seen]
            shown += [(one, answer.witnessed_ms) for one in fresh]
            seen.update(map(number, fresh))
            whole = not answer.has_more or not fresh
            met = whole or site.is_new or any(map(site.is_known, answer.items))
            if met or self._client.free_in_seconds(method):
                break
        converted = await self._convert(site, shown)
        # Nothing may fail from here on: questions below the watermark would be lost.
        signals = self._remember(site, converted)
        self._schedule.observe(site.name, len(signals.signals))
        if not met and self._client.free_in_seconds(method):
            return signals  # the method wants to be left alone: read again from the top, down to the old watermark
        signals.gaps += not met
        if site.read([question for question, _ in shown], whole=whole):
            self._checks_due_at[site.name] = self._clock()
        return signals

    async def _check(self, site: Questions) -> Signals:
        """Return how tracked questions are now that the listing does not show."""
        asked = site.unlisted()
        answer = await self._client.questions(site.name, asked)
        self._checks_due_at[site.name] = self._clock() + self._config.check_hours * 3600
        self._schedule.delay(site.name, 0.0)
        converted = await self._convert(site, [(one, answer.witnessed_ms) for one in answer.items])
        signals = self._remember(site, converted)
        gone = site.check(asked, answer.items, answer.witnessed_ms)
        signals.signals += filter(self._changes.observe, gone)
        return signals

    async def _convert(self, site: Questions, shown: list[tuple[object, int]]) -> list[_Converted]:
        """Return what becomes of questions and all that is below them, the quietest question first.

        A page of questions is a megabyte of HTML, so other tasks get their turn after each question.
        """
        converted: list[_Converted] = []
        for question, witnessed_ms in reversed(shown):
            id_ = number(question)
            became = [(part, convert(part, witnessed_ms, site.name, id_)) for part in parts(question)]
            converted.append(_Converted(question, became))
            await asyncio.sleep(0)
        return converted

    def _remember(self, site: Questions, converted: list[_Converted]) -> Signals:
        """Return the signals that say something new, posts before their replies, and remember all."""
        signals = Signals()
        for question, became in converted:
            found = Signals()
            for part, one in became:
                if one.signals or self._rejected.add(hashlib.sha256(as_json(part)).hexdigest()[:16]):
                    found.extend([one])
            found.signals += site.observe(question, found.signals)
            found.signals = list(filter(self._changes.observe, found.signals))
            signals.extend([found])
        return signals
