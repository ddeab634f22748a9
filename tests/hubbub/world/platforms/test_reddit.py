"""The simulated Reddit, read by the real client that collectors use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import praw
import prawcore
import pytest

from hubbub.world import Platforms, World, truth

Client = Callable[..., praw.Reddit]


async def read(world: World, now_ms: int, client: Client, ask: Callable[[praw.Reddit], Any], **options: Any) -> Any:
    """Serve the world as of ``now_ms`` and return what ``ask`` finds with a real client."""
    async with Platforms(world, lambda: now_ms, budget_factor=1_000, **options) as platforms:
        return await asyncio.to_thread(lambda: ask(client(platforms.urls["reddit"])))


async def test_every_post_and_comment_can_be_read_and_adds_up_to_the_truth(world: World, reddit: Client) -> None:
    def ask(client: praw.Reddit) -> tuple[list[Any], list[Any], list[Any]]:
        places = [client.subreddit(name) for name in world.communities]
        posts = [post for place in places for post in place.new(limit=None)]
        comments = [comment for place in places for comment in place.comments(limit=None)]
        again = list(client.info(fullnames=[post.fullname for post in posts]))
        return posts, comments, again

    posts, comments, again = await read(world, world.ends_ms, reddit, ask)
    expected = [post for post in world.posts("reddit").items if post.appears_ms <= world.ends_ms]
    listed = {f"reddit:{post.fullname}" for post in posts}
    assert listed == {post.signal_id for post in expected if not post.gone(world.ends_ms)}
    replies = [reply for reply in world.replies("reddit").items if reply.appears_ms <= world.ends_ms]
    assert {f"reddit:{comment.fullname}" for comment in comments} == {
        reply.signal_id for reply in replies if not reply.gone(world.ends_ms)
    }
    assert [post.fullname for post in again] == [post.fullname for post in posts]
    counted = {f"reddit:{post.fullname}": post.score + 2 * post.num_comments for post in again}
    for story in truth(world, world.ends_ms).stories:
        mine = [post for post in story.posts if post.startswith("reddit:")]
        if all(post in counted for post in mine):
            assert sum(counted[post] for post in mine) == story.interactions.get("reddit", 0)


async def test_a_stream_misses_nothing_while_the_world_goes_on(world: World, reddit: Client) -> None:
    clock = SimpleNamespace(now_ms=world.begins_ms)

    def follow(url: str) -> tuple[set[str], int]:
        seen: set[str] = set()
        client = reddit(url)
        stream = client.subreddit("all").stream.comments(pause_after=-1, skip_existing=True)
        for comment in stream:
            if comment is not None:
                seen.add(f"reddit:{comment.fullname}")
            elif clock.now_ms >= world.begins_ms + 3 * 3_600_000:
                return seen, clock.now_ms
            else:
                clock.now_ms += 240_000
        raise AssertionError("a stream does not end")

    async with Platforms(world, lambda: clock.now_ms, budget_factor=1_000) as platforms:
        seen, until_ms = await asyncio.to_thread(follow, platforms.urls["reddit"])
    replies = [reply for reply in world.replies("reddit").items if reply.appears_ms <= until_ms]
    lost = {reply.signal_id for reply in replies if not reply.gone_ms} - seen
    assert lost == set()


async def test_what_is_gone_leaves_lists_and_loses_its_author_but_not_its_counts(world: World, reddit: Client) -> None:
    gone = [post for post in world.posts("reddit").items if post.gone(world.ends_ms)]

    def ask(client: praw.Reddit) -> tuple[list[Any], set[str]]:
        found = list(client.info(fullnames=[post.native for post in gone]))
        return found, {post.fullname for post in client.subreddit("all").new(limit=None)}

    found, listed = await read(world, world.ends_ms, reddit, ask)
    assert [post.fullname for post in found] == [post.native for post in gone]
    assert not listed & {post.native for post in gone}
    for post, truly in zip(found, gone, strict=True):
        assert post.author is None
        assert post.score == truly.totals(world.ends_ms).likes
        assert post.removed_by_category in {"deleted", "moderator"}
        assert post.title == truly.title


async def test_hostile_titles_arrive_as_they_are(world: World, reddit: Client) -> None:
    hostile = [post for post in world.posts("reddit").items if "\ud83d" in post.title or "<script>" in post.title]
    names = [post.native for post in hostile]
    titles = await read(world, world.ends_ms, reddit, lambda client: [p.title for p in client.info(fullnames=names)])
    assert titles == [post.title for post in hostile]


async def test_places_and_what_is_no_place(world: World, reddit: Client) -> None:
    def ask(client: praw.Reddit) -> set[tuple[str, int]]:
        both = client.subreddit("aww+Technology+nonesuch").new(limit=None)
        return {(post.subreddit.display_name, post.subreddit_subscribers) for post in both}

    places = await read(world, world.ends_ms, reddit, ask)
    assert {name for name, _ in places} == {"aww", "technology"}
    assert ("technology", 17_900_000) in places
    with pytest.raises(prawcore.Redirect):
        await read(world, world.ends_ms, reddit, lambda client: list(client.subreddit("nonesuch").new()))
    with pytest.raises(prawcore.Redirect):
        await read(world, world.ends_ms, reddit, lambda client: list(client.subreddit("nonesuch").comments()))


async def test_what_does_not_exist_is_left_out_and_ends_a_list(world: World, reddit: Client) -> None:
    known = next(post.native for post in world.posts("reddit").items)

    def ask(client: praw.Reddit) -> tuple[list[Any], list[Any]]:
        found = list(client.info(fullnames=["t3_zzzzzz", known, "t1_zzzzzz", "nonsense"]))
        return found, list(client.subreddit("aww").new(params={"after": "t3_zzzzzz"}))

    found, older = await read(world, world.ends_ms, reddit, ask)
    assert [thing.fullname for thing in found] == [known]
    assert older == []


async def test_a_client_that_asks_too_often_has_to_wait(world: World, reddit: Client) -> None:
    def ask(url: str) -> dict[str, Any]:
        client = reddit(url)
        client.get("api/info/", params={"id": "t5_6"})
        limits = dict(client.auth.limits)
        client._core._rate_limiter.next_request_timestamp_ns = None  # the client would wait; go on at once
        client.get("api/info/", params={"id": "t5_6"})
        client._core._rate_limiter.next_request_timestamp_ns = None
        with pytest.raises(prawcore.TooManyRequests) as refused:
            client.get("api/info/", params={"id": "t5_6"})
        assert 0 < int(refused.value.response.headers["retry-after"]) <= 600
        return limits

    async with Platforms(world, lambda: world.ends_ms, budget_factor=0.002) as platforms:
        limits = await asyncio.to_thread(ask, platforms.urls["reddit"])
        assert limits["used"] == 1
        assert limits["remaining"] == 1
        other = reddit(platforms.urls["reddit"], client_id="another")
        assert await asyncio.to_thread(lambda: list(other.subreddit("all").new(limit=1)))


async def test_the_rate_limiter_of_the_client_obeys_our_headers(world: World, reddit: Client) -> None:
    def ask(client: praw.Reddit) -> int:
        list(client.subreddit("all").new(limit=1))
        at_ns = client._core._rate_limiter.next_request_timestamp_ns
        assert at_ns is not None
        return int(at_ns)

    assert await read(world, world.ends_ms, reddit, ask)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"client_secret": "wrong"}, prawcore.ResponseException),
        ({"username": "u", "password": "wrong"}, prawcore.OAuthException),
    ],
)
async def test_wrong_credentials_are_refused(
    world: World, reddit: Client, settings: dict[str, str], error: type[Exception]
) -> None:
    async with Platforms(world, lambda: world.ends_ms) as platforms:
        client = reddit(platforms.urls["reddit"], **settings)
        with pytest.raises(error):
            await asyncio.to_thread(lambda: list(client.subreddit("all").new(limit=1)))


async def test_a_script_account_gets_a_token(world: World, reddit: Client) -> None:
    account = {"username": "somebody", "password": "secret"}
    async with Platforms(world, lambda: world.ends_ms) as platforms:
        client = reddit(platforms.urls["reddit"], **account)
        assert len(await asyncio.to_thread(lambda: list(client.subreddit("all").new(limit=5)))) == 5


async def test_without_a_token_there_is_nothing(world: World) -> None:
    async with Platforms(world, lambda: world.ends_ms) as platforms, aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "bearer forged"}, {"Authorization": "Basic Zm9v"}):
            async with session.get(f"{platforms.urls['reddit']}/r/all/new", headers=headers) as response:
                assert response.status == 401
        basic = {"Authorization": "Basic %%%"}
        async with session.post(f"{platforms.urls['reddit']}/api/v1/access_token", headers=basic) as response:
            assert response.status == 401
        basic = {"Authorization": aiohttp.encode_basic_auth("id", "secret")}
        form = {"grant_type": "implicit"}
        async with session.post(
            f"{platforms.urls['reddit']}/api/v1/access_token", headers=basic, data=form
        ) as response:
            assert await response.json() == {"error": "unsupported_grant_type"}
