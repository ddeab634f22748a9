"""The schedule of faults. The same seed gives the same schedule.

Owns the kinds of faults and their order in time. Must never know how they are injected. Faults of one queue follow one
another (never two brokers at once). Faults of different queues overlap.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hubbub.world.faults import Kind as PlatformFault

__all__ = ["LIVE", "RECORDED", "SHORT", "Fault", "FaultQueue", "Kind", "plan"]

MINUTE_MS = 60_000


class Kind(StrEnum):
    """The kinds of faults. The target is a role, the number of a broker, or how a platform fails."""

    KILLED = "killed"
    """``kill -9`` of a role."""
    STOPPED = "stopped"
    """SIGSTOP of a role for longer than its session, then SIGCONT."""
    JOINED = "joined"
    """Another worker of a role joins, works and leaves: two rebalances."""
    CLOCK = "clock jumped"
    """The clock of a role jumps by ``amount`` ms and, a while later, back."""
    BROKER_KILLED = "broker killed"
    """``kill -9`` of a broker. It starts again, and all replicas are in sync before the next one is killed."""
    BROKER_STOPPED = "broker stopped"
    """SIGSTOP of a broker: connections stay open without an answer, buffers fill; then SIGCONT."""
    PLATFORM = "platform"
    """Requests to the simulated platforms fail for a while."""
    POISON = "poison"
    """``amount`` invalid records are published to ``signals``."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, ``at_seconds`` after the start. ``amount``: see its kind."""

    at_seconds: float
    kind: Kind
    target: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class FaultQueue:
    """Faults that follow one another: each of ``kinds`` once, and more of them while there is time.

    ``every_seconds``: the distance between two, if there is time for more than one round.
    """

    kinds: Sequence[tuple[Kind, str]]
    every_seconds: float


_BROKERS = tuple((Kind.BROKER_KILLED, str(number)) for number in range(3))

LIVE = (
    FaultQueue(
        (
            *((Kind.KILLED, role) for role in ("collect", "resolve", "score", "serve")),
            *((Kind.CLOCK, role) for role in ("collect", "resolve", "score")),
        ),
        6.0,
    ),
    FaultQueue(
        (
            *((Kind.STOPPED, role) for role in ("resolve", "score")),
            *((Kind.JOINED, role) for role in ("resolve", "score")),
        ),
        16.0,
    ),
    FaultQueue((*_BROKERS[:2], (Kind.BROKER_STOPPED, "2")), 36.0),
    # With pauses: after half a minute, items that a collector missed have left the platform's listings.
    FaultQueue(tuple((Kind.PLATFORM, kind.value) for kind in PlatformFault), 10.0),
    FaultQueue(((Kind.POISON, "signals"),), 5.0),
)
"""For the live part, while the collectors run."""

RECORDED = (
    FaultQueue(
        (
            *((Kind.KILLED, role) for role in ("resolve", "score")),
            *((Kind.CLOCK, role) for role in ("resolve", "score")),
        ),
        6.0,
    ),
    FaultQueue(
        (
            *((Kind.STOPPED, role) for role in ("resolve", "score")),
            *((Kind.JOINED, role) for role in ("resolve", "score")),
        ),
        16.0,
    ),
    FaultQueue((_BROKERS[2], (Kind.BROKER_STOPPED, "0")), 36.0),
    FaultQueue(((Kind.POISON, "signals"),), 5.0),
)
"""For the replay of a recording."""

SHORT = (
    FaultQueue(
        (*((Kind.KILLED, role) for role in ("resolve", "score")), (Kind.CLOCK, "resolve"), (Kind.CLOCK, "score")), 3.0
    ),
    FaultQueue(((Kind.STOPPED, "resolve"), (Kind.JOINED, "score")), 12.0),
    FaultQueue(((Kind.POISON, "signals"),), 6.0),
)
"""A short schedule, for brokers that other tests share."""


def plan(seed: str, queues: Sequence[FaultQueue], seconds: float) -> list[list[Fault]]:
    """Return the faults of each queue within ``seconds``, in the order of time. Every kind of a queue occurs."""
    return [_queue(random.Random(f"{seed}:{number}"), queue, seconds) for number, queue in enumerate(queues)]


def _queue(chance: random.Random, queue: FaultQueue, seconds: float) -> list[Fault]:
    count = max(len(queue.kinds), int(seconds / queue.every_seconds))
    rounds = [chance.sample(queue.kinds, len(queue.kinds)) for _ in range(0, count, len(queue.kinds))]
    what = [item for items in rounds for item in items][:count]
    step = 0.9 * seconds / count
    return [
        Fault(round(step * (number + chance.random()), 1), kind, target, _amount(chance, kind))
        for number, (kind, target) in enumerate(what)
    ]


def _amount(chance: random.Random, kind: Kind) -> int:
    if kind is Kind.POISON:
        return chance.randrange(5, 40)
    if kind is not Kind.CLOCK:
        return 0
    return chance.choice((-1, 1)) * chance.randrange(2, 90) * MINUTE_MS
