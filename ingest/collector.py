"""What a collector is: the contract between a platform's folder and the one loop.

Owns the protocol every platform's collector follows, the options all of them share, and what a platform declares about
itself. Must never know a platform.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ingest.batch import Batch, Cursor
from ingest.memory.rate_limit import Pace

__all__ = ["Collector", "CollectorConfig", "CollectorSpec", "Positive"]

Positive = Annotated[float, Field(gt=0)]


class CollectorConfig(BaseModel):
    """Options every collector has. A platform's own options carry their unit in the name, like these."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    requests_per_minute: Positive = 60.0
    """At most this many requests in any minute."""
    request_timeout_seconds: Annotated[int, Field(gt=0)] = 15
    """A request without an answer by then has failed."""
    retry_max_seconds: Positive = 120.0
    """After failures, one after the other, the next attempt is made this late at most."""


class Collector(Protocol):
    """An async iterator over one platform.

    ``__anext__`` waits until the next look at the platform is due, looks, and returns the batch, which may be empty.
    It raises a :class:`ingest.errors.CollectError` when it cannot, and may be asked again after that: then it
    takes up where the last batch ended, so that a failed look loses nothing. It never retries by itself, never
    saves anything, and asks ``Pace`` for a turn before each request. It may be cancelled while it waits.
    """

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Batch: ...

    async def aclose(self) -> None:
        """Let go of connections and threads."""
        ...

    @property
    def watched_items(self) -> int:
        """How many items it looks at again and again."""
        ...


ConfigT = TypeVar("ConfigT", bound=CollectorConfig)


@dataclass(frozen=True, slots=True)
class CollectorSpec(Generic[ConfigT]):
    """What a platform declares about its collector.

    ``needs``: what the operator must have. ``gives``: what arrives as signals. ``make(config, cursor, pace, now_ms)``
    returns a collector that goes on from ``cursor`` (None: the first time); it opens no connection yet.
    """

    name: str
    needs_account: bool
    needs: str
    gives: str
    config: type[ConfigT]
    make: Callable[[ConfigT, Cursor | None, Pace, Callable[[], int]], Collector]
