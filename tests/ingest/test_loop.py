"""The loop on a real broker: no cursor ahead of its signals, whatever fails and whenever it is stopped."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from ingest.health import State
from tests.eventually import eventually
from tests.ingest.counting import (
    BATCH_ITEMS,
    THREADS,
    Maker,
    cursor_in,
    cursor_is_covered,
    numbers_in,
    running,
    succeeded,
)
from tests.ingest.kafka_proxy import Fault, KafkaProxy
from tests.ingest.topics import Place


async def test_what_is_collected_is_published_in_order_and_the_cursor_follows(place: Place) -> None:
    maker = Maker()
    async with running(place, maker) as (task, health, stop):
        await eventually(maker.reached(300))
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
            await eventually(maker.reached(end))
        assert await cursor_in(place) == end
    assert sorted(await numbers_in(place)) == list(range(120))


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)
async def test_no_cursor_moves_before_the_broker_has_acknowledged_its_signals(
    place: Place, proxy: KafkaProxy, fault: Fault
) -> None:
    """The topic of the cursors is healthy all the time: only the order of the loop's steps holds the cursor back."""
    signals, maker = f"{place.prefix}signals", Maker()
    async with running(place, maker, through=proxy) as (_, health, _stop):
        await eventually(maker.reached(100))
        proxy.faults[signals] = fault
        await eventually(lambda: proxy.struck[signals])
        await asyncio.sleep(0.3)
        before, asked = await cursor_in(place), maker.last.asked
        await asyncio.sleep(1.5)
        assert await cursor_in(place) == before
        assert maker.last.asked == asked  # back-pressure: nothing more is collected either
        await cursor_is_covered(place)
        proxy.faults.clear()
        await eventually(maker.reached(before + 200))
        await eventually(succeeded(health))
    cursor = await cursor_is_covered(place)
    assert set(await numbers_in(place)) == set(range(cursor))


async def test_what_was_given_up_is_not_written_later(place: Place, proxy: KafkaProxy) -> None:
    """A producer that is idempotent tries for ever, so it must end with the attempt."""
    signals, maker = f"{place.prefix}signals", Maker()
    async with running(place, maker, through=proxy) as (_, health, _stop):
        await eventually(maker.reached(50))
        proxy.faults[signals] = Fault.REFUSE
        await eventually(lambda: health.problem, within_seconds=20)
        await asyncio.sleep(1)
        # The broker may have these whose acknowledgement was under way when the connection broke.
        before = Counter(await numbers_in(place))
        proxy.faults.clear()
        await eventually(succeeded(health))
        await asyncio.sleep(1)
    cursor = await cursor_is_covered(place)
    published = Counter(await numbers_in(place))
    assert set(published) == set(range(cursor))
    assert set((published - before).values()) == {1}


@pytest.mark.slow
async def test_killed_at_any_moment_it_loses_nothing(place: Place, proxy: KafkaProxy) -> None:
    rng = random.Random(7)
    for _ in range(8):
        async with running(place, through=proxy) as (task, health, _stop):
            await eventually(succeeded(health))
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
        await eventually(maker.reached(50))
        proxy.faults[signals] = Fault.HOLD
        await eventually(lambda: proxy.struck[signals])
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
        await eventually(succeeded(health))
        proxy.faults[signals] = Fault.HOLD
        await eventually(lambda: proxy.struck[signals])
        stop.set()
        await asyncio.wait_for(task, 20)
    await cursor_is_covered(place)
