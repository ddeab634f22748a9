"""The watchdog raises on pending work without progress, and on nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from streams.runtime.watchdog import CHECKS, StalledError, Watchdog
from transport.kafka import BrokerAwayError

LIMIT_SECONDS = 80.0
CHECK_SECONDS = LIMIT_SECONDS / CHECKS


class Clock:
    """Time that passes only while the watchdog sleeps; ``on_wake`` runs after each sleep."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.on_wake: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.seconds += seconds
        self.on_wake()

    def watchdog(self, pending_work: Callable[[], Awaitable[str]], limit_seconds: float = LIMIT_SECONDS) -> Watchdog:
        return Watchdog(pending_work, limit_seconds, monotonic=self.monotonic, sleep=self.sleep)


class EnoughError(Exception):
    """Ends a test in which the watchdog must not raise."""


async def three_records() -> str:
    return "3 records wait"


async def test_pending_work_without_progress_raises_after_the_limit() -> None:
    clock = Clock()
    with pytest.raises(StalledError, match=r"3 records wait, and there was no progress for \d+ s"):
        await clock.watchdog(three_records).watch()
    assert LIMIT_SECONDS <= clock.seconds - 1_000 <= LIMIT_SECONDS + CHECK_SECONDS


async def test_slow_progress_is_enough() -> None:
    clock, wakes = Clock(), 0
    watchdog = clock.watchdog(three_records)

    def progress() -> None:
        nonlocal wakes
        wakes += 1
        if wakes % (CHECKS // 2) == 0:
            watchdog.report_progress()
        if wakes == 10 * CHECKS:
            raise EnoughError

    clock.on_wake = progress
    with pytest.raises(EnoughError):
        await watchdog.watch()
    assert watchdog.seconds_since_progress == 0


async def test_the_limit_counts_from_when_work_is_first_pending() -> None:
    clock = Clock()
    came_at = clock.seconds + 2 * LIMIT_SECONDS

    async def late_work() -> str:
        return "1 record waits" if clock.seconds >= came_at else ""

    with pytest.raises(StalledError):
        await clock.watchdog(late_work).watch()
    assert clock.seconds - came_at >= LIMIT_SECONDS - CHECK_SECONDS


async def test_a_broker_that_is_away_or_hangs_is_not_a_stall() -> None:
    clock, queries = Clock(), 0

    async def unreachable() -> str:
        nonlocal queries
        queries += 1
        if queries > 3 * CHECKS:
            raise EnoughError
        if queries % 2:
            raise BrokerAwayError("no broker")
        await asyncio.Event().wait()
        return ""

    with pytest.raises(EnoughError):
        await clock.watchdog(unreachable, limit_seconds=0.04).watch()
