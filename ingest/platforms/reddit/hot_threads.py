"""Hot threads: those with more missed comments than a page of the listing shows.

Owns the estimate, made of the comments of the latest polls. A listing gives 100 comments a request, a thread 500. So
where a place is too busy, its hottest threads are read by themselves. Must never know how, nor read a clock.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

MAX_POLLS: Final = 60
"""Polls that the estimate is made of; in a place that is too busy they take about a minute."""
MAX_THREADS: Final = 1_000
"""Threads whose last reading is remembered."""
WORTH_ITEMS: Final = 250
"""Missed comments for which a request to the thread is better than two to the listing, though it may err."""
LEAST_SHARE: Final = 0.4
"""A reading that gives less than this share of what was expected counts as disappointing."""
LEAST_COMMENTS: Final = 3
"""Fewer comments among the latest polls say nothing of a thread."""


class HotThreads:
    """Estimates the comments of each thread that the listing's polls missed since the thread was last read."""

    def __init__(self) -> None:
        self._polls: deque[tuple[tuple[str, ...], int]] = deque()
        self._counts: Counter[str] = Counter()
        self._total = self._missed = 0
        self._began_ms: int | None = None
        self._read_ms: dict[str, int] = {}
        self._worth: dict[str, float] = {}

    def observe(self, threads: Iterable[str], missed: int, now_ms: int) -> None:
        """Record a poll: the threads of its new comments, one for each, and about how many comments it missed."""
        poll = tuple(threads)
        self._began_ms = now_ms if self._began_ms is None else self._began_ms
        self._polls.append((poll, missed))
        self._counts.update(poll)
        self._total += len(poll)
        self._missed += missed
        if len(self._polls) > MAX_POLLS:
            oldest, oldest_missed = self._polls.popleft()
            self._counts.subtract(oldest)
            self._counts = +self._counts
            self._total -= len(oldest)
            self._missed -= oldest_missed

    def hottest(self, per_second: float, now_ms: int) -> str | None:
        """Return the thread with the most missed comments, if it is worth a request. ``per_second``: of the place."""
        best, most = None, 0.0
        for thread, count in self._counts.most_common(100):
            if count < LEAST_COMMENTS:
                break
            new = self._expected(thread, per_second, now_ms)
            if new >= self._worth.get(thread, WORTH_ITEMS) and new > most:
                best, most = thread, new
        return best

    def was_read(self, thread: str, new_items: int, per_second: float, now_ms: int) -> None:
        """Record a reading and how many new comments it gave. A thread that disappoints is read less often."""
        disappointing = new_items < LEAST_SHARE * min(500.0, self._expected(thread, per_second, now_ms))
        self._worth[thread] = 2 * self._worth.get(thread, WORTH_ITEMS) if disappointing else WORTH_ITEMS
        self._read_ms.pop(thread, None)
        self._read_ms[thread] = now_ms
        if len(self._read_ms) > MAX_THREADS:
            oldest = next(iter(self._read_ms))
            del self._read_ms[oldest], self._worth[oldest]

    def _expected(self, thread: str, per_second: float, now_ms: int) -> float:
        began_ms = now_ms if self._began_ms is None else self._began_ms
        since_ms = now_ms - self._read_ms.get(thread, began_ms)
        missed_share = self._missed / max(1, self._missed + self._total)
        return missed_share * per_second * self._counts[thread] / max(1, self._total) * since_ms / 1_000
