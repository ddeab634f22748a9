"""The simulated X, read as its API's documentation says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from hubbub.world import Platforms, World

FIELDS = "expansions=author_id,referenced_tweets.id&tweet.fields=public_metrics"
TOKEN = {"Authorization": "Bearer any"}
POST = {
    "id": str, "text": str, "edit_history_tweet_ids": list, "author_id": str, "created_at": str, "conversation_id": str,
    "lang": str, "public_metrics": dict, "entities": dict, "referenced_tweets": list,
}  # fmt: skip
"""The fields of a post, from https://docs.x.com/x-api/fundamentals/data-dictionary, as far as they are sent."""


class Clock:
    """The world's time."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock(world: World) -> Clock:
    return Clock(world.begins_ms + 3 * 3_600_000)


@pytest.fixture
async def session(world: World, clock: Clock) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        Platforms(world, clock) as platforms,
        aiohttp.ClientSession(platforms.urls["x"], headers=TOKEN) as running,
    ):
        yield running


async def get(session: aiohttp.ClientSession, path: str, status: int = 200) -> Any:
    async with session.get(path) as response:
        assert response.status == status
        return await response.json(content_type=None)


async def test_a_search_pages_back_to_its_beginning(session: aiohttp.ClientSession) -> None:
    posts: list[dict[str, Any]] = []
    token = ""
    while True:
        page = await get(
            session, f"/2/tweets/search/recent?query=all&max_results=50&start_time=2000-01-01T00:00:00Z&{FIELDS}{token}"
        )
        posts += page["data"]
        authors = {user["id"] for user in page["includes"]["users"]}
        assert {post["author_id"] for post in page["data"]} <= authors
        assert page["meta"]["result_count"] == len(page["data"])
        if "next_token" not in page["meta"]:
            break
        token = f"&next_token={page['meta']['next_token']}"
    assert len({post["id"] for post in posts}) == len(posts) > 50
    for post in posts:
        assert post.keys() <= POST.keys()
        assert all(isinstance(value, POST[key]) for key, value in post.items())
    kinds = {ref["type"] for post in posts for ref in post.get("referenced_tweets", ())}
    assert kinds == {"replied_to", "retweeted"}
    usage = await get(session, "/2/usage/tweets")
    (today,) = usage["data"]["daily_project_usage"]["usage"]
    assert int(today["usage"]) == len(posts)


async def test_posts_by_id_and_those_that_are_gone(session: aiohttp.ClientSession, world: World, clock: Clock) -> None:
    shown = next(post for post in world.posts("x").items if post.there(clock()) and not post.gone(clock()))
    body = await get(session, f"/2/tweets?ids={shown.native},1&{FIELDS}")
    assert [post["id"] for post in body["data"]] == [shown.native]
    (problem,) = body["errors"]
    assert (problem["resource_id"], problem["type"].rpartition("/")[2]) == ("1", "resource-not-found")


async def test_the_stream_sends_what_appears_and_has_one_connection(
    session: aiohttp.ClientSession, world: World, clock: Clock
) -> None:
    rule = {"add": [{"value": "all", "tag": "mine"}]}
    async with session.post("/2/tweets/search/stream/rules", json=rule) as response:
        assert (await response.json())["meta"]["summary"]["created"] == 1
    async with session.get(f"/2/tweets/search/stream?{FIELDS}") as stream:
        problem = await get(session, "/2/tweets/search/stream", status=429)
        assert problem["title"] == "ConnectionException"
        clock.now_ms += 600_000
        line = json.loads(await stream.content.readline())
    assert line["data"].keys() <= POST.keys()
    assert [matched["tag"] for matched in line["matching_rules"]] == ["mine"]
    assert world.find(f"x:{line['data']['id']}") is not None


async def test_a_wrong_token_is_refused(session: aiohttp.ClientSession) -> None:
    async with session.get("/2/usage/tweets", headers={"Authorization": "Bearer wrong"}) as response:
        assert response.status == 401
