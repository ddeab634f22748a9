"""The Lemmy collector over real sockets: each item once, whichever instance shows it, growth, deletions and limits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ingest.batch import Batch, Cursor, Ignored, Signals
from ingest.platforms.lemmy.collector import LemmyCollector
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.signal import Signal
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.lemmy.lemmy_site import HOST, LemmySite, comment_view, post_view, refuse
from tests.ingest.sites import NOW_MS, Thing, status
from transport.errors import RetryLaterError, SlowDownError

NEVER_SECONDS = 1e6
QUIET = {
    "discussed_poll_seconds": NEVER_SECONDS,
    "hot_poll_seconds": NEVER_SECONDS,
    "full_scan_seconds": NEVER_SECONDS,
    "reobserve_seconds": NEVER_SECONDS,
    "members_seconds": NEVER_SECONDS,
    "comments": False,
}


@pytest.fixture
async def site() -> AsyncIterator[LemmySite]:
    async with LemmySite() as running:
        yield running


@asynccontextmanager
async def collecting(
    *sites: LemmySite,
    cursor: Cursor | None = None,
    clock: FakeClock | None = None,
    now_ms: Callable[[], int] = lambda: NOW_MS,
    **changes: object,
) -> AsyncIterator[LemmyCollector]:
    options: dict[str, object] = {"instances": [site.url for site in sites], "request_timeout_seconds": 30}
    config = LemmyConfig.model_validate(options | QUIET | changes)
    collector = LemmyCollector(config, cursor, context(now_ms, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


FIRST = 3
"""Polls until each listing of posts was read once."""


async def polls(collector: LemmyCollector, count: int) -> Batch:
    """Return what ``count`` polls give together, and the last cursor."""
    together = Signals()
    cursor = b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def natives(batch: Batch) -> list[str]:
    return [found.id.removeprefix(f"lemmy:{HOST}/") for found in batch.signals.signals]


def last(batch: Batch, native: str) -> Signal:
    return [found for found in batch.signals.signals if found.id == f"lemmy:{HOST}/{native}"][-1]


@pytest.mark.parametrize("version", ["0.19.12", "1.0.0-beta.1"])
async def test_every_item_comes_once_over_all_pages(version: str) -> None:
    async with LemmySite(version) as site:
        site.posts = [post_view(number) for number in range(1, 121)]
        site.comments = [comment_view(number, site.posts[0]) for number in range(201, 281)]
        async with collecting(site, comments=True) as collector:
            batch = await polls(collector, 8)
            assert sorted(natives(batch)) == sorted(
                [*(f"post/{n}" for n in range(1, 121)), *(f"comment/{n}" for n in range(201, 281))]
            )
            assert batch.signals.gaps == 0
            members = {found.community and found.community.members for found in batch.signals.signals}
            assert members == ({None} if version.startswith("0.") else {500})


async def test_api_v4_is_found_where_v3_is_gone() -> None:
    async with LemmySite("1.1.0") as site:
        site.answer_for["/api/v3/site"] = status(404)
        site.posts = [post_view(1)]
        async with collecting(site) as collector:
            assert natives(await polls(collector, 2)) == ["post/1"]
        assert "/api/v4/post/list" in site.asked()


async def test_an_instance_that_changes_its_version_is_asked_again(site: LemmySite) -> None:
    site.posts = [post_view(1)]
    async with collecting(site) as collector:
        await polls(collector, 2)
        site.version = "1.0.0"  # the scripted one has v3 no more
        site.posts.append(post_view(2))
        with pytest.raises(RetryLaterError, match="404"):
            await polls(collector, 2)
        assert natives(await polls(collector, 2)) == ["post/2"]


async def test_a_restart_goes_on_where_the_cursor_was_saved(site: LemmySite) -> None:
    site.posts = [post_view(number) for number in range(1, 61)]
    async with collecting(site) as collector:
        cursor = (await polls(collector, 2)).cursor
    site.posts += [post_view(number) for number in range(61, 66)]
    asked = len(site.requests)
    async with collecting(site, cursor=cursor) as collector:
        batch = await polls(collector, 2)
        assert {f"post/{number}" for number in range(61, 66)} <= set(natives(batch))
        assert batch.signals.gaps == 0
    assert [request.query.get("page") for request in site.requests[asked:] if request.path.endswith("list")] == [
        None
    ] * 2


async def test_too_long_an_outage_is_a_gap(site: LemmySite) -> None:
    site.posts = [post_view(number) for number in range(1, 11)]
    async with collecting(site) as collector:
        cursor = (await polls(collector, 2)).cursor
    site.posts += [post_view(number) for number in range(11, 400)]
    async with collecting(site, cursor=cursor, listing_max_pages=3) as collector:
        batch = await polls(collector, 1)
        assert batch.signals.gaps == 1
        assert natives(batch) == [f"post/{number}" for number in range(250, 400)]


@pytest.mark.parametrize("top", [{"featured_local": True}, {"featured_community": True}, {"published": "2099-01-01"}])
async def test_a_post_that_stays_at_the_top_hides_no_new_one(site: LemmySite, top: Thing) -> None:
    pinned = post_view(1)
    pinned["post"] |= top  # type: ignore[operator]
    site.posts = [pinned]
    async with collecting(site) as collector:
        await polls(collector, FIRST)
        site.posts = [post_view(number) for number in range(2, 121)] + [pinned]
        assert len(set(natives(await polls(collector, 2)))) == 119


async def test_the_same_item_on_two_instances_is_one_and_home_speaks_for_it() -> None:
    async with LemmySite() as first, LemmySite() as second:
        home = second.url.removeprefix("http://")
        first.posts = [post_view(1, host=home, id=9_001, counts={"upvotes": 3}), post_view(2, id=9_002)]
        second.posts = [post_view(1, host=home, counts={"upvotes": 7}), post_view(2, counts={"upvotes": 1})]
        async with collecting(first, second) as collector:
            batch = await polls(collector, 4)
            likes = [(found.id, found.counts.likes) for found in batch.signals.signals]
            assert sorted(likes) == sorted(
                [(f"lemmy:{home}/post/1", 3), (f"lemmy:{HOST}/post/2", 9), (f"lemmy:{home}/post/1", 7)]
            )
            first.posts[0]["counts"] = {"upvotes": 4}
            assert natives(await polls(collector, 4)) == []


async def test_counts_grow_in_listings_and_what_stands_still_is_silent(site: LemmySite) -> None:
    site.posts = [post_view(1), post_view(2)]
    async with collecting(site) as collector:
        assert natives(await polls(collector, FIRST)) == ["post/1", "post/2"]
        assert natives(await polls(collector, 3)) == []
        site.posts[0]["counts"] = {"upvotes": 50, "comments": 9}
        batch = await polls(collector, 1)
        assert [(found.counts.likes, found.counts.replies) for found in batch.signals.signals] == [(50, 9)]


async def test_a_post_that_left_all_listings_is_asked_for_alone(site: LemmySite) -> None:
    site.posts = [post_view(1)]
    clock_ms = [NOW_MS]
    async with collecting(site, now_ms=lambda: clock_ms[0], posts_poll_seconds=1, reobserve_seconds=1) as collector:
        await polls(collector, 2)
        site.posts, site.unlisted = [], [post_view(1, counts={"upvotes": 70})]
        clock_ms[0] += 7_200_000
        batch = await polls(collector, 3)
        assert last(batch, "post/1").counts.likes == 70
        assert site.asked().count("/api/v3/post") == 1


async def test_a_post_that_comments_answer_is_fetched(site: LemmySite) -> None:
    old = post_view(-900_000, id=5, ap_id=f"https://{HOST}/post/5")
    site.unlisted = [old]
    site.comments = [comment_view(8, old)]
    async with collecting(site, comments=True, reobserve_seconds=1) as collector:
        batch = await polls(collector, FIRST + 2)
        assert natives(batch) == ["comment/8", "post/5"]


@pytest.mark.parametrize("version", ["0.19.12", "1.0.0"])
async def test_a_post_that_is_missing_is_asked_for_and_deleted(version: str) -> None:
    async with LemmySite(version) as site:
        site.posts = [post_view(1), post_view(2), post_view(3)]
        async with collecting(site, posts_poll_seconds=1, reobserve_seconds=1) as collector:
            await polls(collector, FIRST)
            del site.posts[1]
            batch = await polls(collector, 3)
            gone = last(batch, "post/2")
            assert (gone.deleted, gone.title, gone.author, gone.counts.likes) == (True, None, None, 9)
            assert collector.tracked_items == 2
            before = len(site.requests)
            await polls(collector, 5)
            assert "/api/v3/post" not in [request.path for request in site.requests[before:]]


async def test_a_deleted_comment_is_reported_once(site: LemmySite) -> None:
    site.posts = [post_view(1)]
    site.comments = [comment_view(8, site.posts[0])]
    async with collecting(site, comments=True) as collector:
        await polls(collector, 2)
        site.comments = [comment_view(8, site.posts[0], content="", deleted=True)]
        batch = await polls(collector, 4)
        assert [(found.id, found.deleted, found.text) for found in batch.signals.signals] == [
            (f"lemmy:{HOST}/comment/8", True, None)
        ]


async def test_an_unknown_post_that_is_gone_is_ignored(site: LemmySite) -> None:
    site.comments = [comment_view(8, post_view(5))]
    async with collecting(site, comments=True, reobserve_seconds=1) as collector:
        assert (await polls(collector, FIRST + 2)).signals.ignored == {Ignored.MISSING: 1}


async def test_the_size_of_a_community_is_asked_for_once(site: LemmySite) -> None:
    site.members[f"technology@{HOST}"] = 1_234
    site.posts = [post_view(1)]
    async with collecting(site, posts_poll_seconds=1, members_seconds=1) as collector:
        await polls(collector, 3)
        site.posts.append(post_view(2))
        community = last(await polls(collector, 3), "post/2").community
        assert community is not None
        assert community.members == 1_234
        assert site.asked().count("/api/v3/community") == 1


async def test_a_rate_limit_as_400_holds_everything_for_a_minute(site: LemmySite) -> None:
    site.posts = [post_view(1)]
    site.answer_for["/api/v3/post/list"] = refuse(400, "rate_limit_error")
    async with collecting(site) as collector:
        with pytest.raises(SlowDownError) as raised:
            await anext(collector)
        assert raised.value.after_seconds == 60
        del site.answer_for["/api/v3/post/list"]
        assert natives(await polls(collector, 2)) == ["post/1"]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refuse(429, "too_many_requests"), 60),
        (refuse(429, "too_many_requests", {"Retry-After": "7"}), 7),
        (status(503, {"Retry-After": "9"}), 9),
    ],
)
async def test_a_rate_limit_as_429_may_name_a_time(site: LemmySite, answer: object, seconds: float) -> None:
    site.answer_for["/api/v3/post/list"] = answer  # type: ignore[assignment]
    async with collecting(site) as collector:
        with pytest.raises(SlowDownError) as raised:
            await anext(collector)
        assert raised.value.after_seconds == seconds


async def test_one_instance_of_two_that_limits_us_holds_up_no_other() -> None:
    async with LemmySite() as limited, LemmySite() as healthy:
        limited.answer_for["/api/v3/post/list"] = refuse(400, "rate_limit_error")
        healthy.posts = [post_view(1)]
        clock = FakeClock()
        async with collecting(limited, healthy, clock=clock, posts_poll_seconds=10) as collector:
            with pytest.raises(SlowDownError, match=limited.url.removeprefix("http://")) as raised:
                await anext(collector)
            assert raised.value.after_seconds == 0
            asked, began_at = len(limited.requests), clock.now
            assert natives(await polls(collector, 5)) == ["post/1"]
            assert clock.now < began_at + 60
            assert len(limited.requests) == asked
            limited.answer_for.clear()
            limited.posts = [post_view(2)]
            assert natives(await polls(collector, 12)) == ["post/2"]


async def test_only_named_communities_are_read_each_at_home() -> None:
    async with LemmySite() as first, LemmySite() as second:
        home = second.url.removeprefix("http://")
        second.posts = [post_view(1)]
        first.posts = [post_view(2)]
        names = [f"technology@{home}", f"technology@{HOST}"]
        async with collecting(first, second, communities=names) as collector:
            assert sorted(natives(await polls(collector, 2 * FIRST))) == ["post/1", "post/2"]
        asked = [request.query["community_name"] for request in second.requests if "community_name" in request.query]
        assert set(asked) == {names[0]}


async def test_an_unreadable_item_is_one_dead_letter_and_not_one_a_poll(site: LemmySite) -> None:
    site.posts = [post_view(1, published="soon"), post_view(2)]
    async with collecting(site) as collector:
        batch = await polls(collector, 6)
        assert natives(batch) == ["post/2"]
        assert len(batch.signals.unreadable) == 1


async def test_what_is_remembered_in_the_cursor_is_bounded(site: LemmySite) -> None:
    site.posts = [post_view(number) for number in range(1, 601)]
    async with collecting(site, watch_max_items=50) as collector:
        cursor = json.loads((await polls(collector, 1)).cursor)
    (seen,) = [seen for name, seen in cursor["seen"].items() if "post" in name]
    assert len(seen) == 200
    assert 0 < len(cursor["watched"]) <= 50
