"""The requests of the last 24 hours: how many were sent, and how many may still be.

Owns their count by hour, which a collector saves in its cursor. Must never know what is asked for, nor read a clock.

The quota of Stack Exchange is of any 24 hours, not of a calendar day. The count is by the hour, so a request counts
until the end of the hour in which it is 24 hours old.
"""

from collections.abc import Mapping
from typing import Final

HOUR_MS: Final = 3_600_000
HOURS: Final = 24


class DailyRequests:
    """At most ``limit`` requests in any 24 hours. ``saved``: those before a restart, by the hour since the epoch."""

    def __init__(self, limit: int, saved: Mapping[str, int]) -> None:
        self.limit = limit
        self._by_hour = {int(hour): count for hour, count in saved.items()}

    def spent(self, now_ms: int) -> int:
        """Return how many count now. A clock that goes back wins nothing: requests from the future count."""
        oldest = now_ms // HOUR_MS - HOURS
        self._by_hour = {hour: count for hour, count in self._by_hour.items() if hour >= oldest}
        return sum(self._by_hour.values())

    def left(self, now_ms: int) -> int:
        """Return how many may be sent now."""
        return max(0, self.limit - self.spent(now_ms))

    def spend(self, now_ms: int) -> None:
        """Count one request. Call it before the request is sent: afterwards no one may be there to count."""
        hour = now_ms // HOUR_MS
        self._by_hour[hour] = self._by_hour.get(hour, 0) + 1

    def next_ms(self, now_ms: int) -> int:
        """Return after how many ms the oldest request counts no longer."""
        oldest = min(self._by_hour, default=now_ms // HOUR_MS)
        return max(0, (oldest + HOURS + 1) * HOUR_MS - now_ms)

    def saved(self, now_ms: int, reserved: int) -> dict[str, int]:
        """Return what to save. ``reserved`` requests count as sent: a crash may follow them before the next save."""
        self.spent(now_ms)
        hour = now_ms // HOUR_MS
        return {
            str(hour): count for hour, count in {**self._by_hour, hour: self._by_hour.get(hour, 0) + reserved}.items()
        }
