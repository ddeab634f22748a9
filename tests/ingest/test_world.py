"""The real collectors on a simulated world: all of it arrives, with the counts it had, calm or disturbed."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubbub.clock import WorldClock
from hubbub.world.faults import Fault, Faults, Kind
from hubbub.world.generated import Size, generate
from hubbub.world.items import Item, Post, Reply
from hubbub.world.servers import Platforms
from hubbub.world.world import World
from ingest.signal import Signal
from tests.eventually import eventually
from tests.ingest.topics import Place

pytestmark = pytest.mark.slow

SPEED = 240.0
SIZE = Size(hours=1.0, stories=8, chatter=300, replies=600)
CATCH_UP_SECONDS = 90.0
"""After the end of the world, everything has been collected by then."""
UNDER_WAY_SECONDS = 4.0
"""How long an answer may take from the platform's look at its clock to the collector's, on a busy machine."""


def everything(world: World) -> Iterator[Item]:
    for platform in ("reddit", "hackernews"):
        yield from world.posts(platform).items
        yield from world.replies(platform).items


def configs(platforms: Platforms) -> dict[str, dict[str, object]]:
    return {
        "reddit": {
            "client_id": "id",
            "client_secret": "secret",
            "reddit_url": platforms.urls["reddit"],
            "oauth_url": platforms.urls["reddit"],
            "subreddits": ["all"],
            "requests_per_minute": 6_000,
            "request_timeout_seconds": 2,
            "submissions_poll_seconds": 0.3,
            "comments_poll_seconds": 0.3,
            "reobserve_seconds": 0.5,
            "sweep_seconds": 2,
        },
        "hackernews": {
            "base_url": platforms.urls["hackernews"],
            "requests_per_minute": 60_000,
            "request_timeout_seconds": 2,
            "poll_seconds": 0.3,
            "updates_seconds": 1,
            "front_page_seconds": 1,
            "reobserve_seconds": 0.5,
            "missing_retry_seconds": 0.5,
        },
    }


class CollectProcess:
    """The collectors in a process of their own."""

    def __init__(self, place: Place, platforms: Platforms) -> None:
        self._options = json.dumps(
            {"kafka": place.kafka, "topics": place.prefix, "clock": str(platforms.clock), "configs": configs(platforms)}
        )
        self.kills = 0

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.ingest.collect_process",
            self._options,
            cwd=Path(__file__).parents[2],
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        assert self._process.returncode is None, "the collectors ended by themselves"
        self._process.kill()
        await self._process.wait()
        self.kills += 1

    async def terminate(self) -> None:
        self._process.terminate()
        assert await asyncio.wait_for(self._process.wait(), 10) == 0


@dataclass(frozen=True)
class Run:
    """What a run collected of a world until ``stopped_ms``."""

    world: World
    signals: list[Signal]
    stopped_ms: int


def due(world: World, now_ms: int) -> set[str]:
    """Return what must arrive. A removed item may have been removed before it could be read."""
    return {item.signal_id for item in everything(world) if item.there(world.ends_ms) and not item.gone(now_ms)}


async def until_collected(world: World, clock: WorldClock, place: Place) -> None:
    """Wait until all of ``world`` has arrived."""

    async with asyncio.timeout(CATCH_UP_SECONDS):
        while due(world, clock()) - {signal.id for signal in await place.signals()}:
            await asyncio.sleep(1)  # this process serves the platforms too


async def until_struck(faults: Faults) -> None:
    """Wait for the next fault."""
    before = faults.struck.total()
    await eventually(lambda: faults.struck.total() > before, CATCH_UP_SECONDS)


def check(run: Run) -> None:
    items = {item.signal_id: item for item in everything(run.world)}
    arrived = {signal.id for signal in run.signals}
    assert arrived <= items.keys()
    assert len(due(run.world, run.stopped_ms)) > 400
    assert due(run.world, run.stopped_ms) - arrived == set()
    for signal in run.signals:
        check_signal(signal, items[signal.id])


def check_signal(signal: Signal, item: Item) -> None:
    earlier_ms = signal.observed_ms - int(UNDER_WAY_SECONDS * SPEED * 1000)
    assert signal.created_ms == item.created_ms
    assert signal.thread == (item.post if isinstance(item, Reply) else item).signal_id
    assert signal.kind == ("reply" if isinstance(item, Reply) else "post")
    if signal.deleted:
        assert item.gone(signal.observed_ms)
        assert (signal.title, signal.text, signal.url, signal.author) == (None, None, None, None)
        return
    if signal.author is not None:
        assert signal.author.name == item.author
    else:
        assert item.author is None or item.gone(signal.observed_ms)
    if isinstance(item, Post):
        before, then = item.totals(earlier_ms), item.totals(signal.observed_ms)
        assert _between(before.likes, signal.counts.likes, then.likes)
        assert _between(before.replies, signal.counts.replies, then.replies)
        assert (signal.title or "").encode() == item.title.encode("utf-8", "replace")


def _between(one: int | None, count: int | None, other: int | None) -> bool:
    if count is None or one is None or other is None:
        return count is None and other is None
    return min(one, other) <= count <= max(one, other)


def a_world() -> tuple[World, WorldClock]:
    """Return a world and its clock, which begins in the past: Kafka refuses what is stamped an hour ahead."""
    started_ms = time.time_ns() // 1_000_000
    clock = WorldClock(started_ms - 12 * 3_600_000, started_ms, SPEED)
    return generate(11, clock.origin_ms, SIZE), clock


def seconds_until_end(world: World, clock: WorldClock) -> float:
    return (world.ends_ms - clock()) / SPEED / 1000


async def test_a_whole_world_arrives_with_the_counts_it_had(place: Place) -> None:
    world, clock = a_world()
    async with Platforms(world, clock, budget_factor=1_000) as platforms:
        process = CollectProcess(place, platforms)
        await process.start()
        await asyncio.sleep(seconds_until_end(world, clock))
        await until_collected(world, clock, place)
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while observations_of_a_post(await place.signals()) <= 4:
                await asyncio.sleep(1)
        await process.terminate()
    signals = await place.signals()
    check(Run(world, signals, clock()))
    assert len({(signal.id, signal.observed_ms) for signal in signals}) == len(signals)
    assert posts_come_before_their_replies(signals, world)
    assert await place.read("dead-letters") == []
    assert observations_of_a_post(signals) > 4


def observations_of_a_post(signals: list[Signal]) -> float:
    """Return how often a post was observed, on average: its counts are polled again and again."""
    watched = [signal.id for signal in signals if signal.is_root]
    return len(watched) / len(set(watched))


def posts_come_before_their_replies(signals: list[Signal], world: World) -> bool:
    seen: set[str] = set()
    gone = {item.signal_id for item in everything(world) if item.gone_ms is not None}
    for signal in signals:
        seen.add(signal.id)
        if signal.thread not in seen and signal.thread not in gone:
            return False
    return True


async def test_a_whole_world_arrives_however_the_platforms_fail_and_whenever_we_are_killed(place: Place) -> None:
    world, clock = a_world()
    rng = random.Random(5)
    faults = Faults((Fault(kind=kind, probability=0.03, seconds=1.0) for kind in Kind), seed=3)
    async with Platforms(world, clock, faults=faults, budget_factor=1_000) as platforms:
        process = CollectProcess(place, platforms)
        await process.start()
        # However long a start takes here: it is killed at work, and until every kind of fault has struck.
        while seconds_until_end(world, clock) > 0 or process.kills < 3 or set(faults.struck) != set(Kind):
            await until_struck(faults)
            await asyncio.sleep(rng.uniform(1, 4))
            await process.kill()
            await process.start()
        faults.schedule = ()
        await until_collected(world, clock, place)
        await process.terminate()
    check(Run(world, await place.signals(), clock()))
