"""Retries: how long to wait after a failure, and trying until something succeeds.

Owns the back-off. Must never know what failed, nor whether it is worth another try.

stamina runs the attempts of a single call. It cannot keep the wait itself: its jitter cannot be seeded, and most of
our waits grow over several calls and are reset by the success of something else.
"""

import random
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import stamina
from stamina.instrumentation import set_on_retry_hooks

set_on_retry_hooks(())  # by default each retry writes a log line; the caller reports an outage once


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with equal jitter: between half of a step and the whole of it, steps doubling.

    ``first_seconds``: the first step. ``max_seconds``: no step is longer. ``rng``: seeded by the caller, so that a run
    can be repeated. Jitter keeps callers that failed together from coming back together
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
        """Start again from the first step: something succeeded."""
        self.failures = 0


def attempts(wait_seconds: Callable[[Exception], float | bool]) -> AsyncIterable[AbstractContextManager[None]]:
    """Yield attempts until one succeeds: ``async for attempt in attempts(…): with attempt: …``.

    ``wait_seconds``: called with the error of each failed attempt; returns how long to wait before the next one, or
    False to raise the error.
    """
    return stamina.retry_context(on=wait_seconds, attempts=None, timeout=None)
