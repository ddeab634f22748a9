"""The simulated YouTube, read as its API's documentation says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from hubbub.world import Platforms, World
from hubbub.world.platforms.youtube import SIMULATOR
from hubbub.world.platforms.youtube.resources import channel_id, feed_of, videos_of
from ingest.platforms.youtube.atom import videos_of as read_feed

KEY = {"X-Goog-Api-Key": "any"}


@pytest.fixture
def now_ms(world: World) -> int:
    return world.begins_ms + 5 * 3_600_000


@pytest.fixture
async def session(world: World, now_ms: int) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        Platforms(world, lambda: now_ms, budget_factor=0.002) as platforms,
        aiohttp.ClientSession(platforms.urls["youtube"], headers=KEY) as running,
    ):
        yield running


async def get(session: aiohttp.ClientSession, path: str, status: int = 200) -> Any:
    async with session.get(path) as response:
        assert response.status == status
        return await response.json()


async def test_a_feed_shows_the_latest_videos_of_a_channel(
    session: aiohttp.ClientSession, world: World, now_ms: int
) -> None:
    post = next(post for post in world.posts("youtube").items if post.there(now_ms) and not post.gone(now_ms))
    async with session.get(f"/feeds/videos.xml?channel_id={channel_id(post.community)}") as response:
        assert (response.status, response.content_type) == (200, "text/xml")
        feed = await response.read()
    videos = read_feed(feed)
    assert post.native in {video["id"] for video in videos}
    assert videos == videos_of(feed)
    assert read_feed(feed_of(videos)) == videos
    async with session.get("/feeds/videos.xml?channel_id=UCnone") as response:
        assert response.status == 404


async def test_videos_channels_and_comments(session: aiohttp.ClientSession, world: World, now_ms: int) -> None:
    posts = [post for post in world.posts("youtube").items if post.there(now_ms) and not post.gone(now_ms)]
    post = max(posts, key=lambda post: post.totals(now_ms).replies or 0)
    videos = await get(session, f"/youtube/v3/videos?part=snippet,statistics&id={post.native},none")
    (video,) = videos["items"]
    assert (video["id"], videos["kind"]) == (post.native, "youtube#videoListResponse")
    assert int(video["statistics"]["viewCount"]) == post.totals(now_ms).views
    channels = await get(session, f"/youtube/v3/channels?part=statistics&id={channel_id(post.community)}")
    assert channels["items"][0]["statistics"]["subscriberCount"].isdecimal()
    path = f"/youtube/v3/commentThreads?part=snippet,replies&maxResults=100&videoId={post.native}"
    threads = await get(session, path)
    ids = {thread["id"] for thread in threads["items"]}
    ids |= {answer["id"] for thread in threads["items"] for answer in thread.get("replies", {}).get("comments", ())}
    assert ids
    assert ids <= {reply.native for reply in post.thread}
    assert (await get(session, path.replace(post.native, "none"), status=404))["error"]["errors"][0]["reason"] == (
        "videoNotFound"
    )


async def test_a_wrong_key_and_a_spent_quota_are_refused(session: aiohttp.ClientSession) -> None:
    async with session.get("/youtube/v3/videos?id=a", headers={"X-Goog-Api-Key": "wrong"}) as response:
        assert (await response.json())["error"]["errors"][0]["reason"] == "keyInvalid"
    for _ in range(20):
        await get(session, "/youtube/v3/videos?id=a")
    spent = await get(session, "/youtube/v3/videos?id=a", status=403)
    assert spent["error"]["errors"][0]["reason"] == "quotaExceeded"


def test_the_collectors_options_name_the_channels_of_the_world(world: World) -> None:
    options = SIMULATOR.options("http://127.0.0.1:1")
    assert {channel_id(post.community) for post in world.posts("youtube").items} <= set(options["channels"])  # type: ignore[call-overload]
