"""Reading a scripted Hacker News, for the tests of its collector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.batch import Batch, Cursor, Signals
from ingest.platforms.hackernews.collector import HackerNewsCollector
from ingest.platforms.hackernews.config import HackerNewsConfig
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import NOW_MS, HackerNewsSite

NEVER_SECONDS = 1e6


def config(site: HackerNewsSite, **changes: object) -> HackerNewsConfig:
    options: dict[str, object] = {
        "base_url": site.url,
        "request_timeout_seconds": 30,  # a busy machine takes its time
        "poll_seconds": 0.001,
        "updates_seconds": NEVER_SECONDS,
        "front_page_seconds": NEVER_SECONDS,
        "reobserve_seconds": NEVER_SECONDS,
        "missing_retry_seconds": 0.0005,
    }
    return HackerNewsConfig.model_validate(options | changes)


@asynccontextmanager
async def collecting(
    site: HackerNewsSite, cursor: Cursor | None = None, clock: FakeClock | None = None, **changes: object
) -> AsyncIterator[HackerNewsCollector]:
    options = config(site, **changes)
    collector = HackerNewsCollector(options, cursor, context(lambda: NOW_MS, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: HackerNewsCollector, count: int) -> Batch:
    """Return what ``count`` looks give together, and the last cursor. The first three are one of each kind."""
    together = Signals()
    cursor = b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def ids(batch: Batch) -> list[int]:
    return [int(signal.id.removeprefix("hackernews:")) for signal in batch.signals.signals]
