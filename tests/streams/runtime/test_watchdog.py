"""The watchdog: it barks at work that is left lying, and at nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.runtime.watchdog import LOOKS, StalledError, Watchdog

LIMIT_SECONDS = 0.4
LOOK_SECONDS = LIMIT_SECONDS / LOOKS


async def something() -> str:
    return "3 records wait"


async def test_work_that_nobody_does_ends_the_role() -> None:
    began = time.monotonic()
    with pytest.raises(StalledError, match=r"3 records wait, and nothing was done for \d+ s"):
        await asyncio.wait_for(Watchdog(something, LIMIT_SECONDS).watch(), 10 * LIMIT_SECONDS)
    assert time.monotonic() - began >= LIMIT_SECONDS


async def test_who_works_slowly_is_left_alone() -> None:
    watchdog = Watchdog(something, LIMIT_SECONDS)
    watching = asyncio.create_task(watchdog.watch())
    for _ in range(5):
        await asyncio.sleep(LIMIT_SECONDS / 2)
        watchdog.moved()
    assert not watching.done()
    watching.cancel()


async def test_work_that_came_just_now_is_not_late_however_long_there_was_none() -> None:
    came_at = time.monotonic() + 2 * LIMIT_SECONDS

    async def late() -> str:
        return "1 record waits" if time.monotonic() >= came_at else ""

    with pytest.raises(StalledError):
        await asyncio.wait_for(Watchdog(late, LIMIT_SECONDS).watch(), 10 * LIMIT_SECONDS)
    assert time.monotonic() - came_at >= LIMIT_SECONDS - LOOK_SECONDS


async def test_a_broker_that_is_away_or_hangs_is_no_fault_of_the_role_s() -> None:
    answers = 0

    async def away() -> str:
        nonlocal answers
        answers += 1
        if answers % 2:
            raise KafkaConnectionError("no broker")
        return await asyncio.Event().wait() or ""

    watching = asyncio.create_task(Watchdog(away, LIMIT_SECONDS).watch())
    await asyncio.sleep(3 * LIMIT_SECONDS)
    assert not watching.done()
    assert answers > 3
    watching.cancel()
