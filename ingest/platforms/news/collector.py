"""The news collector: it polls feeds, each by its own schedule, and yields the articles that are new or edited.

Owns what each answer of a feed's server means. One sick feed never holds up the others. When several in a row fail,
the way to all of them is ill, and that is an error for the loop. Must never publish.
"""

import asyncio
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self

import structlog

from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorContext
from ingest.errors import COLLECT_ERRORS
from ingest.http import Page
from ingest.platforms.news.client import Condition, FeedClient, Fetched
from ingest.platforms.news.config import NewsConfig
from ingest.platforms.news.convert import PLATFORM, convert
from ingest.platforms.news.memory import FeedMemory
from ingest.platforms.news.reader import Feed, FeedReader
from ingest.platforms.news.schedule import FeedSchedule
from ingest.platforms.news.subscriptions import subscribed
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.http import url_name

log = structlog.get_logger(__name__, collector=PLATFORM)

SICK_FEEDS: Final = 3
"""Feeds that must fail, with no success between them, before it counts as a failure of all."""
HOLD_SECONDS: Final = 60.0
"""Pause for a site that limits our rate without saying for how long."""
MAX_UNREADABLE_SHARE: Final = 0.5
MIN_UNREADABLE: Final = 5
"""A feed with so many unreadable entries, and so large a share of them, is sick as a whole."""
REPORTED_FAILURES: Final = 3
"""Failures in a row after which a feed is named in the log, once. All feeds at once are a failure of the collector."""
MAX_FAILURES_AWAY: Final = 3
"""Failures in a row at the address that a feed was moved to; then its first address is asked again."""
ENTRIES_AT_A_TIME: Final = 50
"""Entries that are converted before other tasks get their turn."""

_max_age = re.compile(r"max-age=(\d{1,9})", re.IGNORECASE).search
_minutes = re.compile(r"\s*(\d{1,6})\s*").fullmatch


@dataclass(frozen=True, slots=True)
class _Read:
    """A poll that succeeded. ``feed``: None if it has not changed; ``entries``: each with what became of it."""

    fetched: Fetched
    feed: Feed | None = None
    entries: tuple[tuple[object, Signals], ...] = ()


class NewsCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: NewsConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        feeds = subscribed(config)
        self._memory = FeedMemory(feeds, cursor)
        self._max_feeds = config.max_concurrent_requests
        self._client = FeedClient(config, context, feeds)
        self._reader = FeedReader()
        self._schedule = FeedSchedule(self._memory.alive(), config, context.clock, context.sleep)
        self._failing: set[str] = set()
        self._has_succeeded = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        if not self._schedule:
            raise UserError("every feed has answered that it is gone (410): name others in collect.news.feeds")
        due = await self._schedule.next(self._max_feeds)
        async with asyncio.TaskGroup() as group:
            polls = {feed: group.create_task(self._poll(feed)) for feed in due}
        # Nothing may fail from here on: the state would be ahead of the signals.
        results = {feed: poll.result() for feed, poll in polls.items()}
        signals = Signals()
        signals.extend(self._read(feed, result) for feed, result in results.items() if isinstance(result, _Read))
        # Failures come last: a site that limits our rate is left alone, whatever its other feeds answered meanwhile.
        problems = [self._failed(feed, result) for feed, result in results.items() if isinstance(result, Exception)]
        if len(problems) == len(polls) and self._are_all_ill():
            raise RetryLaterError(problems[0])
        return Batch(signals, self._memory.cursor())

    async def aclose(self) -> None:
        """Close the connections and end the reader."""
        await self._client.close()
        await self._reader.close()

    @property
    def tracked_items(self) -> int:
        """None: feeds state no counts that could grow."""
        return 0

    async def _poll(self, feed: str) -> _Read | Exception:
        """Poll one feed, and convert what it has; changes nothing. Whatever goes wrong concerns this feed alone."""
        try:
            fetched = await self._client.fetch(self._memory.address(feed), self._memory.condition(feed))
            page = fetched.page
            if page.status == 304 or (page.status == 410 and fetched.for_good):
                return _Read(fetched)
            if page.status in {404, 410}:
                return RetryLaterError(f"{url_name(fetched.url)} answered with HTTP status {page.status}")
            found = await self._reader.read(page.body, page.headers.get("Content-Type", ""), fetched.url)
            return _Read(fetched, found, await _converted(feed, found, page.witnessed_ms))
        except COLLECT_ERRORS as error:
            return error
        except Exception as error:
            log.exception("feed failed unexpectedly", feed=url_name(feed))
            return error

    def _read(self, feed: str, result: _Read) -> Signals:
        self._has_succeeded = True
        self._failing.clear()
        page, url = result.fetched.page, result.fetched.url
        if page.status == 410:
            log.warning("feed is gone; it is not polled again. Remove it from the settings", feed=url_name(feed))
            self._memory.gone(feed)
            self._schedule.remove(feed)
            return Signals()
        news = Signals()
        if result.feed is not None:
            news = self._memory.news(feed, result.entries)
            # An empty feed may be a server that is starting: it is asked for the whole feed again.
            condition = Condition.of(page) if result.entries else Condition()
            self._memory.found_at(feed, url, condition, for_good=result.fetched.for_good)
        self._schedule.succeeded(feed, news=news.read > 0, asked_seconds=_asked_seconds(page, result.feed))
        return news

    def _failed(self, feed: str, error: Exception) -> str:
        self._failing.add(feed)
        failures = self._schedule.failed(feed)
        if failures >= MAX_FAILURES_AWAY:
            self._memory.ask_at_first_address(feed)
        if failures == REPORTED_FAILURES and not self._are_all_ill():
            log.warning("feed cannot be read; polling it less often", feed=url_name(feed), problem=str(error))
        if isinstance(error, SlowDownError):
            self._schedule.hold(feed, HOLD_SECONDS if error.after_seconds is None else error.after_seconds)
        return str(error) or type(error).__name__

    def _are_all_ill(self) -> bool:
        return not self._has_succeeded or len(self._failing) >= min(SICK_FEEDS, len(self._schedule))


async def _converted(feed: str, found: Feed, witnessed_ms: int) -> tuple[tuple[object, Signals], ...]:
    """Return the entries, the oldest first, each with what became of it.

    Raises:
        RetryLaterError: most are unreadable.
    """
    entries: list[tuple[object, Signals]] = []
    for entry in reversed(found.entries):
        raw = {
            **entry,
            "feed": found.title,
            "feed_url": _public(feed),
            "language": entry.get("language") or found.language,
        }
        entries.append((raw, convert(raw, witnessed_ms)))
        if len(entries) % ENTRIES_AT_A_TIME == 0:
            await asyncio.sleep(0)
    unreadable = [dead for _, became in entries for dead in became.unreadable]
    if len(unreadable) >= MIN_UNREADABLE and len(unreadable) > MAX_UNREADABLE_SHARE * len(entries):
        raise RetryLaterError(f"{len(unreadable)} of {len(entries)} entries are unreadable: {unreadable[0].detail}")
    return tuple(entries)


def _public(feed: str) -> str:
    """Return what names a feed in ids and dead letters: its URL, with a digest in place of a query or a password."""
    name = url_name(feed)
    return name if name == feed else f"{name}/~{blake2b(feed.encode(), digest_size=8).hexdigest()}"


def _asked_seconds(page: Page, feed: Feed | None) -> float:
    """Return how long the feed or its server wants to be left alone: ``ttl`` and ``Cache-Control``."""
    ttl = _minutes(feed.ttl) if feed is not None and feed.ttl else None
    max_age = _max_age(page.headers.get("Cache-Control", ""))
    return max(float(ttl[1]) * 60 if ttl else 0.0, float(max_age[1]) if max_age else 0.0)
