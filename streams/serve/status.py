"""How serve is doing: is the board complete, how old is it, which topic is behind.

Owns the words of ``/api/status`` and of readiness. "Is it complete?" and not only "is it alive": a board that reads
nothing looks calm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.serve import metrics
from streams.serve.board import Board
from streams.serve.intake import Intake, IntakeState
from streams.serve.watchers import Watchers

__all__ = ["Status", "StatusReport", "TopicReport"]

SHORTEST_RATE_SECONDS: Final = 0.2
LEAST_FAST_RATE: Final = 1.5


class TopicReport(msgspec.Struct, frozen=True):
    """How the reading of one topic is doing. ``behind``: records between it and the end of the topic."""

    state: str
    behind_records: int
    last_record_ms: int | None
    skipped: Mapping[str, int]


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """How serve is doing at ``now_ms``.

    ``clock_rate``: how many times as fast as real time the clock runs; 1 but in a simulated world.
    ``newest_score_age_ms``: in real time; None while there is no score.
    """

    type: str = "status"
    now_ms: int
    clock_rate: float
    problems: list[str]
    stale: bool
    stale_after_ms: int
    stories: int
    newest_scored_ms: int | None
    newest_score_age_ms: int | None
    topics: dict[str, TopicReport]
    clients: int
    facets: dict[str, dict[str, int]]


class Status:
    """A live view; every call looks anew."""

    def __init__(
        self,
        *,
        board: Board,
        watchers: Watchers,
        scores: Intake,
        events: Intake,
        now_ms: Callable[[], int],
        stale_after_ms: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._watchers = watchers
        self._intakes = {"noise-scores": scores, "noise-events": events}
        self._now_ms = now_ms
        self._stale_after_ms = stale_after_ms
        self._monotonic = monotonic
        self._began_ms, self._began_seconds = now_ms(), monotonic()

    def problems(self) -> list[str]:
        """Say what keeps the board from being the whole truth now, a sentence each; nothing, if it is ready."""
        return [problem for topic, intake in self._intakes.items() if (problem := _problem(topic, intake))]

    def report(self) -> StatusReport:
        """Return how serve is doing now."""
        now_ms = self._now_ms()
        newest_ms = self._board.newest_scored_ms
        clock_rate = self._clock_rate(now_ms)
        age_ms = None if newest_ms is None else max(0, round((now_ms - newest_ms) / clock_rate))
        if age_ms is not None:
            metrics.NEWEST_SCORE_AGE.set(age_ms / 1_000)
        return StatusReport(
            now_ms=now_ms,
            clock_rate=clock_rate,
            problems=self.problems(),
            stale=age_ms is None or age_ms > self._stale_after_ms,
            stale_after_ms=self._stale_after_ms,
            stories=len(self._board),
            newest_scored_ms=newest_ms,
            newest_score_age_ms=age_ms,
            topics={
                topic: TopicReport(
                    intake.state.value,
                    intake.behind_records,
                    intake.last_record_ms,
                    {reason.value: count for reason, count in intake.skipped.items()},
                )
                for topic, intake in self._intakes.items()
            },
            clients=len(self._watchers),
            facets=self._board.facets(),
        )

    def _clock_rate(self, now_ms: int) -> float:
        """Return how fast the clock has run against real time; a wall clock that was set is no fast clock."""
        seconds = self._monotonic() - self._began_seconds
        rate = (now_ms - self._began_ms) / 1_000 / seconds if seconds > SHORTEST_RATE_SECONDS else 1.0
        return round(rate, 1) if rate > LEAST_FAST_RATE else 1.0


def _problem(topic: str, intake: Intake) -> str | None:
    match intake.state:
        case IntakeState.NO_TOPIC:
            return f"there is no topic {topic}; make the topics with: hubbub topics create"
        case IntakeState.CONNECTING:
            return f"connecting to the broker for {topic}"
        case IntakeState.UNREACHABLE:
            return f"the broker does not answer for {topic}; check that it runs"
        case IntakeState.CATCHING_UP:
            return f"still reading {topic}: {intake.behind_records} records to go"
        case IntakeState.LIVE:
            return None
