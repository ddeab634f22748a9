"""The watermark: up to which event time everything has arrived.

Owns the rule by which the marks of several sources become one time behind which decisions may be taken. Must never
read a clock: the caller says how late it is, by the event clock and by a monotonic one.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.records.internal import Mark

__all__ = ["Patience", "Watermark"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one source may hold up the others, in seconds of real time.

    ``live_seconds`` applies while event time keeps step with the clock, ``replay_seconds`` while it lags behind it by
    more than ``live_lag_ms``: a replay would rather wait for a worker that restarts, or has much to catch up on, than
    decide without it.
    """

    live_seconds: float = 1.0
    replay_seconds: float = 600.0
    live_lag_ms: int = 900_000

    def is_live(self, lag_ms: int) -> bool:
        """Say whether event time that lags behind the clock by ``lag_ms`` keeps step with it."""
        return lag_ms <= self.live_lag_ms

    def seconds(self, lag_ms: int) -> float:
        """Return how long one may be waited for while event time lags behind the clock by ``lag_ms``."""
        return self.live_seconds if self.is_live(lag_ms) else self.replay_seconds


@dataclass(slots=True)
class _Source:
    mark_ms: int
    idle: bool
    settle: str
    heard: float


class Watermark:
    """Joins the marks of all sources.

    The watermark is the least mark of the sources that are neither idle nor silent for longer than the patience; if
    none is left, the greatest mark of all. It never goes back. A source never heard of counts as silent since the first
    mark of any.
    """

    def __init__(self, patience: Patience, lately_ms: int = 0) -> None:
        """``lately_ms``: the time reached in a life before this one, by which it tells a silence from a replay."""
        self._patience = patience
        self._lately_ms = lately_ms
        self._sources: dict[int, _Source] = {}
        self._expected = 0
        self._since = 0.0
        self._current_ms = 0

    def update(self, mark: Mark, monotonic: float) -> None:
        """Take in a mark, heard at ``monotonic`` seconds. An older mark of a source never takes it back."""
        if not self._sources:
            self._since = monotonic
        self._expected = max(self._expected, mark.sources)
        source = self._sources.get(mark.source)
        if source is None:
            self._sources[mark.source] = _Source(mark.mark_ms, mark.idle, mark.settle, monotonic)
            return
        source.mark_ms = max(source.mark_ms, mark.mark_ms)
        source.idle = mark.idle
        source.settle = mark.settle
        source.heard = monotonic

    def advance(self, now_ms: int, monotonic: float) -> int:
        """Return the watermark in UTC epoch ms; 0 before the first mark.

        Live, when nothing is waiting in any source, time moves on by the clock, a patience behind it, however long.
        """
        if not self._sources:
            return 0
        latest_ms = max(source.mark_ms for source in self._sources.values())
        lag_ms = now_ms - max(latest_ms, self._current_ms, self._lately_ms)
        patience = self._patience.seconds(lag_ms)
        missing = self._expected > len(self._sources) and monotonic - self._since <= patience
        waiting = [
            source.mark_ms
            for source in self._sources.values()
            if not source.idle and monotonic - source.heard <= patience
        ]
        if missing:
            return self._current_ms
        if waiting:
            reached_ms = min(waiting)
        else:
            reached_ms = latest_ms
            if self._patience.is_live(lag_ms):
                reached_ms = max(reached_ms, now_ms - int(1000 * self._patience.live_seconds))
        self._current_ms = max(self._current_ms, reached_ms)
        return self._current_ms

    @property
    def settle(self) -> str:
        """The replay that every source says has ended; none while they do not agree."""
        ended = {source.settle for source in self._sources.values()}
        if len(self._sources) < self._expected or len(ended) != 1:
            return ""
        return ended.pop()
