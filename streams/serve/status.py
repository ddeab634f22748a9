"""The status: whether the read model is complete, how old it is, and which topic is behind.

Owns ``/api/status`` and readiness. It reports completeness, not only liveness: a ranking that no score reaches looks
calm.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from streams.serve import metrics
from streams.serve.consume import ConsumerState, TopicConsumer
from streams.serve.read_model import ReadModel
from streams.serve.subscribers import Subscribers


class TopicReport(msgspec.Struct, frozen=True):
    """How far the consumer of one topic is. ``behind_records``: records between it and the end of the topic."""

    state: str
    behind_records: int
    last_record_ms: int | None
    skipped: Mapping[str, int]


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """The status at ``now_ms``.

    ``clock_rate``: how many times as fast as real time the clock runs; 1 except in a simulated world.
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
    """A live view: every call reads the current values."""

    def __init__(
        self,
        *,
        read_model: ReadModel,
        subscribers: Subscribers,
        consumers: Sequence[TopicConsumer],
        now_ms: Callable[[], int],
        stale_after_ms: int,
        clock_rate: float = 1.0,
    ) -> None:
        """``now_ms``: the clock, which runs ``clock_rate`` times as fast as real time."""
        self._read_model = read_model
        self._subscribers = subscribers
        self._consumers = {consumer.label: consumer for consumer in consumers}
        self._now_ms = now_ms
        self._stale_after_ms = stale_after_ms
        self._clock_rate = clock_rate
        self._began_ms = now_ms()
        metrics.NEWEST_SCORE_AGE.set_function(self._age_seconds)

    def problems(self) -> list[str]:
        """Return why the read model is not complete now, one sentence each; nothing if it is ready."""
        return [
            _PROBLEMS[consumer.state].format(topic=topic, behind_records=consumer.behind_records)
            for topic, consumer in self._consumers.items()
            if consumer.state is not ConsumerState.LIVE
        ]

    def report(self) -> StatusReport:
        """Return the status now."""
        now_ms = self._now_ms()
        newest_ms = self._read_model.newest_scored_ms
        age_ms = None if newest_ms is None else self._age_ms(newest_ms, now_ms)
        return StatusReport(
            now_ms=now_ms,
            clock_rate=self._clock_rate,
            problems=self.problems(),
            stale=age_ms is None or age_ms > self._stale_after_ms,
            stale_after_ms=self._stale_after_ms,
            stories=len(self._read_model),
            newest_scored_ms=newest_ms,
            newest_score_age_ms=age_ms,
            topics={
                topic: TopicReport(
                    consumer.state.value,
                    consumer.behind_records,
                    consumer.last_record_ms,
                    {reason.value: count for reason, count in consumer.skipped.items()},
                )
                for topic, consumer in self._consumers.items()
            },
            clients=len(self._subscribers),
            facets=self._read_model.facets(),
        )

    def _age_ms(self, at_ms: int, now_ms: int) -> int:
        return max(0, round((now_ms - at_ms) / self._clock_rate))

    def _age_seconds(self) -> float:
        newest_ms = self._read_model.newest_scored_ms
        return self._age_ms(self._began_ms if newest_ms is None else newest_ms, self._now_ms()) / 1_000


_PROBLEMS = {
    ConsumerState.NO_TOPIC: "there is no topic {topic}; make the topics with: hubbub topics create",
    ConsumerState.CONNECTING: "connecting to the broker for {topic}",
    ConsumerState.UNREACHABLE: "the broker does not answer for {topic}; check that it runs",
    ConsumerState.CATCHING_UP: "still reading {topic}: {behind_records} records to go",
}
