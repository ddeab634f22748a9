"""A collector of the natural numbers, the loop that runs it, and what it left on the broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorConfig, CollectorContext
from ingest.health import CollectorHealth, State
from ingest.loop import CollectorLoop, LoopOptions
from ingest.signal import Signal
from ingest.spec import PlatformSpec
from tests.ingest.kafka_proxy import KafkaProxy
from tests.ingest.topics import Place
from transport.errors import UserError

BATCH_ITEMS = 10
THREADS = 7
IMPATIENT = LoopOptions(retry_first_seconds=0.02, kafka_timeout_seconds=3.0, drain_seconds=1.0)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def item(number: int, **changes: object) -> Signal:
    """Return the signal of the platform's item ``number``; it answers one of a few posts."""
    fields: dict[str, object] = {
        "id": f"count:{number}",
        "kind": "reply",
        "platform": "count",
        "thread": f"count:post-{number % THREADS}",
        "created_ms": now_ms(),
        "observed_ms": now_ms(),
    }
    return Signal(**(fields | changes))  # type: ignore[arg-type]


async def numbers_in(place: Place) -> list[int]:
    """Return the numbers published."""
    return [int(found.id.partition(":")[2]) for found in await place.signals()]


async def cursor_in(place: Place) -> int:
    cursor = await place.cursor("count")
    assert cursor is None or isinstance(cursor, int)
    return cursor or 0


async def cursor_is_covered(place: Place) -> int:
    """Check that everything below the saved cursor was published; the cursor, which is returned, is read first."""
    cursor = await cursor_in(place)
    assert set(range(cursor)) <= set(await numbers_in(place))
    return cursor


Event = Exception | Signals


class Counting:
    """A collector of a platform whose items are the natural numbers; ``events`` come first, then the numbers."""

    def __init__(self, cursor: Cursor | None, events: Iterable[Event] = (), end: float = float("inf")) -> None:
        self.next = 0 if cursor is None else int(json.loads(cursor))
        self.events = iter(events)
        self.end = end
        self.asked = 0
        self.closed = False
        self.tracked_items = 3

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        self.asked += 1
        await asyncio.sleep(0.001)
        event = next(self.events, None)
        if isinstance(event, Exception):
            raise event
        if event is not None:
            return Batch(event, b"%d" % self.next)
        if self.next >= self.end:
            await asyncio.sleep(3600)
        signals = Signals([item(number) for number in range(self.next, self.next + BATCH_ITEMS)])
        self.next += BATCH_ITEMS
        return Batch(signals, b"%d" % self.next)

    async def aclose(self) -> None:
        self.closed = True


class Maker:
    """Makes collectors, and remembers them. ``events``: what the first, the second, … yields before its numbers."""

    def __init__(self, *events: Iterable[Event], end: float = float("inf")) -> None:
        self._events = iter(events)
        self._end = end
        self.made: list[Counting] = []

    def __call__(self, cursor: Cursor | None) -> Counting:
        self.made.append(Counting(cursor, next(self._events, ()), self._end))
        return self.made[-1]

    @property
    def last(self) -> Counting:
        return self.made[-1]

    def reached(self, number: int) -> Callable[[], bool]:
        return lambda: bool(self.made) and self.last.next >= number


@dataclass
class RememberingHealth(CollectorHealth):
    """Health that remembers each failure: problem, state, and whether the collector was ready.

    A failure may be over before a test looks.
    """

    failures: list[tuple[str, State, bool]] = field(default_factory=list)

    def failed(self, problem: str, *, state: State = State.WAITING) -> None:
        super().failed(problem, state=state)
        self.failures.append((problem, self.state, self.ready))

    @property
    def problems(self) -> list[str]:
        return [problem for problem, _, _ in self.failures]


def counting_spec(maker: Maker, name: str = "count") -> PlatformSpec[CollectorConfig]:
    """Return the platform whose collectors ``maker`` makes."""

    def from_spec(_: CollectorConfig, cursor: Cursor | None, _context: CollectorContext) -> Counting:
        return maker(cursor)

    return PlatformSpec(
        name=name,
        display_name="Numbers",
        config=CollectorConfig,
        make=from_spec,
        needs="nothing",
        gives="numbers",
        needs_account=False,
        rate_limit="none",
        terms="none",
        terms_url="https://example.org",
        capabilities=frozenset(),
    )


@asynccontextmanager
async def running(
    place: Place,
    make: Maker | None = None,
    *,
    through: KafkaProxy | None = None,
    options: LoopOptions = IMPATIENT,
    name: str = "count",
) -> AsyncIterator[tuple[asyncio.Task[None], RememberingHealth, asyncio.Event]]:
    """Run a loop; at the end stop it, if the test has not."""
    maker = make or Maker()

    spec = counting_spec(maker, name)
    kafka = place.kafka if through is None else place.kafka | {"bootstrap_servers": through.bootstrap_servers}
    stop, health = asyncio.Event(), RememberingHealth(name)
    loop = CollectorLoop(
        spec,
        CollectorConfig(retry_max_seconds=0.1),
        kafka=kafka,
        topics=place.prefix,
        now_ms=now_ms,
        stop=stop,
        health=health,
        options=options,
    )
    task = asyncio.create_task(loop.run())
    try:
        yield task, health, stop
    finally:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError, UserError):
            await task


def succeeded(health: CollectorHealth) -> Callable[[], bool]:
    return lambda: health.succeeded_at is not None and health.state is State.COLLECTING
