"""The simulated instance in both versions of the API: the collector reads the same items, and meets its limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from hubbub.world.faults import Faults
from hubbub.world.items import Post
from hubbub.world.platforms.lemmy.server import LemmyServer
from ingest.platforms.lemmy.collector import LemmyCollector
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.signal import Signal
from tests.ingest.contract.platform_under_test import small_world
from tests.ingest.fake_clock import context
from transport.errors import SlowDownError

WORLD = small_world("lemmy")
NOW_MS = WORLD.ends_ms


@asynccontextmanager
async def collecting(version: str, budget_factor: float = 1.0) -> AsyncIterator[LemmyCollector]:
    app = LemmyServer(WORLD, lambda: NOW_MS, Faults(), budget_factor, version=version).app
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    config = LemmyConfig.model_validate({"instances": [f"http://127.0.0.1:{site.port}"], "request_timeout_seconds": 30})
    collector = LemmyCollector(config, None, context(lambda: NOW_MS))
    try:
        yield collector
    finally:
        await collector.aclose()
        await runner.cleanup()


async def read(version: str) -> dict[str, Signal]:
    async with collecting(version) as collector:
        return {found.id: found for _ in range(30) for found in (await anext(collector)).signals.signals}


@pytest.mark.parametrize("version", ["0.19.12", "1.0.0"])
async def test_the_world_is_read_as_it_is(version: str) -> None:
    found = await read(version)
    since_ms = NOW_MS - 3_600_000
    posts = [post for post in WORLD.posts("lemmy").items if post.there(NOW_MS) and not post.gone(NOW_MS)]
    replies = [reply for reply in WORLD.replies("lemmy").items if reply.there(NOW_MS) and reply.created_ms >= since_ms]
    assert found.keys() == {item.signal_id for item in (*posts, *replies)}
    for post in posts:
        signal, totals = found[post.signal_id], post.totals(NOW_MS)
        assert isinstance(post, Post)
        assert (signal.counts.likes, signal.counts.replies) == (totals.likes, totals.replies)
        assert (signal.title, signal.created_ms) == (post.title, post.created_ms)
        assert signal.author is not None
        assert signal.author.name == post.author
        assert signal.community is not None
        assert signal.community.name == post.community
    assert {found[reply.signal_id].thread for reply in replies} == {reply.post.signal_id for reply in replies}


async def test_both_versions_say_the_same() -> None:
    old, new = await read("0.19.12"), await read("1.0.0")
    assert old.keys() == new.keys()
    for id_, signal in new.items():
        assert (old[id_].title, old[id_].text, old[id_].counts) == (signal.title, signal.text, signal.counts)


@pytest.mark.parametrize("version", ["0.19.12", "1.0.0"])
async def test_the_limit_of_an_instance_is_met_as_such(version: str) -> None:
    async with collecting(version, budget_factor=3 / 180) as collector:
        for _ in range(2):
            await anext(collector)
        with pytest.raises(SlowDownError) as raised:
            await anext(collector)
        assert raised.value.after_seconds == 60
