"""A Mastodon collector that reads scripted instances, with the polls that a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from ingest.batch import Batch, Cursor, Signals
from ingest.platforms.mastodon.collector import MastodonCollector
from ingest.platforms.mastodon.config import MastodonConfig
from ingest.relevance import EVERYTHING, Relevance
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.mastodon.mastodon_site import HOST, MastodonSite
from tests.ingest.sites import NOW_MS

__all__ = ["NEVER_SECONDS", "World", "collecting", "ids", "poll_until", "polls"]

NEVER_SECONDS = 1e6


class World:
    """The time of items, which a test moves on: ``now_ms`` is that of the clock, from ``NOW_MS`` on."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ahead_ms = 0

    def __call__(self) -> int:
        return NOW_MS + self.ahead_ms + int((self.clock.now - 1_000) * 1000)


@asynccontextmanager
async def collecting(
    *sites: MastodonSite,
    hosts: tuple[str, ...] = (HOST, "b.example", "c.example"),
    cursor: Cursor | None = None,
    world: Callable[[], int] | None = None,
    token: str | None = None,
    relevance: Relevance = EVERYTHING,
    **changes: object,
) -> AsyncIterator[MastodonCollector]:
    """Run a collector of ``sites`` under ``hosts``. Without ``changes`` it polls the public timelines alone."""
    world = world or World()
    instance: dict[str, object] = {} if token is None else {"access_token": token}
    options: dict[str, object] = {
        "instances": {host: {"url": site.url} | instance for host, site in zip(hosts, sites, strict=False)},
        "request_timeout_seconds": 30,  # a busy machine takes its time
        "requests_per_minute": 1e6,
        "instance_requests_per_minute": 1e6,
        "tags": [],
        "threads_seconds": NEVER_SECONDS,
        "reobserve_seconds": NEVER_SECONDS,
    }
    config = MastodonConfig.model_validate(options | changes)
    clock = world.clock if isinstance(world, World) else FakeClock()
    collector = MastodonCollector(config, cursor, replace(context(world, clock), relevance=relevance))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: MastodonCollector, count: int = 1) -> Batch:
    """Return what ``count`` polls give together, and the last cursor."""
    together = Signals()
    cursor = b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


async def poll_until(collector: MastodonCollector, is_done: Callable[[Signals], bool]) -> Signals:
    """Return what the polls give until ``is_done`` with all of it; a stream delivers when it delivers."""
    together = Signals()
    for _ in range(500):
        together.extend([(await anext(collector)).signals])
        if is_done(together):
            return together
    raise AssertionError(f"never: {together}")


def ids(batch: Batch) -> list[str]:
    """Return the ids of the signals of a batch, in order."""
    return [signal.id for signal in batch.signals.signals]
