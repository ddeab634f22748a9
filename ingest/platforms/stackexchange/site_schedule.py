"""The schedule of the sites: which to ask next, so that the requests of a day are spent where most changes.

Owns how fast each site changes, and when each is due. Must never know what a request is, nor how many are left.

If a site changes r times an hour and is asked every t hours, what it shows is late by r·t/2 changes on average. For a
fixed number of requests the sum over all sites is least when each is asked in proportion to the root of r.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Final

DAY_SECONDS: Final = 86_400.0
SMOOTHING: Final = 0.3
"""Weight of the latest poll in a site's rate of change."""
LEAST_PER_HOUR: Final = 0.5
"""Rate of a site that never changes: it is still asked now and then."""
POLL_SHARE: Final = 0.8
"""Share of the requests for regular polls; the rest is for further pages, tracked questions and failures."""


@dataclass(slots=True)
class _Site:
    due_at: float
    polled_at: float | None = None
    changes_per_hour: float | None = None


class SiteSchedule:
    """The schedule of ``names``. ``clock``, ``sleep``: real seconds."""

    def __init__(
        self,
        names: Iterable[str],
        shortest_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._shortest_seconds = shortest_seconds
        self._clock = clock
        self._sleep = sleep
        self._sites = {name: _Site(clock()) for name in names}

    async def next(self, requests_per_day: int) -> str:
        """Wait until a site is due and return its name.

        It is put off at once, not when it succeeds: a site that always fails must not keep the others waiting.
        """
        name = min(self._sites, key=lambda name: self._sites[name].due_at)
        await self._sleep(max(0.0, self._sites[name].due_at - self._clock()))
        self._sites[name].due_at = self._clock() + self.interval_seconds(name, requests_per_day)
        return name

    def interval_seconds(self, name: str, requests_per_day: int) -> float:
        """Return the time between two polls of a site."""
        weights = {each: self._weight(site) for each, site in self._sites.items()}
        share = weights[name] / sum(weights.values())
        return max(self._shortest_seconds, DAY_SECONDS / max(1.0, POLL_SHARE * requests_per_day * share))

    def observe(self, name: str, changes: int) -> None:
        """Record that a poll of a site showed so many changes since the last one."""
        site, now = self._sites[name], self._clock()
        if site.polled_at is not None and now > site.polled_at:
            rate = changes * 3600 / (now - site.polled_at)
            before = rate if site.changes_per_hour is None else site.changes_per_hour
            site.changes_per_hour = before + SMOOTHING * (rate - before)
        site.polled_at = now

    def delay(self, name: str, seconds: float) -> None:
        """Make a site due ``seconds`` from now."""
        self._sites[name].due_at = self._clock() + seconds

    def _weight(self, site: _Site) -> float:
        """Return the root of the site's rate; of a site that is not known yet, that of the average one."""
        known = [one.changes_per_hour for one in self._sites.values() if one.changes_per_hour is not None]
        average = sum(known) / len(known) if known else LEAST_PER_HOUR
        return sqrt(max(LEAST_PER_HOUR, average if site.changes_per_hour is None else site.changes_per_hour))
