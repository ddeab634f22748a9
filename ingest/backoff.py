"""Back-off: how long to wait after the n-th failure in a row.

Owns the schedule. Must never sleep itself, nor know what failed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

__all__ = ["Backoff"]


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with equal jitter: between half of a step and the whole of it, steps doubling.

    ``first_seconds``: the first step. ``max_seconds``: no step is longer. ``rng``: seeded by whoever makes it, so
    that a run can be repeated. Jitter keeps collectors that failed together from coming back together
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).

    >>> backoff = Backoff(1.0, 60.0, random.Random(1))
    >>> [round(backoff.next_seconds(), 1) for _ in range(4)]
    [0.6, 1.8, 3.5, 5.0]
    """

    first_seconds: float
    max_seconds: float
    rng: random.Random
    failures: int = field(default=0, init=False)

    def next_seconds(self) -> float:
        """Count a failure and return how long to wait before the next try, in seconds."""
        step = min(self.max_seconds, self.first_seconds * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return step * self.rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Forget the failures: something succeeded."""
        self.failures = 0
