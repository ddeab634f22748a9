"""Health: whether each collector collects, for /readyz and for the operator.

Owns what is known of each collector's state. Must never know how health is served.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from ingest import metrics

STALE_SECONDS = 120.0
"""A collector without a success for this long is not ready, whatever its state."""


class State(StrEnum):
    """What a collector is doing."""

    STARTING = "starting"
    COLLECTING = "collecting"
    WAITING = "waiting"  # after a failure, before the next try
    STOPPED = "stopped"


@dataclass(slots=True)
class CollectorHealth:
    """The health of one collector. ``problem``: one line for the operator, None if nothing is wrong."""

    name: str
    clock: Callable[[], float] = time.monotonic
    state: State = State.STARTING
    problem: str | None = None
    started_at: float = field(init=False)
    succeeded_at: float | None = None

    def __post_init__(self) -> None:
        self.started_at = self.clock()

    @property
    def last_success_age_seconds(self) -> float:
        """Time since a batch was collected and published, and its cursor saved; since the start, if there was none."""
        return self.clock() - (self.started_at if self.succeeded_at is None else self.succeeded_at)

    @property
    def ready(self) -> bool:
        """True if it collected a short time ago and nothing is wrong."""
        return self.state is State.COLLECTING and self.last_success_age_seconds < STALE_SECONDS

    def succeeded(self) -> None:
        """Record that a batch was collected and published, and its cursor saved."""
        self.state, self.problem = State.COLLECTING, None
        self.succeeded_at = self.clock()

    def failed(self, problem: str, *, state: State = State.WAITING) -> None:
        """Record a failure that the operator may want to know."""
        self.state, self.problem = state, problem


class Health:
    """The health of all collectors of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._collectors: dict[str, CollectorHealth] = {}

    def add(self, name: str) -> CollectorHealth:
        """Begin to keep track of a collector, and show it in the metrics."""
        health = self._collectors[name] = CollectorHealth(name, self._clock)
        for metric in (metrics.LAST_SUCCESS_AGE_SECONDS, metrics.CURSOR_AGE_SECONDS):
            metric.labels(name).set_function(lambda: health.last_success_age_seconds)
        metrics.READY.labels(name).set_function(lambda: float(health.ready))
        return health

    def remove(self, name: str) -> None:
        """Keep track of a collector no more: it is not to run."""
        self._collectors.pop(name, None)

    @property
    def collectors(self) -> tuple[CollectorHealth, ...]:
        """Every collector, in the order they were started."""
        return tuple(self._collectors.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each collector that is not ready."""
        return tuple(
            f"{health.name}: "
            + (health.problem or f"{health.state}, no success for {health.last_success_age_seconds:.0f} s")
            for health in self.collectors
            if not health.ready
        )
