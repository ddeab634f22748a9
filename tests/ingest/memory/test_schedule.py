"""The poll schedule: each poll gets its turn, at its interval."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.memory.schedule import PollSchedule
from tests.ingest.fake_clock import FakeClock


def schedule(every_seconds: Mapping[str, float]) -> tuple[PollSchedule, FakeClock]:
    clock = FakeClock()
    return PollSchedule(every_seconds, clock, clock.sleep), clock


async def test_each_poll_is_repeated_at_its_interval() -> None:
    polls, clock = schedule({"often": 1, "seldom": 10, "later": 1e6})
    polls.put_off("later")
    names = [await polls.next() for _ in range(25)]
    assert names[:2] == ["often", "seldom"]
    assert names.count("seldom") == 3
    assert "later" not in names
    assert clock.now == 1_000 + names.count("often") - 1


async def test_a_hurried_poll_is_due_at_once() -> None:
    polls, clock = schedule({"a": 1e6, "b": 1e6})
    assert [await polls.next(), await polls.next()] == ["a", "b"]
    polls.hurry("a")
    assert await polls.next() == "a"
    assert clock.now == 1_000
