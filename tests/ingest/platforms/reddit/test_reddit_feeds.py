"""Reddit without a key: its feeds over a real socket, the same ids, politely, and what hostile ones become."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hubbub.world.platforms.reddit import atom
from ingest.batch import Batch, Cursor, Signals
from ingest.collector import Collector
from ingest.errors import CollectError
from ingest.platforms.reddit import SPEC
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import convert
from ingest.platforms.reddit.feeds import entries
from ingest.platforms.reddit.feeds.entries import things
from ingest.signal import Counts, Signal
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import NOW_MS, Answer, RedditSite, body, comment, status, submission
from transport.errors import RetryLaterError, SlowDownError, UserError


@pytest.fixture
async def site() -> AsyncIterator[RedditSite]:
    async with RedditSite() as running:
        yield running


def config(site: RedditSite, **changes: object) -> RedditConfig:
    options: dict[str, object] = {
        "reddit_url": site.url,
        "subreddits": ("aa", "bb", "cc"),
        "submissions_poll_seconds": 0.001,
        "comments": False,
        "requests_per_minute": 1e9,
        "request_timeout_seconds": 30,
    }
    return RedditConfig.model_validate(options | changes)


@asynccontextmanager
async def collecting(
    site: RedditSite, cursor: Cursor | None = None, clock: FakeClock | None = None, **changes: object
) -> AsyncIterator[Collector]:
    collector = SPEC.make(config(site, **changes), cursor, context(lambda: NOW_MS, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: Collector, count: int) -> Batch:
    together = Signals()
    cursor = b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def ids(batch: Batch) -> list[str]:
    return [signal.id.removeprefix("reddit:") for signal in batch.signals.signals]


def only(feed_of: dict[str, object]) -> Signal:
    (thing,) = things(atom.encode({"entries": [feed_of]}))
    (found,) = convert(thing, NOW_MS).signals
    return found


async def test_several_communities_come_in_one_request_with_the_ids_of_the_api(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(30)]
    site.comments = [comment(number, 7) for number in range(5)]
    async with collecting(site, comments=True, comments_poll_seconds=0.001) as collector:
        batch = await polls(collector, 4)
    found = {signal.id: signal for signal in batch.signals.signals}
    assert len(found) == 35
    assert site.asked()[:2] == ["/r/aa+bb+cc/new.rss", "/r/aa+bb+cc/comments.rss"]
    assert {request.query["limit"] for request in site.requests} == {"100"}
    for thing in (*site.posts, *site.comments):
        (by_key,) = convert(thing, NOW_MS).signals
        by_feed = found[by_key.id]
        for field in ("kind", "thread", "author", "title", "text", "url", "permalink", "created_ms"):
            assert getattr(by_feed, field) == getattr(by_key, field), field
        assert by_feed.counts == Counts()
        assert by_feed.community is not None
        assert by_feed.community.members is None


async def test_a_busy_feed_is_read_back_to_something_known(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(10)]
    async with collecting(site) as collector:
        await polls(collector, 2)
        site.posts += [submission(number) for number in range(10, 260)]
        batch = await polls(collector, 1)
    assert ids(batch) == [f"t3_{number:05}" for number in range(10, 260)]
    assert batch.signals.gaps == 0


async def test_a_key_goes_on_where_the_feeds_ended_and_back(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(20)]
    async with collecting(site) as collector:
        cursor = (await polls(collector, 1)).cursor
    site.posts += [submission(20)]
    async with collecting(site, cursor, client_id="id", oauth_url=site.url, reobserve_seconds=1e6) as collector:
        batch = await polls(collector, 1)
        assert ids(batch) == ["t3_00020"]
        assert batch.signals.signals[0].counts.likes == 10
    site.posts += [submission(21)]
    async with collecting(site, batch.cursor) as collector:
        assert ids(await polls(collector, 1)) == ["t3_00021"]


async def test_what_two_polls_no_longer_show_is_taken_back(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(40)]
    async with collecting(site) as collector:
        await polls(collector, 1)
        removed = site.posts.pop(30)
        assert ids(await polls(collector, 1)) == []
        (gone,) = (await polls(collector, 1)).signals.signals
        assert (gone.id, gone.deleted, gone.title, gone.author) == ("reddit:t3_00030", True, None, None)
        assert (await polls(collector, 2)).signals.read == 0
        site.posts.insert(30, removed)  # moderators approve it after all
        (back,) = (await polls(collector, 1)).signals.signals
        assert (back.id, back.deleted, back.title) == ("reddit:t3_00030", False, "Post 30")


async def test_a_feed_that_is_incomplete_takes_nothing_back(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(40)]
    async with collecting(site) as collector:
        await polls(collector, 1)
        site.posts, whole = site.posts[:10], site.posts
        assert (await polls(collector, 3)).signals.read == 0
        site.posts = []
        assert (await polls(collector, 3)).signals.read == 0
        site.posts = whole
        assert (await polls(collector, 2)).signals.read == 0


@pytest.mark.parametrize(
    ("answer", "policy"),
    [
        pytest.param(status(429), SlowDownError, id="429"),
        pytest.param(status(403), RetryLaterError, id="403"),
        pytest.param(status(404), UserError, id="404"),
        pytest.param(status(302, {"Location": "/subreddits/search"}), UserError, id="302"),
        pytest.param(body("{}"), RetryLaterError, id="JSON"),
        pytest.param(body(""), RetryLaterError, id="empty"),
        pytest.param(body("<html><title>blocked</title></html>"), RetryLaterError, id="HTML"),
        pytest.param(body('<!DOCTYPE x [<!ENTITY a "b">]><feed>&a;</feed>'), RetryLaterError, id="entities"),
        pytest.param(status(200, {"x-ratelimit-remaining": "many"}), RetryLaterError, id="nonsense headers"),
    ],
)
async def test_every_failure_has_a_retry_policy(site: RedditSite, answer: Answer, policy: type[CollectError]) -> None:
    site.posts = [submission(1)]
    site.next_answers.append(answer)
    async with collecting(site, username="me", feed_token="hush") as collector:  # noqa: S106 (no password)
        with pytest.raises(policy) as raised:
            await anext(collector)
        assert type(raised.value) is policy
        assert "hush" not in str(raised.value)
        assert "aa+bb" not in str(raised.value)  # the names of a hundred communities would hide what is wrong
        assert ids(await polls(collector, 2)) == ["t3_00001"]


async def test_the_limit_of_an_address_is_obeyed(site: RedditSite) -> None:
    site.posts = [submission(1)]
    site.headers = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "1", "x-ratelimit-reset": "57"}
    clock = FakeClock()
    async with collecting(site, clock=clock) as collector:
        await polls(collector, 1)
        asked_at = clock.now
        await polls(collector, 1)
        assert clock.now - asked_at >= 57
        site.next_answers.append(status(429, {"x-ratelimit-reset": "42"}))
        with pytest.raises(SlowDownError) as raised:
            await anext(collector)
        assert raised.value.after_seconds == 42


async def test_a_feed_token_is_sent_with_its_account(site: RedditSite) -> None:
    async with collecting(site, username="me", feed_token="hush") as collector:  # noqa: S106 (no password)
        await polls(collector, 1)
    assert (site.requests[0].query["feed"], site.requests[0].query["user"]) == ("hush", "me")


def test_without_a_key_the_default_rate_is_that_of_the_feeds() -> None:
    assert RedditConfig().requests_per_minute < 10
    assert RedditConfig.model_validate({"client_id": "id"}).requests_per_minute == 90
    assert RedditConfig.model_validate({"requests_per_minute": 1}).requests_per_minute == 1


@pytest.mark.parametrize("options", [{"client_secret": "s"}, {"password": "p"}, {"feed_token": "t"}], ids=str)
def test_a_secret_without_its_owner_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="need"):
        RedditConfig.model_validate(options)


LINK_POST: dict[str, object] = {
    "author": "/u/somebody",
    "category": "technology",
    "content": '<table> <tr><td> <a href="https://www.reddit.com/r/technology/comments/1w4dj6h/kernel/"> '
    '<img src="x" /> </a> </td><td> &#32; submitted by &#32; '
    '<a href="https://www.reddit.com/user/somebody"> /u/somebody </a> <br/> '
    '<span><a href="https://example.org/a?b=1&amp;c=2">[link]</a></span> &#32; '
    '<span><a href="https://www.reddit.com/r/technology/comments/1w4dj6h/kernel/">[comments]</a></span> '
    "</td></tr></table>",
    "id": "t3_1w4dj6h",
    "link": "https://www.reddit.com/r/technology/comments/1w4dj6h/kernel/",
    "updated": "2023-11-02T10:00:00+00:00",
    "published": "2023-11-02T09:30:00+00:00",
    "title": "AT&T &lt;b&gt; says",
}


def test_a_link_post_with_a_picture_has_its_link_and_no_text() -> None:
    post = only(LINK_POST)
    assert (post.url, post.text) == ("https://example.org/a?b=1&c=2", None)
    assert post.created_ms == 1_698_917_400_000
    assert post.title == "AT&T &lt;b&gt; says"


def test_a_text_that_imitates_the_links_changes_none() -> None:
    text = '<!-- SC_OFF --><div class="md"><p><a href="https://evil.example/">[link]</a> Hi</p></div><!-- SC_ON -->'
    post = only(LINK_POST | {"content": text + str(LINK_POST["content"])})
    assert post.url == "https://example.org/a?b=1&c=2"
    assert post.text == "https://evil.example/ Hi"


@pytest.mark.parametrize("published", ["", "yesterday", "Mo, 25 Jun 2018 11:41:36"])
def test_a_date_that_no_one_can_read_is_a_dead_letter_unless_there_is_another(published: str) -> None:
    dateless = {name: value for name, value in LINK_POST.items() if name != "updated"} | {"published": published}
    (thing,) = things(atom.encode({"entries": [dateless]}))
    became = convert(thing, NOW_MS)
    assert became.read == 1
    assert not became.signals or became.signals[0].created_ms < NOW_MS


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(0, 300))
def test_whatever_is_in_a_feed_its_things_can_be_judged(noise: bytes, place: int, cut: int) -> None:
    feed = atom.encode({"entries": [LINK_POST, LINK_POST | {"id": "t1_x"}]})
    place %= len(feed)
    try:
        found = things(feed[:place] + noise + feed[place + cut :])
    except RetryLaterError:
        return
    for thing in found:
        assert convert(thing, NOW_MS).read == 1
        assert "convert_failed" not in {dead.reason for dead in convert(thing, NOW_MS).unreadable}


def test_marks_without_an_end_take_no_quadratic_time() -> None:
    began_at = time.thread_time()
    assert entries._content("<!-- SC_OFF -->" * 30_000, None)["selftext"] is None
    assert time.thread_time() - began_at < 5.0  # a hundredth of it on a quiet machine; minutes before
