"""The simulated Hacker News, read as its API's documentation tells to."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from hubbub.world import Platforms, World, truth

DOCUMENTED: dict[str, type | tuple[type, ...]] = {
    "id": int,
    "deleted": bool,
    "type": str,
    "by": str,
    "time": int,
    "text": str,
    "dead": bool,
    "parent": int,
    "kids": list,
    "url": str,
    "score": int,
    "title": str,
    "descendants": int,
}
"""The fields of an item, from https://github.com/HackerNews/API, without those of polls."""


class Reader:
    """Asks a server for JSON."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str, status: int = 200) -> Any:
        async with self._session.get(path) as response:
            assert response.status == status
            assert response.content_type == "application/json"
            return await response.json()

    async def item(self, number: int) -> Any:
        return await self.get(f"/v0/item/{number}.json")


@asynccontextmanager
async def visit(world: World, now_ms: int) -> AsyncIterator[Reader]:
    """Serve the world as of ``now_ms`` to a reader."""
    async with (
        Platforms(world, lambda: now_ms) as platforms,
        aiohttp.ClientSession(platforms.urls["hackernews"]) as session,
    ):
        yield Reader(session)


async def test_walking_down_from_the_highest_number_finds_all_there_is(world: World) -> None:
    now_ms = world.begins_ms + 4 * 3_600_000
    items: dict[int, dict[str, Any] | None] = {}
    async with (
        Platforms(world, lambda: now_ms) as platforms,
        aiohttp.ClientSession(platforms.urls["hackernews"]) as session,
    ):
        reader = Reader(session)
        for number in range(await reader.get("/v0/maxitem.json"), 44_000_000, -1):
            items[number] = await reader.item(number)
    found = {f"hackernews:{number}" for number, item in items.items() if item is not None}
    lists = (world.posts("hackernews").items, world.replies("hackernews").items)
    assert found == {item.signal_id for items in lists for item in items if item.appears_ms <= now_ms}
    assert None in items.values(), "some numbers stand for nothing that can be seen"
    there = {number: item for number, item in items.items() if item is not None}
    for number, item in there.items():
        assert item["id"] == number
        assert item["type"] in {"story", "comment"}
        assert {"id", "time", "type"} <= item.keys() <= DOCUMENTED.keys()
        assert all(type(value) is DOCUMENTED[key] for key, value in item.items())
        for kid in item.get("kids", ()):
            assert there[kid]["parent"] == number
        if item["type"] == "comment":
            assert number in there[item["parent"]]["kids"]
        elif not item.get("deleted"):
            below = [*item.get("kids", ())]
            for kid in below:
                below += there[kid].get("kids", ())
            assert item["descendants"] == len(below)
    for story in truth(world, now_ms).stories:
        mine = [there[int(post.partition(":")[2])] for post in story.posts if post.startswith("hackernews:")]
        if not any(item.get("deleted") for item in mine):
            points = sum(item["score"] + 2 * item["descendants"] for item in mine)
            assert points == story.interactions.get("hackernews", 0)


async def test_what_is_gone_keeps_its_place(world: World) -> None:
    lists = (world.posts("hackernews").items, world.replies("hackernews").items)
    gone = [item for items in lists for item in items if item.gone(world.ends_ms)]
    assert {item.removal for item in gone} == {"deleted", "removed"}
    async with visit(world, world.ends_ms) as reader:
        for item in gone:
            shown = await reader.item(int(item.native))
            assert shown.get("deleted", False) is (item.removal == "deleted")
            assert shown.get("dead", False) is (item.removal == "removed")
            assert ("by" in shown) is (item.removal == "removed")
        top = await reader.get("/v0/topstories.json")
    assert not {int(item.native) for item in gone} & set(top)


async def test_lists_of_stories(world: World) -> None:
    now_ms = world.begins_ms + 3 * 3_600_000
    async with (
        Platforms(world, lambda: now_ms) as platforms,
        aiohttp.ClientSession(platforms.urls["hackernews"]) as session,
    ):
        reader = Reader(session)
        top = await reader.get("/v0/topstories.json")
        updates = await reader.get("/v0/updates.json")
        first = [await reader.item(number) for number in top[:5]]
        changed = [await reader.item(number) for number in updates["items"]]
    stories = world.posts("hackernews").items
    assert sorted(top) == sorted(int(post.native) for post in stories if post.there(now_ms) and not post.gone(now_ms))
    assert all(item["type"] == "story" for item in changed)
    assert {"items", "profiles"} == updates.keys()
    assert updates["profiles"]
    typical = sorted(changed, key=lambda item: item.get("score", 0))[len(changed) // 2]
    assert max(item["score"] for item in first) > typical["score"]


async def test_an_item_that_grew_is_listed_as_updated_and_one_at_rest_is_not(world: World) -> None:
    later_ms = world.ends_ms + 48 * 3_600_000
    for now_ms, expected in ((world.ends_ms, True), (later_ms, False)):
        async with visit(world, now_ms) as reader:
            updates = await reader.get("/v0/updates.json")
        assert bool(updates["items"]) is expected


async def test_texts_are_html(world: World) -> None:
    quoted = next(reply for reply in world.replies("hackernews").items if "'" in reply.text or "<" in reply.text)
    async with visit(world, quoted.appears_ms) as reader:
        text = (await reader.item(int(quoted.native)))["text"]
    assert text != quoted.text
    assert html.unescape(text) == quoted.text


@pytest.mark.parametrize("path", ["/v0/item/0.json", "/v0/item/x.json", "/v0/item/99999999999999.json"])
async def test_numbers_without_an_item_are_null(world: World, path: str) -> None:
    async with visit(world, world.begins_ms - 1) as reader:
        assert await reader.get(path) is None
        assert await reader.get("/v0/maxitem.json") == 0
