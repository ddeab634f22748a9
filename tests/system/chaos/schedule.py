"""What is done to the system and when: the same seed gives the same schedule.

Owns the kinds of faults and their order in time, and nothing of how they are done. Faults stand in lanes: those of one
lane come one after the other (never two brokers at once), those of different lanes overlap.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hubbub.world.faults import Kind as PlatformFault

__all__ = ["LIVE", "RECORDED", "SHORT", "Fault", "Kind", "Lane", "plan"]

MINUTE_MS = 60_000


class Kind(StrEnum):
    """What can be done. The target is a role, a broker's number, or how a platform fails."""

    KILLED = "killed"
    """``kill -9`` of a role."""
    STOPPED = "stopped"
    """SIGSTOP of a role for longer than its session, then SIGCONT."""
    JOINED = "joined"
    """A further worker of a role comes, works and leaves: two rebalances."""
    CLOCK = "clock jumped"
    """The clock of a role jumps by ``amount`` ms and, a while later, back."""
    BROKER_KILLED = "broker killed"
    """``kill -9`` of a broker; it starts again, and all replicas are in step once more before the next is killed."""
    BROKER_STOPPED = "broker stopped"
    """SIGSTOP of a broker: connections stay open and say nothing, buffers fill; then SIGCONT."""
    PLATFORM = "platform"
    """Requests to the simulated platforms fail for a while."""
    POISON = "poison"
    """``amount`` records that are no signal are published to ``signals``."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to do, ``at_seconds`` from the beginning; ``amount`` as its kind says."""

    at_seconds: float
    kind: Kind
    target: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """What is done one after the other: each of ``kinds`` once, and more of them while there is time.

    ``every_seconds``: how far apart, where there is time for more than that.
    """

    kinds: Sequence[tuple[Kind, str]]
    every_seconds: float


_BROKERS = tuple((Kind.BROKER_KILLED, str(number)) for number in range(3))

LIVE = (
    Lane(
        (
            *((Kind.KILLED, role) for role in ("collect", "resolve", "score", "serve")),
            *((Kind.CLOCK, role) for role in ("collect", "resolve", "score")),
        ),
        6.0,
    ),
    Lane(
        (
            *((Kind.STOPPED, role) for role in ("resolve", "score")),
            *((Kind.JOINED, role) for role in ("resolve", "score")),
        ),
        16.0,
    ),
    Lane((*_BROKERS[:2], (Kind.BROKER_STOPPED, "2")), 36.0),
    # With time in between: what a collector misses for half a minute has left the platform's listings.
    Lane(tuple((Kind.PLATFORM, kind.value) for kind in PlatformFault), 10.0),
    Lane(((Kind.POISON, "signals"),), 5.0),
)
"""While the simulated platforms are collected from."""

RECORDED = (
    Lane(
        (
            *((Kind.KILLED, role) for role in ("resolve", "score")),
            *((Kind.CLOCK, role) for role in ("resolve", "score")),
        ),
        6.0,
    ),
    Lane(
        (
            *((Kind.STOPPED, role) for role in ("resolve", "score")),
            *((Kind.JOINED, role) for role in ("resolve", "score")),
        ),
        16.0,
    ),
    Lane((_BROKERS[2], (Kind.BROKER_STOPPED, "0")), 36.0),
    Lane(((Kind.POISON, "signals"),), 5.0),
)
"""While a recording is replayed."""

SHORT = (
    Lane(
        (*((Kind.KILLED, role) for role in ("resolve", "score")), (Kind.CLOCK, "resolve"), (Kind.CLOCK, "score")), 3.0
    ),
    Lane(((Kind.STOPPED, "resolve"), (Kind.JOINED, "score")), 12.0),
    Lane(((Kind.POISON, "signals"),), 6.0),
)
"""A few seconds of it, on brokers that others use as well."""


def plan(seed: str, lanes: Sequence[Lane], seconds: float) -> list[list[Fault]]:
    """Return what is done in each lane within ``seconds``, in the order of time. Every kind of a lane comes up."""
    return [_lane(random.Random(f"{seed}:{number}"), lane, seconds) for number, lane in enumerate(lanes)]


def _lane(chance: random.Random, lane: Lane, seconds: float) -> list[Fault]:
    count = max(len(lane.kinds), int(seconds / lane.every_seconds))
    rounds = [chance.sample(lane.kinds, len(lane.kinds)) for _ in range(0, count, len(lane.kinds))]
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
