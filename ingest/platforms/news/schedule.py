"""The schedule of feeds: which are due, how often each is worth a poll, and how long a sick one rests.

Owns one interval for each feed, in real seconds: shorter while it brings news, longer while it does not. Must never
know what a poll does.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from yarl import URL

from ingest.platforms.news.config import NewsConfig

FASTER: Final = 0.5
SLOWER: Final = 1.3
MAX_DOUBLINGS: Final = 20


@dataclass(slots=True)
class _Feed:
    site: str | None
    interval_seconds: float
    due_at: float = 0.0
    failures: int = 0


class FeedSchedule:
    """All feeds are due at the start. ``clock``, ``sleep``: real seconds."""

    def __init__(
        self,
        feeds: Iterable[str],
        config: NewsConfig,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._config = config
        self._clock = clock
        self._sleep = sleep
        self._feeds = {feed: _Feed(URL(feed).host, config.poll_min_seconds) for feed in feeds}

    def __len__(self) -> int:
        return len(self._feeds)

    async def next(self, max_feeds: int) -> list[str]:
        """Wait until a feed is due; return up to ``max_feeds`` that are, the longest overdue first.

        They are put off at once, not when they succeed: a feed that always fails must not keep others waiting.
        """
        in_order = sorted(self._feeds, key=lambda feed: self._feeds[feed].due_at)
        await self._sleep(max(0.0, self._feeds[in_order[0]].due_at - self._clock()))
        now = self._clock()
        due = [feed for feed in in_order[:max_feeds] if self._feeds[feed].due_at <= now] or in_order[:1]
        for feed in due:
            self._feeds[feed].due_at = now + self._feeds[feed].interval_seconds
        return due

    def succeeded(self, feed: str, *, news: bool, asked_seconds: float) -> None:
        """Schedule the next poll after a good one. ``asked_seconds``: how long the feed wants to be left alone."""
        known, config = self._feeds[feed], self._config
        known.failures = 0
        wanted = known.interval_seconds * (FASTER if news else SLOWER)
        known.interval_seconds = min(max(wanted, config.poll_min_seconds), config.poll_max_seconds)
        known.due_at = self._clock() + max(known.interval_seconds, min(asked_seconds, config.poll_max_seconds))

    def failed(self, feed: str) -> int:
        """Schedule the next poll after a failed one, twice as late each time; return how many failed in a row."""
        known = self._feeds[feed]
        known.failures += 1
        pause_seconds = self._config.poll_min_seconds * 2 ** min(known.failures - 1, MAX_DOUBLINGS)
        known.due_at = self._clock() + min(pause_seconds, self._config.failed_max_seconds)
        return known.failures

    def hold(self, feed: str, seconds: float) -> None:
        """Put off all feeds of the site of ``feed`` for at least ``seconds``: it limits our rate."""
        site, until = self._feeds[feed].site, self._clock() + seconds
        for known in self._feeds.values():
            if known.site == site:
                known.due_at = max(known.due_at, until)

    def remove(self, feed: str) -> None:
        """Never poll ``feed`` again."""
        del self._feeds[feed]
