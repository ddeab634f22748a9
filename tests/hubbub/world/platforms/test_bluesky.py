"""The simulated Bluesky: all that the world has is streamed, in order, from any cursor, on both wires."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import aiohttp.web
import pytest

from hubbub.world import World
from hubbub.world.faults import Faults
from hubbub.world.generated import Size, generate
from hubbub.world.items import Removal
from hubbub.world.platforms.bluesky.server import METHOD, BlueskyServer

Event = dict[str, Any]
V2 = f"/xrpc/{METHOD}"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(11, 1_760_000_000_000, Size(hours=2, stories=3, chatter=300, replies=60))


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    runner = aiohttp.web.AppRunner(BlueskyServer(world, lambda: world.ends_ms, Faults()).app, shutdown_timeout=0.05)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site.port}"
    await runner.cleanup()


async def streamed(url: str) -> list[Event]:
    """Return the commits from a cursor on, up to the first event of somebody else, which says that there is no more."""
    commits: list[Event] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket, asyncio.timeout(60):
        async for message in socket:
            event = message.json()
            event = event.get("payload", event)
            if "account" in event:
                break
            commits.append(event)
    return commits


def ids(commits: list[Event], operation: str) -> list[str]:
    flat = [event | event.get("commit", {}) for event in commits]
    return [f"bluesky:{event['did']}/{event['rkey']}" for event in flat if event["operation"] == operation]


@pytest.mark.parametrize("path", ["/subscribe", V2])
async def test_every_item_is_streamed_once_and_so_is_its_deletion_by_the_author(
    url: str, path: str, world: World
) -> None:
    commits = await streamed(f"{url}{path}?cursor={world.begins_ms * 1_000}")
    items = [item for kind in (world.posts, world.replies, world.reposts) for item in kind("bluesky").items]
    shown = [item for item in items if world.begins_ms <= item.appears_ms <= world.ends_ms]
    assert sorted(ids(commits, "create")) == sorted(item.signal_id for item in shown)
    deleted = [item for item in shown if item.removal is Removal.DELETED and item.gone(world.ends_ms)]
    assert sorted(ids(commits, "delete")) == sorted(item.signal_id for item in deleted)
    assert deleted


async def test_a_cursor_is_inclusive_on_both_wires(url: str, world: World) -> None:
    begin = world.begins_ms * 1_000
    first, second = await streamed(f"{url}/subscribe?cursor={begin}"), await streamed(f"{url}{V2}?cursor={begin}")
    assert await streamed(f"{url}{V2}?cursor={second[7]['seq']}") == second[7:]
    late = await streamed(f"{url}/subscribe?cursor={first[7]['time_us']}")
    assert late == [event for event in first if event["time_us"] >= first[7]["time_us"]]


async def test_only_the_wanted_collections_are_streamed(url: str, world: World) -> None:
    begin = world.begins_ms * 1_000
    reposts = await streamed(f"{url}{V2}?cursor={begin}&collections=app.bsky.feed.repost")
    assert {event["collection"] for event in reposts} == {"app.bsky.feed.repost"}


async def test_the_appview_shows_what_is_there_and_refuses_too_long_a_list(url: str, world: World) -> None:
    posts = world.posts("bluesky").items
    gone = next(post for post in posts if post.gone(world.ends_ms))
    there = next(post for post in posts if not post.gone(world.ends_ms) and post.there(world.ends_ms))
    uris = ["at://{}/app.bsky.feed.post/{}".format(*post.native.split("/")) for post in (gone, there)]
    async with aiohttp.ClientSession(url) as session:
        query = [("uris", uri) for uri in uris]
        async with session.get("/xrpc/app.bsky.feed.getPosts", params=query) as found:
            (view,) = (await found.json())["posts"]
            assert view["uri"] == uris[1]
            assert view["likeCount"] == there.totals(world.ends_ms).likes
        async with session.get("/xrpc/app.bsky.feed.getPosts", params=query * 13) as refused:
            assert (refused.status, (await refused.json())["error"]) == (400, "InvalidRequest")
        actors = [("actors", str(there.author)), ("actors", there.native.split("/")[0])]
        async with session.get("/xrpc/app.bsky.actor.getProfiles", params=actors) as found:
            profiles = (await found.json())["profiles"]
            assert [profile["followersCount"] for profile in profiles] == [there.followers] * 2
