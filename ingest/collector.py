"""What a collector is: the contract between a platform's folder and the one loop.

Owns the protocol that every platform's collector follows, the options that all of them share, and what the loop hands
to them. Must never know a platform.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from ingest.batch import Batch
from ingest.relevance import EVERYTHING, Relevance

if TYPE_CHECKING:  # the settings load this file, and need no HTTP client
    from ingest.memory.rate_limit import RateLimiter

Positive = Annotated[float, Field(gt=0)]
Whole = Annotated[int, Field(ge=1)]


class CollectorConfig(BaseModel):
    """Options every collector has. A platform's own options carry their unit in the name, like these."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    requests_per_minute: Positive = 60.0
    """At most this many requests in any minute."""
    request_timeout_seconds: Annotated[int, Field(gt=0)] = 15
    """A request without an answer by then has failed."""
    retry_max_seconds: Positive = 120.0
    """Longest wait after several failures in a row."""


@dataclass(frozen=True, slots=True)
class CollectorContext:
    """What the loop hands to a collector.

    ``rate_limiter``: asked before each request. ``now_ms``: the time of items, UTC epoch milliseconds; in a simulated
    world it runs faster than real time. ``clock``, ``sleep``: real seconds, for polling. ``relevance``: which root
    posts of a firehose to publish; it changes while the collector runs. A collector of what the operator chose need not
    ask it.
    """

    rate_limiter: "RateLimiter"
    now_ms: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    relevance: Relevance = EVERYTHING


class Collector(Protocol):
    """An async iterator over one platform.

    ``__anext__`` waits until the next poll is due, polls, and returns the batch, which may be empty. It raises an error
    of :mod:`ingest.errors` when it cannot, and may be called again after that: then it goes on where the last batch
    ended, so that a failed poll loses nothing. It never retries by itself, never saves anything, and asks the rate
    limiter before each request. It may be cancelled while it waits.
    """

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Batch: ...

    async def aclose(self) -> None:
        """Close connections and end threads."""

    @property
    def tracked_items(self) -> int:
        """How many items it polls again for their counts."""
