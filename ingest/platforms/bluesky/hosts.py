"""The hosts: which one is read, and from where.

Owns the choice of the host and its wire, and the place in its stream. A host that fails twice in a row, or falls
behind, is left for the next one. Must never know how a connection is made.

Cursors are not portable: a place is of one host and one wire. On another host reading begins at the time of the last
event, less a margin, because hosts receive the same events in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.wire import Event, Wire, subscribe_url

MINUTE_US: Final = 60_000_000
FAILURES: Final = 2
"""A connection may break at any time, so the same host is asked once more before the next one."""
GAP_US: Final = 10 * MINUTE_US
"""A stream that begins this much later than asked for has lost the time between: the network is never that quiet."""
TREND_SECONDS: Final = 60.0
"""A host that is behind must have come closer within this time."""


class Host(NamedTuple):
    """One host, on one of its wires."""

    url: str
    wire: Wire


class Place(msgspec.Struct, frozen=True):
    """A place in the stream of one host. ``at_us``: its time, which all hosts understand."""

    host: str
    wire: Wire
    cursor: int
    at_us: int


class Hosts:
    """The hosts in ``config``; one is read at a time. ``saved``: where to go on, None at the first start."""

    def __init__(
        self, config: BlueskyConfig, saved: Place | None, now_ms: Callable[[], int], clock: Callable[[], float]
    ) -> None:
        self._hosts = _hosts(config)
        self._now_ms = now_ms
        self._clock = clock
        self._rewind_us = int(config.rewind_minutes * MINUTE_US)
        self._catch_up_us = int(config.catch_up_hours * 60 * MINUTE_US)
        self._stale_us = int(config.stale_minutes * MINUTE_US)
        self._failures = 0
        self._gaps = 0
        self._begins = False
        self._behind: tuple[float, int] | None = None
        self._at = 0
        self._started = saved is not None
        if saved is None:
            begin_us = now_ms() * 1_000 - int(config.backfill_minutes * MINUTE_US)
            self._cursor = self._at_us = begin_us
        else:
            self._cursor, self._at_us = saved.cursor, saved.at_us
            try:
                self._at = self._hosts.index(Host(saved.host, saved.wire))
            except ValueError:  # the settings have changed
                self._rewind()

    @property
    def current(self) -> Host:
        """The host that is read."""
        return self._hosts[self._at]

    @property
    def place(self) -> Place:
        """Where to go on after the last event."""
        return Place(self.current.url, self.current.wire, self._cursor, self._at_us)

    def url(self) -> str:
        """Return where to connect, at most the limit for catching up ago."""
        earliest_us = self._now_ms() * 1_000 - self._catch_up_us
        if self._at_us < earliest_us:
            self._gaps += 1
            self._cursor = self._at_us = earliest_us
        self._begins, self._behind = True, None
        return subscribe_url(self.current.wire, self.current.url, self._cursor)

    def read(self, event: Event) -> None:
        """Record that ``event`` was read."""
        if event.skipped:
            self._gaps += 1
            self._begins = False
            return
        if self._begins:
            self._gaps += self._started and event.at_us > self._at_us + GAP_US
            self._begins, self._started = False, True
        self._failures = 0
        # A host whose clock is ahead must not make the next one skip what is still to come.
        self._cursor, self._at_us = event.cursor, min(event.at_us, self._now_ms() * 1_000)

    def take_gaps(self) -> int:
        """Return how often events were certainly missed since the last call."""
        gaps, self._gaps = self._gaps, 0
        return gaps

    def failed(self) -> None:
        """Record that the host has failed; after the second failure in a row the next one takes its place."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._leave()

    def is_stale(self) -> bool:
        """Return whether the host is behind and does not catch up; then the next one takes its place."""
        behind_us = self._now_ms() * 1_000 - self._at_us
        if behind_us <= self._stale_us:
            self._behind = None
            return False
        now = self._clock()
        if self._behind is None:
            self._behind = now, behind_us
        since, then_us = self._behind
        if now - since < TREND_SECONDS:
            return False
        self._behind = now, behind_us
        if behind_us < then_us:
            return False
        self._leave()
        return True

    def _leave(self) -> None:
        self._failures = 0
        self._at = (self._at + 1) % len(self._hosts)
        self._rewind()

    def _rewind(self) -> None:
        self._at_us -= self._rewind_us
        self._cursor = self._at_us


def _hosts(config: BlueskyConfig) -> Sequence[Host]:
    second = [Host(url.rstrip("/"), Wire.V2) for url in config.hosts]
    return second + [Host(url.rstrip("/"), Wire.V1) for url in config.v1_hosts]
