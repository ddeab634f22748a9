"""The rate limiter: no more requests in a minute than allowed, in order, and none during a hold."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import metrics
from ingest.memory.rate_limit import RateLimiter
from tests.ingest.fake_clock import FakeClock


def limiter(name: str, requests_per_minute: float) -> tuple[RateLimiter, FakeClock]:
    clock = FakeClock()
    return RateLimiter(name, requests_per_minute, clock=clock, sleep=clock.sleep), clock


async def test_a_minutes_requests_go_at_once_and_the_next_wait_for_their_share() -> None:
    limit, clock = limiter("test-burst", 600)
    for _ in range(600):
        await limit.acquire()
    assert clock.now == 1_000
    for count in range(1, 4):
        await limit.acquire()
        assert clock.now == pytest.approx(1_000 + count * 0.1)
    assert metrics.RATE_LIMIT_WAITS.labels("test-burst")._value.get() == 3


async def test_requests_slower_than_one_a_minute_are_spaced_by_their_interval() -> None:
    limit, clock = limiter("test-slow", 0.5)
    await limit.acquire()
    assert clock.now == 1_000
    await limit.acquire()
    assert clock.now == 1_120


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 20))
def test_the_share_of_each_minute_is_kept(pauses: list[float], requests_per_minute: int) -> None:
    """A leaky bucket: at most a minute's requests at once, then as many as the elapsed time allows."""

    async def run() -> None:
        limit, clock = limiter("test-share", requests_per_minute)
        sent: list[float] = []
        for pause in pauses:
            clock.now += pause
            await limit.acquire()
            sent.append(clock.now)
        for first, start in enumerate(sent):
            for last in range(first, len(sent)):
                allowed = requests_per_minute + (sent[last] - start) * requests_per_minute / 60
                assert last - first + 1 <= allowed + 1e-6

    asyncio.run(run())


async def test_nothing_goes_during_a_hold_and_the_longer_hold_counts() -> None:
    limit, clock = limiter("test-hold", 600)
    limit.hold(20)
    limit.hold(5)
    await asyncio.gather(limit.acquire(), limit.acquire())
    assert clock.now == 1_020
    assert metrics.RATE_LIMIT_WAIT_SECONDS.labels("test-hold")._value.get() >= 20


async def test_requests_that_waited_for_a_hold_count_when_they_are_sent() -> None:
    limit, clock = limiter("test-after-hold", 2)
    limit.hold(300)
    await limit.acquire()
    await limit.acquire()
    assert clock.now == 1_300
    await limit.acquire()
    assert clock.now == 1_330


async def test_a_hold_that_grows_while_a_request_waits_is_obeyed() -> None:
    limit, clock = limiter("test-grow", 600)
    limit.hold(10)
    waiting = asyncio.create_task(limit.acquire())
    await asyncio.sleep(0)  # it sleeps until 1 010
    limit.hold(30)
    await waiting
    assert clock.now == 1_040
