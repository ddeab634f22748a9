"""The loop on a real broker: no cursor ahead of its signals, whatever fails and whenever it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from prometheus_client import REGISTRY

from ingest.batch import Batch, Cursor, Ignored, Signals, Unreadable
from ingest.collector import CollectorConfig, CollectorSpec
from ingest.health import CollectorHealth, Health, State
from ingest.loop import CollectorLoop, LoopOptions
from ingest.pace import Pace
from ingest.signal import Signal
from ingest.verdict import GiveUpError, NeverRetryError, RetryLaterError, SlowDownError
from tests.ingest.kafka_proxy import Fault, KafkaProxy
from tests.ingest.topics import Place, until

BATCH_ITEMS = 10
THREADS = 7
IMPATIENT = LoopOptions(retry_first_seconds=0.02, retry_max_seconds=0.1, kafka_timeout_seconds=3.0, drain_seconds=1.0)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def item(number: int, **changes: object) -> Signal:
    """Return the signal of the platform's item ``number``; it hangs on one of a few posts."""
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
        self.watched_items = 3

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


@asynccontextmanager
async def running(
    place: Place,
    make: Maker | None = None,
    *,
    through: KafkaProxy | None = None,
    options: LoopOptions = IMPATIENT,
    name: str = "count",
) -> AsyncIterator[tuple[asyncio.Task[None], CollectorHealth, asyncio.Event]]:
    """Run a loop; at the end stop it, if the test has not."""

    maker = make or Maker()

    def from_spec(_: CollectorConfig, cursor: Cursor | None, _pace: Pace, _now: Callable[[], int]) -> Counting:
        return maker(cursor)

    spec = CollectorSpec(name, False, "nothing", "numbers", CollectorConfig, from_spec)
    kafka = place.kafka if through is None else place.kafka | {"bootstrap_servers": through.bootstrap_servers}
    stop, health = asyncio.Event(), Health().add(name)
    loop = CollectorLoop(
        spec,
        CollectorConfig(),
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
        with contextlib.suppress(asyncio.CancelledError, GiveUpError):
            await task


def succeeded(health: CollectorHealth) -> Callable[[], bool]:
    return lambda: health.succeeded_at is not None and health.state is State.COLLECTING


async def test_what_is_collected_is_published_in_order_and_the_cursor_follows(place: Place) -> None:
    maker = Maker()
    async with running(place, maker) as (task, health, stop):
        await until(maker.reached(300))
        stop.set()
        await task
    assert health.state is State.STOPPED
    assert maker.last.closed
    cursor = await cursor_is_covered(place)
    numbers = await numbers_in(place)
    assert sorted(numbers) == list(range(cursor))
    for thread in range(THREADS):
        of_thread = [number for number in numbers if number % THREADS == thread]
        assert of_thread == sorted(of_thread)
    assert {record.key for record in await place.read("signals")} == {b"count:post-%d" % n for n in range(THREADS)}


async def test_a_restart_goes_on_from_the_saved_cursor(place: Place) -> None:
    for end in (50, 120):
        maker = Maker(end=end)
        async with running(place, maker):
            await until(maker.reached(end))
        assert await cursor_in(place) == end
    assert sorted(await numbers_in(place)) == list(range(120))


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)
async def test_no_cursor_moves_before_the_broker_has_acknowledged_its_signals(
    place: Place, proxy: KafkaProxy, fault: Fault
) -> None:
    """The topic of the cursors is healthy all the time: only the order of the loop's steps holds the cursor back."""
    signals, maker = f"{place.prefix}signals", Maker()
    async with running(place, maker, through=proxy) as (_, health, _stop):
        await until(maker.reached(100))
        proxy.faults[signals] = fault
        await until(lambda: proxy.struck[signals])
        await asyncio.sleep(0.3)
        before, asked = await cursor_in(place), maker.last.asked
        await asyncio.sleep(1.5)
        assert await cursor_in(place) == before
        assert maker.last.asked == asked  # back-pressure: nothing more is collected either
        await cursor_is_covered(place)
        proxy.faults.clear()
        await until(maker.reached(before + 200))
        await until(succeeded(health))
    cursor = await cursor_is_covered(place)
    assert set(await numbers_in(place)) == set(range(cursor))


async def test_what_was_given_up_is_not_written_later(place: Place, proxy: KafkaProxy) -> None:
    """A producer that is idempotent tries for ever, so it must end with the attempt."""
    signals, maker = f"{place.prefix}signals", Maker()
    async with running(place, maker, through=proxy) as (_, health, _stop):
        await until(maker.reached(50))
        proxy.faults[signals] = Fault.REFUSE
        await until(lambda: health.problem, seconds=20)
        await asyncio.sleep(1)
        proxy.faults.clear()
        await until(succeeded(health))
        await asyncio.sleep(1)
    cursor = await cursor_is_covered(place)
    assert sorted(await numbers_in(place)) == list(range(cursor))


async def test_killed_at_any_moment_it_loses_nothing(place: Place, proxy: KafkaProxy) -> None:
    rng = random.Random(7)
    for _ in range(8):
        async with running(place, through=proxy) as (task, health, _stop):
            await until(succeeded(health))
            await asyncio.sleep(rng.uniform(0, 0.1))
            proxy.cut()
            task.cancel()  # no drain: the process is gone
        await cursor_is_covered(place)
    cursor = await cursor_in(place)
    assert cursor > 50
    numbers = await numbers_in(place)
    assert set(range(cursor)) <= set(numbers)
    # Only what the last cursor did not cover was published again.
    assert len(numbers) - len(set(numbers)) <= 8 * BATCH_ITEMS


async def test_stopping_publishes_what_was_collected(place: Place, proxy: KafkaProxy) -> None:
    signals, maker = f"{place.prefix}signals", Maker()
    async with running(place, maker, through=proxy) as (task, _, stop):
        await until(maker.reached(50))
        proxy.faults[signals] = Fault.HOLD
        await until(lambda: proxy.struck[signals])
        stop.set()
        await asyncio.sleep(0.2)
        proxy.faults.clear()
        await asyncio.wait_for(task, 2)
    assert await cursor_in(place) == maker.last.next
    assert sorted(await numbers_in(place)) == list(range(maker.last.next))


async def test_stopping_takes_no_longer_than_it_may_when_the_broker_does_not_answer(
    place: Place, proxy: KafkaProxy
) -> None:
    signals = f"{place.prefix}signals"
    async with running(place, through=proxy) as (task, health, stop):
        await until(succeeded(health))
        proxy.faults[signals] = Fault.HOLD
        await until(lambda: proxy.struck[signals])
        began_at = time.monotonic()
        stop.set()
        await task
        assert time.monotonic() - began_at < 8
    await cursor_is_covered(place)


async def test_a_broker_that_is_away_is_waited_for(place: Place, proxy: KafkaProxy) -> None:
    proxy.open = False
    async with running(place, through=proxy) as (_, health, _stop):
        await until(lambda: health.problem)
        assert not health.ready
        assert health.problem is not None
        assert health.problem.startswith("Kafka: ")
        proxy.open = True
        await until(succeeded(health))
        assert (health.ready, health.problem) == (True, None)
        proxy.open = False
        proxy.cut()
        await until(lambda: not health.ready)
        proxy.open = True
        await until(succeeded(health))
    await cursor_is_covered(place)


async def test_a_failed_look_is_taken_again_and_seen_in_the_health(place: Place) -> None:
    maker = Maker([RetryLaterError("it is ill"), NeverRetryError("gone"), SlowDownError("slow"), RetryLaterError("x")])
    async with running(place, maker) as (_, health, _stop):
        await until(lambda: health.problem == "it is ill")
        assert (health.state, health.ready) == (State.WAITING, False)
        await until(succeeded(health))
        assert (health.problem, health.ready) == (None, True)
    assert len(maker.made) == 1
    await cursor_is_covered(place)


async def test_a_platform_that_wants_to_be_left_alone_is(place: Place) -> None:
    maker = Maker([SlowDownError("slow", after_seconds=0.7)])
    async with running(place, maker) as (_, health, _stop):
        await until(lambda: health.problem == "slow")
        began_at = time.monotonic()
        await until(lambda: maker.last.asked > 1)
        assert time.monotonic() - began_at > 0.6


async def test_refused_credentials_end_the_collector_with_a_reason(place: Place) -> None:
    async with running(place, Maker([GiveUpError("check client_id")])) as (task, health, _):
        with pytest.raises(GiveUpError, match="check client_id"):
            await task
        assert (health.state, health.problem) == (State.STOPPED, "check client_id")


async def test_a_refusal_after_a_success_is_waited_out(place: Place) -> None:
    """Platforms have refused everybody's tokens for an hour; nobody should have to start the collector again."""
    async with running(place, Maker([Signals(), GiveUpError("refused"), Signals()])) as (task, health, _):
        await until(lambda: health.problem == "refused")
        await until(succeeded(health))
        assert not task.done()


async def test_a_fault_of_ours_starts_the_collector_anew_from_what_is_saved(place: Place) -> None:
    maker = Maker([Signals([item(999_999)]), KeyError("oops")])
    async with running(place, maker) as (_, health, _stop):
        await until(lambda: health.problem == "KeyError: 'oops'")
        await until(succeeded(health))
    assert len(maker.made) == 2
    assert maker.made[0].closed
    await cursor_is_covered(place)


async def write_cursors(place: Place, *records: tuple[bytes, bytes | None]) -> None:
    producer = AIOKafkaProducer(**place.kafka)
    await producer.start()
    for key, value in records:
        await producer.send_and_wait(f"{place.prefix}cursors", value, key=key)
    await producer.stop()


async def test_a_cursor_that_cannot_be_read_is_no_reason_to_begin_anew(place: Place) -> None:
    await write_cursors(place, (b"count", b'{"v":1,"cursor"'))
    async with running(place) as (_, health, _stop):
        await until(lambda: health.problem)
        await asyncio.sleep(0.3)
        assert not health.ready
    assert await numbers_in(place) == []


async def test_the_cursors_of_others_are_passed_over(place: Place) -> None:
    record = b'{"v":1,"collector":"x","saved_ms":0,"cursor":%d}'
    await write_cursors(place, (b"count", record % 70), (b"other", record % 5), (b"third", None))
    async with running(place) as (_, health, _stop):
        await until(succeeded(health))
    assert min(await numbers_in(place)) == 70


async def test_a_cursor_buried_by_the_operator_begins_anew(place: Place) -> None:
    await write_cursors(place, (b"count", b'{"v":1,"collector":"count","saved_ms":0,"cursor":70}'), (b"count", None))
    async with running(place) as (_, health, _stop):
        await until(succeeded(health))
    assert min(await numbers_in(place)) == 0


async def test_an_idle_collector_saves_its_cursor_once_and_is_well(place: Place) -> None:
    maker = Maker(itertools.repeat(Signals()))
    async with running(place, maker) as (_, health, _stop):
        await until(lambda: maker.made and maker.last.asked > 50)
        assert health.ready
        assert health.cursor_age_seconds < 1
    assert len(await place.read("cursors")) == 1


async def test_every_item_is_published_ignored_or_dead_and_the_account_closes(place: Place) -> None:
    name = f"account-{place.prefix}"
    odd = Signals(
        [item(1), item(2, kind="post"), item(3, title="half a pair \ud83d"), item(4, text="x" * 2_000_000)],
        unreadable=[Unreadable.of({"a": "\ud800"}, "wrong_shape", "because"), Unreadable("big", "big", b"x" * 9**6)],
    )
    odd.ignored[Ignored.DEAD] += 3
    async with running(place, Maker([odd], end=0), name=name) as (_, health, _stop):
        await until(succeeded(health))
    assert await numbers_in(place) == [1]
    letters = {letter["reason"]: letter for letter in map(_loads, await place.read("dead-letters"))}
    assert set(letters) == {"wrong_shape", "big", "bad_id", "bad_text", "too_large"}
    assert abs(letters["wrong_shape"].pop("at_ms") - now_ms()) < 60_000
    assert letters["wrong_shape"] == {
        "v": 1,
        "stage": "collect",
        "collector": name,
        "reason": "wrong_shape",
        "detail": "because",
        "topic": None,
        "partition": None,
        "offset": None,
        "original_b64": b64encode(b'{"a": "\\ud800"}').decode(),
    }
    assert json.loads(b64decode(letters["bad_id"]["original_b64"]))["id"] == "count:2"
    assert "of 531441 bytes" in letters["big"]["detail"]
    counted = account(name)
    assert counted == {"items_read": 9, "signals": 4, "signals_published": 1, "records_ignored": 3, "dead_letters": 5}
    assert counted["items_read"] == sum(
        counted[end] for end in ("signals_published", "records_ignored", "dead_letters")
    )


def _loads(record: ConsumerRecord) -> dict[str, Any]:
    return dict(json.loads(record.value))


def account(collector: str) -> dict[str, float]:
    """Return the totals of a collector's counters."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return {
        name: sum(
            sample.value
            for sample in samples
            if sample.name == f"hubbub_collect_{name}_total" and sample.labels["collector"] == collector
        )
        for name in ("items_read", "signals", "signals_published", "records_ignored", "dead_letters")
    }


async def test_a_batch_that_is_mostly_unreadable_is_held_back_until_it_gets_better(place: Place) -> None:
    """A changed format must not end as a million dead letters, nor a cursor that has gone past what it hid."""
    absurd = Signals([item(5)], unreadable=[Unreadable.of({"n": n}, "wrong_shape", "no name") for n in range(40)])
    maker = Maker([absurd], [absurd], [absurd])
    async with running(place, maker) as (_, health, _stop):
        await until(lambda: health.problem)
        assert health.problem is not None
        assert health.problem.startswith("40 of 41 items are unreadable, the first because: no name.")
        await until(succeeded(health))
    assert len(maker.made) == 4
    assert await place.read("dead-letters") == []
    await cursor_is_covered(place)
