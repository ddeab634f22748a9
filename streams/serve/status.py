"""How serve is doing: is the board complete, how old is it, which topic is behind.

Owns the words of ``/api/status`` and of readiness. "Is it complete?" and not only "is it alive": a board that reads
nothing looks calm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from streams.serve import metrics
from streams.serve.consume import Intake, IntakeState
from streams.serve.read_model import Board
from streams.serve.subscribers import Watchers

__all__ = ["Status", "StatusReport", "TopicReport"]


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
        clock_rate: float = 1.0,
    ) -> None:
        """``now_ms``: the clock, which runs ``clock_rate`` times as fast as real time."""
        self._board = board
        self._watchers = watchers
        self._intakes = {"noise-scores": scores, "noise-events": events}
        self._now_ms = now_ms
        self._stale_after_ms = stale_after_ms
        self._clock_rate = clock_rate
        self._began_ms = now_ms()
        metrics.NEWEST_SCORE_AGE.set_function(self._age_seconds)

    def problems(self) -> list[str]:
        """Say what keeps the board from being the whole truth now, a sentence each; nothing, if it is ready."""
        return [problem for topic, intake in self._intakes.items() if (problem := _problem(topic, intake))]

    def report(self) -> StatusReport:
        """Return how serve is doing now."""
        now_ms = self._now_ms()
        newest_ms = self._board.newest_scored_ms
        age_ms = None if newest_ms is None else self._age_ms(newest_ms, now_ms)
        return StatusReport(
            now_ms=now_ms,
            clock_rate=self._clock_rate,
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

    def _age_ms(self, at_ms: int, now_ms: int) -> int:
        return max(0, round((now_ms - at_ms) / self._clock_rate))

    def _age_seconds(self) -> float:
        newest_ms = self._board.newest_scored_ms
        return self._age_ms(self._began_ms if newest_ms is None else newest_ms, self._now_ms()) / 1_000


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
