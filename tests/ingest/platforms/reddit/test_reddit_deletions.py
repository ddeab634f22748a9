"""What Reddit no longer shows is taken back: the words go, the counts stay, and an item may return."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest.batch import Cursor
from ingest.collector import Collector
from ingest.platforms.reddit import SPEC
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.vanished import Vanished
from ingest.signal import Counts, Signal
from tests.ingest.fake_clock import context
from tests.ingest.sites import NOW_MS, RedditSite, comment, submission

HOUR_MS = 3_600_000


@pytest.fixture
async def site() -> AsyncIterator[RedditSite]:
    async with RedditSite() as running:
        yield running


class Time:
    """The time of the items."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@asynccontextmanager
async def collecting(
    site: RedditSite, time: Time | None = None, cursor: Cursor | None = None
) -> AsyncIterator[Collector]:
    config = RedditConfig.model_validate(
        {
            "client_id": "id",
            "client_secret": "secret",
            "reddit_url": site.url,
            "oauth_url": site.url,
            "subreddits": ("test",),
            "requests_per_minute": 1e9,
            "submissions_poll_seconds": 0.01,
            "comments_poll_seconds": 0.01,
            "reobserve_seconds": 0.01,
            "sweep_seconds": 1e6,
            "request_timeout_seconds": 30,
        }
    )
    collector = SPEC.make(config, cursor, context(time or Time()))
    try:
        yield collector
    finally:
        await collector.aclose()


async def signals(collector: Collector, polls: int) -> list[Signal]:
    found: list[Signal] = []
    for _ in range(polls):
        found += (await anext(collector)).signals.signals
    return found


async def test_a_removed_post_leaves_the_listing_and_is_taken_back_at_once(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(20)]
    async with collecting(site) as collector:
        await signals(collector, 3)
        removed = site.posts.pop(12)
        site.unlisted = [
            submission(12, author="[deleted]", selftext="[removed]", removed_by_category="moderator", score=40)
        ]
        (gone,) = await signals(collector, 4)
        assert (gone.id, gone.deleted, gone.counts.likes) == ("reddit:t3_00012", True, 40)
        assert (gone.author, gone.title, gone.text, gone.url, gone.permalink) == (None,) * 5
        site.unlisted = []
        site.posts.insert(12, removed)
        back = await signals(collector, 3)
        assert [(signal.id, signal.deleted, signal.title) for signal in back] == [("reddit:t3_00012", False, "Post 12")]


async def test_a_deleted_comment_is_taken_back(site: RedditSite) -> None:
    site.posts = [submission(1)]
    site.comments = [comment(number, 1) for number in range(10, 30)]
    async with collecting(site) as collector:
        await signals(collector, 4)
        site.comments.pop(7)
        site.unlisted = [comment(17, 1, author="[deleted]", body="[deleted]", score=3)]
        gone = [signal for signal in await signals(collector, 5) if signal.deleted]
        assert [(signal.id, signal.thread, signal.counts.likes) for signal in gone] == [
            ("reddit:t1_00017", "reddit:t3_00001", 3)
        ]


async def test_a_comment_that_the_listing_marks_is_taken_back_once(site: RedditSite) -> None:
    site.posts = [submission(1)]
    site.comments = [comment(number, 1) for number in range(10, 20)]
    async with collecting(site) as collector:
        await signals(collector, 4)
        site.comments[5] = comment(15, 1, author="[deleted]", body="[removed]")
        gone = await signals(collector, 6)
        assert [(signal.id, signal.deleted, signal.text) for signal in gone] == [("reddit:t1_00015", True, None)]


async def test_what_reddit_no_longer_gives_by_name_keeps_its_last_counts(site: RedditSite) -> None:
    site.posts = [submission(number, score=number) for number in range(20)]
    async with collecting(site) as collector:
        await signals(collector, 3)
        del site.posts[12]
        (gone,) = await signals(collector, 4)
        assert (gone.id, gone.deleted) == ("reddit:t3_00012", True)
        assert gone.counts == Counts(likes=12, replies=2, like_ratio=0.9)
        assert await signals(collector, 4) == []  # said once


async def test_a_tracked_post_is_asked_for_twice_before_it_is_taken_back(site: RedditSite) -> None:
    """It may be too old for the listing; one incomplete answer says nothing."""
    time = Time()
    site.posts = [submission(number) for number in range(130)]
    async with collecting(site, time) as collector:
        await signals(collector, 3)
        time.now_ms += HOUR_MS
        del site.posts[3]  # not on the first page of the listing
        asked = site.asked().count("/api/info")
        gone = [signal for signal in await signals(collector, 6) if signal.deleted]
        assert [signal.id for signal in gone] == ["reddit:t3_00003"]
        assert site.asked().count("/api/info") - asked >= 3  # two pages, then the one post


async def test_an_incomplete_answer_takes_nothing_back(site: RedditSite) -> None:
    time = Time()
    site.posts = [submission(number) for number in range(50)]
    async with collecting(site, time) as collector:
        await signals(collector, 3)
        posts, site.posts = site.posts, []
        time.now_ms += HOUR_MS
        assert await signals(collector, 6) == []
        site.posts = posts
        time.now_ms += HOUR_MS
        assert {signal.deleted for signal in await signals(collector, 6)} == {False}


async def test_a_post_that_was_never_published_is_ignored(site: RedditSite) -> None:
    site.posts = [submission(1), submission(2, title="[deleted by user]", author="[deleted]")]
    async with collecting(site) as collector:
        assert [signal.id for signal in await signals(collector, 3)] == ["reddit:t3_00001"]


async def test_a_deletion_while_the_collector_was_down_is_found(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(20)]
    async with collecting(site) as collector:
        for _ in range(2):
            cursor = (await anext(collector)).cursor
    site.posts[12] = submission(12, author="[deleted]", selftext="[deleted]")
    async with collecting(site, cursor=cursor) as collector:
        gone = [signal for signal in await signals(collector, 4) if signal.deleted]
    assert "reddit:t3_00012" in {signal.id for signal in gone}


def test_what_moves_off_the_end_of_a_listing_has_not_vanished() -> None:
    vanished = Vanished(confirmations=1)
    vanished.update([f"t{n}" for n in range(100, 0, -1)])
    assert vanished.update([f"t{n}" for n in range(160, 60, -1)]) == []
    assert vanished.update([f"t{n}" for n in range(400, 300, -1)]) == []


def test_an_old_thing_between_new_ones_makes_nothing_vanish() -> None:
    vanished = Vanished(confirmations=2)
    vanished.update(["d", "c", "b", "a"])
    assert vanished.update(["e", "old", "d", "c", "b", "a"]) == []
    assert vanished.update(["e", "d", "c", "b", "a"]) == []
    assert vanished.update(["e", "d", "c", "b", "a"]) == ["old"]


def test_a_thing_that_returns_before_it_is_confirmed_has_not_vanished() -> None:
    vanished = Vanished(confirmations=2)
    vanished.update(["d", "c", "b", "a"])
    assert vanished.update(["d", "b", "a"]) == []
    assert vanished.update(["d", "c", "b", "a"]) == []
    assert vanished.update(["d", "b", "a"]) == []
    assert vanished.update(["e", "d", "b", "a"]) == ["c"]
    assert vanished.update(["e", "d", "b", "a"]) == []
