"""The whole system over simulated platforms, disturbed; and what it made of them, held against their world.

Owns the world, the run, and its end: the platforms get well, what is left is collected, and everything is scored once
more. Gives what was collected as a recording.
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
from hubbub.world.items import Item, Platform
from hubbub.world.world import World
from ingest.signal import InvalidSignalError, decode
from streams.records.noise_score import NoiseScore
from streams.serve.read import read_scores
from tests.system.chaos.audit import Finding, account, against_oracle, against_world, letters, read_outcome
from tests.system.chaos.faults import Disturbance
from tests.system.chaos.load import Load, Recording
from tests.system.chaos.recorded import Result, settle
from tests.system.chaos.schedule import LIVE, plan
from tests.system.chaos.stage import Stage
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["PACE", "run"]

SPEED = 240.0
PACE = {"HUBBUB_SCORE__TICK_MS": "60000"}
"""How often states are decided: four times in a second of ours, where the ticks of each second would be 240."""
AGO_MS = 3 * 86_400_000
"""The world lies so far back that its signals, replayed later, are taken for the recording that they are then."""
START_SECONDS = 20.0
"""The world's time begins so long after the start; the roles take about that long to get ready."""
CHATTER_PER_SECOND = 33.0
STORIES = 16
REPLIES = 400
VOTES = 200.0
"""Loud posts are looked at four times as often. That is the load: more posts would sooner be out of their listings."""
COLLECTED_SECONDS = 60.0
"""What there is must be collected so long after the platforms are well again."""
SERVED_SECONDS = 20.0
ORPHAN_WAIT_SECONDS = 3_600
"""In the world's time: a quarter of a minute of ours."""
ROLES = ("collect", "collect", "resolve", "resolve", "score", "score", "serve", "serve")


async def run(
    *, kafka: KafkaSettings, cluster: Cluster, folder: Path, seed: int, seconds: float, tell: Callable[[str], None]
) -> tuple[Result, Recording, World]:
    """Collect a world of ``seconds``, disturbed; return what was found, the signals collected, and the world."""
    started_ms = wall_clock() + int(START_SECONDS * 1000)
    clock = WorldClock(started_ms - AGO_MS, started_ms, SPEED)
    size = Size(seconds * SPEED / 3600, STORIES, int(CHATTER_PER_SECOND * seconds), REPLIES, VOTES)
    world = generate(seed, clock.origin_ms, size)
    tell(f"a world of {len(world)} posts and replies in {seconds:.0f} s; every role runs twice")
    async with (
        _platforms(seed, clock, size) as urls,
        Stage(kafka, ROLES, folder, _environment(clock, urls)) as stage,
        _arriving(kafka) as arrived,
    ):
        await asyncio.sleep((clock.started_ms - wall_clock()) / 1000)
        tell("disturbed")
        began, began_ms = time.monotonic(), wall_clock()
        disturbance = Disturbance(stage, f"live {seed}", cluster=cluster, platforms_url=urls["reddit_url"])
        await disturbance.run(plan(f"live {seed}", LIVE, seconds))
        await asyncio.sleep(began + seconds - time.monotonic())
        offered = arrived.signals / (time.monotonic() - began)
        tell("all is well again; what is left is collected and scored")
        # What was taken away may have been so before anybody could see it.
        due = [it.signal_id for it in _everything(world) if it.there(world.ends_ms) and not it.gone(clock())]
        with suppress(TimeoutError):
            async with asyncio.timeout(COLLECTED_SECONDS):
                while not arrived.ids.issuperset(due):
                    await asyncio.sleep(0.5)
        for collector in stage.instances("collect"):
            await stage.supervisor.stop(collector)
        await settle(kafka)
        ended_ms = wall_clock()
        outcome = await read_outcome(kafka)
        served = [await _served(kafka, server, stage.ports[server]) for server in stage.instances("serve")]
    signals = len(outcome.logged)
    load = Load.of(
        signals,
        began_ms=began_ms,
        published_seconds=signals / offered,
        ended_ms=ended_ms,
        told_ms=outcome.told_ms,
    )
    result = Result(
        load,
        done=disturbance.done,
        findings=[
            *against_world(outcome, world, due),
            *against_oracle(outcome, 1000 * ORPHAN_WAIT_SECONDS),
            letters(outcome, disturbance.poison),
            account(outcome),
            *served,
        ],
        failures=dict(stage.failures),
    )
    recording = sorted(((one.signal, one.raw) for one in outcome.logged), key=lambda pair: pair[0].observed_ms)
    return result, recording, world


def _everything(world: World) -> Iterator[Item]:
    platforms: tuple[Platform, ...] = ("reddit", "hackernews")
    for platform in platforms:
        yield from world.posts(platform).items
        yield from world.replies(platform).items


class _Arrivals:
    """What has come into ``signals``: how many, and the ids of all."""

    def __init__(self) -> None:
        self.signals = 0
        self.ids: set[str] = set()


@asynccontextmanager
async def _arriving(kafka: KafkaSettings) -> AsyncIterator[_Arrivals]:
    """Follow ``signals`` until the block ends."""
    arrived = _Arrivals()

    async def follow() -> None:
        async with TopicReader(name("signals", kafka.topic_prefix), kafka.client_options()) as tail:
            while True:
                for record in await tail.poll(200):
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
    """Hold what a server answers against the topic it reads, in which scores fade all the while."""
    expected, told = dict[str, float](), {"": 0.0}
    with suppress(TimeoutError):
        async with asyncio.timeout(SERVED_SECONDS), aiohttp.ClientSession() as session:
            while told != expected:
                async with session.get(f"http://127.0.0.1:{port}/api/stories.ndjson") as response:
                    lines = (await response.read()).splitlines()
                told = {score.story: score.noise for score in (msgspec.json.decode(x, type=NoiseScore) for x in lines)}
                scores = await read_scores(kafka.client_options(), kafka.topic_prefix)
                expected = {story: score.noise for story, score in scores.items()}
    wrong = sum(told.get(story) != noise for story, noise in expected.items())
    found = f"{len(told)} stories; {wrong} of {len(expected)} not as in the topic"
    return Finding(f"{server} serves the scores of the topic", told == expected, found)


def _environment(clock: WorldClock, urls: dict[str, str]) -> dict[str, str]:
    return {
        **PACE,
        **collector_settings(clock, urls),
        "HUBBUB_RESOLVE__ORPHAN_WAIT_SECONDS": str(ORPHAN_WAIT_SECONDS),
        # Three brokers on a machine of ours: it is requests that cost them, not records.
        "HUBBUB_RESOLVE__FLUSH_SECONDS": "0.1",
        "HUBBUB_SCORE__FLUSH_SECONDS": "0.1",
        # Minutes of patience would be days of this world, and its listings reach back half a minute of ours.
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
