"""The live part: the whole system over simulated platforms, disturbed, and its result compared with their world.

Owns the world, the run and its end: the platforms recover, the rest is collected, and every story is scored again.
Returns the collected signals as a recording.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import msgspec

from deploy.kafka.cluster import Cluster
from hubbub.clock import WorldClock, wall_clock
from hubbub.process.simulated_platforms import collector_settings, platforms
from hubbub.settings import KafkaSettings
from hubbub.world.generated import Size, generate
from hubbub.world.items import Item
from hubbub.world.servers import SIMULATORS
from hubbub.world.world import World
from ingest.signal import InvalidSignalError, decode
from streams.records.noise_score import NoiseScore
from streams.serve.read import read_scores
from tests.system.chaos.audit import (
    Finding,
    accounted,
    compare_with_oracle,
    compare_with_world,
    dead_letters,
    read_records,
)
from tests.system.chaos.deployment import Deployment
from tests.system.chaos.faults import FaultInjector
from tests.system.chaos.load import Load, Recording
from tests.system.chaos.replayed import Result, rescore_all
from tests.system.chaos.schedule import LIVE, plan
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["TICK_SETTINGS", "run"]

SPEED = 240.0
TICK_SETTINGS = {"HUBBUB_SCORE__TICK_MS": "60000"}
"""States are decided four times per real second. With the default of one second of event time, it would be 240."""
AGO_MS = 3 * 86_400_000
"""The world is this long ago, so that its signals are taken for a recording when they are replayed later."""
START_SECONDS = 20.0
"""The world's time begins this long after the start, because the roles take about as long to get ready."""
CHATTER_PER_SECOND = 33.0
STORIES = 16
REPLIES = 400
VOTES = 200.0
"""Loud posts are polled four times as often. They make the load, since more posts would leave their listings sooner."""
COLLECTED_SECONDS = 60.0
"""Every item must be collected this long after the platforms have recovered."""
SERVED_SECONDS = 20.0
ORPHAN_WAIT_SECONDS = 3_600
"""In the world's time: 15 s in real time."""
ROLES = ("collect", "collect", "resolve", "resolve", "score", "score", "serve", "serve")


async def run(
    *, kafka: KafkaSettings, cluster: Cluster, folder: Path, seed: int, seconds: float, report: Callable[[str], None]
) -> tuple[Result, Recording, World]:
    """Collect a world of ``seconds``, disturbed. Return the result, the collected signals and the world."""
    started_ms = wall_clock() + int(START_SECONDS * 1000)
    clock = WorldClock(started_ms - AGO_MS, started_ms, SPEED)
    size = Size(seconds * SPEED / 3600, STORIES, int(CHATTER_PER_SECOND * seconds), REPLIES, VOTES)
    world = generate(seed, clock.origin_ms, size, SIMULATORS)
    report(f"a world of {len(world)} posts and replies in {seconds:.0f} s; every role runs twice")
    async with (
        _platforms(seed, clock, size) as urls,
        Deployment(kafka, ROLES, folder, _environment(clock, urls)) as deployment,
        _following(kafka) as arrived,
    ):
        await asyncio.sleep((clock.started_ms - wall_clock()) / 1000)
        report("disturbed")
        began, began_ms = time.monotonic(), wall_clock()
        injector = FaultInjector(deployment, f"live {seed}", cluster=cluster, platforms_url=urls["reddit_url"])
        await injector.run(plan(f"live {seed}", LIVE, seconds))
        await asyncio.sleep(began + seconds - time.monotonic())
        published_per_second = arrived.signals / (time.monotonic() - began)
        report("no more faults; the rest is collected and scored")
        # Items that are deleted by now may have been deleted before a collector could see them.
        due = [it.signal_id for it in _everything(world) if it.there(world.ends_ms) and not it.gone(clock())]
        with suppress(TimeoutError):
            async with asyncio.timeout(COLLECTED_SECONDS):
                while not arrived.ids.issuperset(due):
                    await asyncio.sleep(0.5)
        for collector in deployment.instances("collect"):
            await deployment.supervisor.stop(collector)
        await rescore_all(kafka)
        ended_ms = wall_clock()
        run = await read_records(kafka)
        served = [await _served(kafka, server, deployment.ports[server]) for server in deployment.instances("serve")]
    signals = len(run.logged)
    load = Load.of(
        signals,
        began_ms=began_ms,
        published_seconds=signals / published_per_second,
        ended_ms=ended_ms,
        emitted_ms=run.emitted_ms,
    )
    result = Result(
        load,
        injected=injector.injected,
        findings=[
            *compare_with_world(run, world, due),
            *compare_with_oracle(run, 1000 * ORPHAN_WAIT_SECONDS),
            dead_letters(run, injector.poison),
            accounted(run),
            *served,
        ],
        failures=dict(deployment.failures),
    )
    recording = sorted(((one.signal, one.raw) for one in run.logged), key=lambda pair: pair[0].observed_ms)
    return result, recording, world


def _everything(world: World) -> Iterator[Item]:
    platforms: tuple[str, ...] = ("reddit", "hackernews")
    for platform in platforms:
        yield from world.posts(platform).items
        yield from world.replies(platform).items


class _Arrivals:
    """What has arrived in ``signals``: how many records, and all ids."""

    def __init__(self) -> None:
        self.signals = 0
        self.ids: set[str] = set()


@asynccontextmanager
async def _following(kafka: KafkaSettings) -> AsyncIterator[_Arrivals]:
    """Follow ``signals`` until the block ends."""
    arrived = _Arrivals()

    async def follow() -> None:
        async with TopicReader(name("signals", kafka.topic_prefix), kafka.client_options()) as reader:
            while True:
                for record in await reader.poll(200):
                    with suppress(InvalidSignalError):
                        arrived.ids.add(decode(record.value or b"").id)
                        arrived.signals += 1

    following = asyncio.create_task(follow())
    try:
        yield arrived
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _served(kafka: KafkaSettings, server: str, port: int) -> Finding:
    """Compare the answer of a server with the topic. Scores decay meanwhile, so compare until they are equal."""
    expected, emitted = dict[str, float](), {"": 0.0}
    with suppress(TimeoutError):
        async with asyncio.timeout(SERVED_SECONDS), aiohttp.ClientSession() as session:
            while emitted != expected:
                async with session.get(f"http://127.0.0.1:{port}/api/stories.ndjson") as response:
                    lines = (await response.read()).splitlines()
                emitted = {
                    score.story: score.noise for score in (msgspec.json.decode(x, type=NoiseScore) for x in lines)
                }
                scores = await read_scores(kafka.client_options(), kafka.topic_prefix)
                expected = {story: score.noise for story, score in scores.items()}
    wrong = sum(emitted.get(story) != noise for story, noise in expected.items())
    found = f"{len(emitted)} stories; {wrong} of {len(expected)} differ from the topic"
    return Finding(f"{server} serves the scores of the topic", emitted == expected, found)


def _environment(clock: WorldClock, urls: dict[str, str]) -> dict[str, str]:
    return {
        **TICK_SETTINGS,
        **collector_settings(clock, urls),
        "HUBBUB_RESOLVE__ORPHAN_WAIT_SECONDS": str(ORPHAN_WAIT_SECONDS),
        # Three brokers on one machine: requests are what they cost, not records.
        "HUBBUB_RESOLVE__FLUSH_SECONDS": "0.1",
        "HUBBUB_SCORE__FLUSH_SECONDS": "0.1",
        # Minutes of waiting would be days of this world, and its listings reach back half a real minute.
        "HUBBUB_COLLECT__REDDIT__RETRY_MAX_SECONDS": "1",
        "HUBBUB_COLLECT__HACKERNEWS__RETRY_MAX_SECONDS": "1",
        "HUBBUB_COLLECT__REDDIT__REQUESTS_PER_MINUTE": "6000",
        "HUBBUB_COLLECT__REDDIT__REQUEST_TIMEOUT_SECONDS": "3",
        "HUBBUB_COLLECT__REDDIT__SUBMISSIONS_POLL_SECONDS": "0.5",
        "HUBBUB_COLLECT__REDDIT__COMMENTS_POLL_SECONDS": "0.5",
        "HUBBUB_COLLECT__REDDIT__REOBSERVE_SECONDS": "0.05",
        "HUBBUB_COLLECT__REDDIT__REOBSERVE_MAX_ITEMS": "1000",
        "HUBBUB_COLLECT__REDDIT__SWEEP_SECONDS": "5",
        "HUBBUB_COLLECT__HACKERNEWS__REQUESTS_PER_MINUTE": "60000",
        "HUBBUB_COLLECT__HACKERNEWS__REQUEST_TIMEOUT_SECONDS": "3",
        "HUBBUB_COLLECT__HACKERNEWS__POLL_SECONDS": "0.5",
        "HUBBUB_COLLECT__HACKERNEWS__UPDATES_SECONDS": "1",
        "HUBBUB_COLLECT__HACKERNEWS__FRONT_PAGE_SECONDS": "1",
        "HUBBUB_COLLECT__HACKERNEWS__REOBSERVE_SECONDS": "0.3",
        "HUBBUB_COLLECT__HACKERNEWS__REOBSERVE_MAX_ITEMS": "60",
        "HUBBUB_COLLECT__HACKERNEWS__MAX_CONCURRENT_REQUESTS": "32",
        "HUBBUB_COLLECT__HACKERNEWS__MISSING_RETRY_SECONDS": "0.5",
    }


def _platforms(seed: int, clock: WorldClock, size: Size) -> AbstractAsyncContextManager[dict[str, str]]:
    # fmt: off
    return platforms(
        clock, "--seed", str(seed), "--hours", repr(size.hours), "--stories", str(size.stories),
        "--chatter", str(size.chatter), "--replies", str(size.replies), "--votes", str(size.votes),
        "--budget-factor", "1000",
    )
    # fmt: on
