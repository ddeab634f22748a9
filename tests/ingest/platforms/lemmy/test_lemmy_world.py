"""The simulated instance in both versions of the API: the collector reads the same items, and meets its limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from hubbub.world.faults import Faults
from hubbub.world.items import Post
from hubbub.world.platforms.lemmy.server import LemmyServer
from hubbub.world.platforms.lemmy.views import Views
from ingest.platforms.lemmy.collector import LemmyCollector
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.signal import Signal
from tests.ingest.contract.platform_under_test import small_world
from tests.ingest.fake_clock import context
from transport.errors import SlowDownError

SCHEMA = {
    3: {
        "PostView": "banned_from_community community counts creator creator_banned_from_community creator_blocked "
        "creator_is_admin creator_is_moderator hidden post read saved subscribed unread_comments",
        "CommentView": "banned_from_community comment community counts creator creator_banned_from_community "
        "creator_blocked creator_is_admin creator_is_moderator post saved subscribed",
        "post": "ap_id community_id creator_id deleted featured_community featured_local id language_id local locked "
        "name nsfw published removed",
        "comment": "ap_id content creator_id deleted distinguished id language_id local path post_id published removed",
        "creator": "actor_id banned bot_account deleted id instance_id local name published",
        "community": "actor_id deleted hidden id instance_id local name nsfw posting_restricted_to_mods published "
        "removed title visibility",
    },
    4: {
        "PostView": "can_mod community creator creator_banned creator_banned_from_community creator_is_admin "
        "creator_is_moderator post tags",
        "CommentView": "can_mod comment community creator creator_banned creator_banned_from_community "
        "creator_is_admin creator_is_moderator post tags",
        "post": "ap_id comments community_id creator_id deleted downvotes featured_community featured_local "
        "federation_pending id language_id local locked name nsfw published_at removed report_count score "
        "unresolved_report_count upvotes",
        "comment": "ap_id child_count content creator_id deleted distinguished downvotes federation_pending id "
        "language_id local locked path post_id published_at removed report_count score unresolved_report_count upvotes",
        "creator": "ap_id bot_account comment_count deleted id instance_id last_refreshed_at local name post_count "
        "published_at",
        "community": "ap_id comments deleted id instance_id last_refreshed_at local local_removed name nsfw "
        "posting_restricted_to_mods posts published_at removed report_count subscribers subscribers_local "
        "unresolved_report_count users_active_day users_active_half_year users_active_month users_active_week "
        "visibility",
    },
}
"""The required keys by version of the API, from https://github.com/LemmyNet/lemmy-js-client (0.19.9 and 1.0)."""
OPTIONAL = {"body", "url"}

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


@pytest.mark.parametrize("version", [3, 4])
def test_views_have_the_keys_that_the_schema_requires(version: int) -> None:
    schema = {name: set(keys.split()) for name, keys in SCHEMA[version].items()}
    views = Views(version, lambda _: 1, WORLD.communities)
    posts = [views.post(post, NOW_MS) for post in WORLD.posts("lemmy").items]
    comments = [views.comment(reply, NOW_MS) for reply in WORLD.replies("lemmy").items]
    assert posts
    assert comments
    for view in posts:
        assert view.keys() == schema["PostView"]
    for view in comments:
        assert view.keys() == schema["CommentView"]
    for view in (*posts, *comments):
        for name in ("post", "comment", "creator", "community"):
            part = view.get(name, {})
            assert isinstance(part, dict)
            assert name not in view or part.keys() - OPTIONAL == schema[name]
