"""The watermark: the event time up to which everything has arrived.

Owns the rule that joins the watermarks of several sources into one time, behind which decisions may be taken. Must
never read a clock: the caller passes the time of the event clock and of a monotonic one.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from streams.records.source_watermark import SourceWatermark


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """How long one silent source may hold up the others, in seconds of real time.

    ``live_seconds`` applies while event time is at most ``live_lag_ms`` behind the clock. ``replay_seconds`` applies
    beyond that: a replay waits for a worker that restarts or catches up rather than decide without it.
    """

    live_seconds: float = 1.0
    replay_seconds: float = 600.0
    live_lag_ms: int = 900_000

    def is_live(self, lag_ms: int) -> bool:
        """Return whether event time that is ``lag_ms`` behind the clock counts as live."""
        return lag_ms <= self.live_lag_ms

    def seconds(self, lag_ms: int) -> float:
        """Return the time-out that applies while event time is ``lag_ms`` behind the clock."""
        return self.live_seconds if self.is_live(lag_ms) else self.replay_seconds


class Watermark:
    """Joins the watermarks of all sources.

    Active sources are neither idle nor silent for longer than the idle timeout. The result is their least watermark, or
    the greatest of all if no source is active. It never goes back. A source that has sent nothing yet counts as silent
    since the first watermark of any source.
    """

    def __init__(self, idle_timeout: IdleTimeout, restored_ms: int = 0) -> None:
        """``restored_ms``: the watermark reached before the restart; it tells a live silence from a replay."""
        self._idle_timeout = idle_timeout
        self._restored_ms = restored_ms
        self._sources: dict[int, tuple[SourceWatermark, float]] = {}
        """The last watermark of each source and when it was received, in monotonic seconds."""
        self._expected = 0
        self._first_at = 0.0
        self._current_ms = 0

    def update(self, mark: SourceWatermark, monotonic: float) -> None:
        """Take in a source watermark received at ``monotonic`` seconds. An older one never takes a source back."""
        if not self._sources:
            self._first_at = monotonic
        self._expected = max(self._expected, mark.sources)
        known, _ = self._sources.get(mark.source, (mark, 0.0))
        if known.mark_ms > mark.mark_ms:
            mark = replace(mark, mark_ms=known.mark_ms)
        self._sources[mark.source] = mark, monotonic

    def advance(self, now_ms: int, monotonic: float) -> int:
        """Return the watermark in UTC epoch ms; 0 before the first source watermark.

        Live, when no source has anything waiting, time follows the clock, one idle timeout behind it.
        """
        if not self._sources:
            return 0
        latest_ms = max(mark.mark_ms for mark, _ in self._sources.values())
        lag_ms = now_ms - max(latest_ms, self._current_ms, self._restored_ms)
        seconds = self._idle_timeout.seconds(lag_ms)
        if self._expected > len(self._sources) and monotonic - self._first_at <= seconds:
            return self._current_ms
        active = [
            mark.mark_ms
            for mark, received_at in self._sources.values()
            if not mark.idle and monotonic - received_at <= seconds
        ]
        if active:
            reached_ms = min(active)
        else:
            reached_ms = latest_ms
            if self._idle_timeout.is_live(lag_ms):
                reached_ms = max(reached_ms, now_ms - int(1000 * self._idle_timeout.live_seconds))
        self._current_ms = max(self._current_ms, reached_ms)
        return self._current_ms

    @property
    def replay_barrier(self) -> str:
        """The replay that every source reports as ended, "" while they disagree."""
        ended = {mark.settle for mark, _ in self._sources.values()}
        if len(self._sources) < self._expected or len(ended) != 1:
            return ""
        return ended.pop()
