"""The news collector over real sockets: what is news, where feeds go, and how sick ones are left alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
import structlog
from aiohttp import web

from hubbub.world.platforms.news.formats import CONTENT_TYPES, write
from ingest.batch import Batch, Cursor
from ingest.platforms.news.collector import NewsCollector
from ingest.platforms.news.config import NewsConfig
from ingest.signal import Signal
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import NOW_MS, Answer, Site, hang, status
from transport.errors import RetryLaterError, UserError

Item = dict[str, object]


def item(number: int, **changes: object) -> Item:
    return {
        "id": f"tag:example.com,2024:{number}",
        "link": f"https://ledger.example.com/{number}",
        "title": f"Article {number}",
        "published": format_datetime(datetime.fromtimestamp(NOW_MS / 1000 - 600 + number, UTC)),
        **changes,
    }


class NewsSite(Site):
    """``feeds``: items by path, the newest first; ``formats``, ``ttl`` and ``headers``: of their answers, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.feeds: dict[str, list[Item]] = {}
        self.formats: dict[str, str] = {}
        self.ttl: str | None = None
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path not in self.feeds:
            return web.Response(status=404)
        kind = self.formats.get(request.path, "rss")
        feed: dict[str, Any] = {"format": kind, "title": f"Feed {request.path}", "language": "en", "ttl": self.ttl}
        body = write({**feed, "entries": self.feeds[request.path]})
        etag = f'"{hash(body)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        headers = {"ETag": etag, "Last-Modified": "Tue, 02 Jan 2024 16:00:00 GMT", **self.headers}
        return web.Response(body=body, content_type=CONTENT_TYPES[kind], headers=headers)


@pytest.fixture
async def site() -> AsyncIterator[NewsSite]:
    async with NewsSite() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@asynccontextmanager
async def collecting(
    site: NewsSite, clock: FakeClock, *paths: str, cursor: Cursor | None = None, now_ms: int = NOW_MS, **changes: object
) -> AsyncIterator[NewsCollector]:
    feeds = [site.url + path for path in paths or ("/a",)]
    options = {"feeds": feeds, "default_feeds": False, "request_timeout_seconds": 30, **changes}
    collector = NewsCollector(NewsConfig.model_validate(options), cursor, context(lambda: now_ms, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


def ids(batch: Batch) -> list[str]:
    return [found.id.removeprefix("news:ledger.example.com/") for found in batch.signals.signals]


def one(batch: Batch) -> Signal:
    (found,) = batch.signals.signals
    return found


async def until_it_raises(collector: NewsCollector) -> None:
    for _ in range(4):
        await anext(collector)


def redirect(code: int, target: str) -> Answer:
    return status(code, {"Location": target})


# What is news.


@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
async def test_every_article_comes_once_the_oldest_first(site: NewsSite, clock: FakeClock, kind: str) -> None:
    site.feeds["/a"], site.formats["/a"] = [item(3), item(2), item(1)], kind
    async with collecting(site, clock) as collector:
        batch = await anext(collector)
        assert ids(batch) == ["1", "2", "3"]
        assert batch.signals.signals[0].created_ms == NOW_MS - 599_000
        assert batch.signals.signals[0].community is not None
        assert batch.signals.signals[0].community.name == "Feed /a"
        site.feeds["/a"] = [item(4), item(3), item(2)]
        assert ids(await anext(collector)) == ["4"]


async def test_renewed_guids_bring_no_news(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/a"] = [item(2), item(1)]
    async with collecting(site, clock) as collector:
        await anext(collector)
        site.feeds["/a"] = [item(n, id=f"night-{n}", link=f"https://ledger.example.com/{n}?utm_id=x") for n in (2, 1)]
        assert (await anext(collector)).signals.read == 0


async def test_an_edited_title_is_a_later_observation_of_the_same_article(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/a"] = [item(1, published=None)]
    async with collecting(site, clock) as collector:
        batch = await anext(collector)
    site.feeds["/a"] = [item(1, published=None, title="Article 1, corrected")]
    async with collecting(site, clock, cursor=batch.cursor, now_ms=NOW_MS + 60_000) as collector:
        edited = one(await anext(collector))
    assert edited.id == one(batch).id
    assert edited.title == "Article 1, corrected"
    assert (edited.created_ms, edited.observed_ms) == (one(batch).created_ms, NOW_MS + 60_000)


async def test_an_article_in_several_feeds_is_one(site: NewsSite, clock: FakeClock) -> None:
    site.feeds = {"/a": [item(1)], "/b": [item(2), item(1, title="Article 1 - The Ledger")]}
    async with collecting(site, clock, "/a", "/b") as collector:
        assert ids(await anext(collector)) == ["1", "2"]
        assert ids(await anext(collector)) == []


async def test_an_entry_that_cannot_be_read_is_a_dead_letter_once(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/a"] = [item(1), {"id": None, "link": None, "title": None, "published": None}]
    async with collecting(site, clock) as collector:
        batch = await anext(collector)
        assert (ids(batch), len(batch.signals.unreadable)) == (["1"], 1)
        site.feeds["/a"].insert(0, item(2))
        batch = await anext(collector)
        assert (ids(batch), len(batch.signals.unreadable)) == (["2"], 0)


async def test_the_secret_of_a_private_feed_is_never_shown(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/a"] = [
        item(1, link=None, id="of a private feed"),
        {"id": None, "link": None, "title": None, "published": None},
    ]
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, clock, "/a?key=hunter2") as collector:
            signals = (await anext(collector)).signals
            assert (len(signals.signals), len(signals.unreadable)) == (1, 1)
            site.next_answers.append(status(500))
            with pytest.raises(RetryLaterError) as raised:
                await anext(collector)
            site.next_answers.append(status(410))
            await anext(collector)
    assert logs
    assert not any("hunter2" in repr(shown) for shown in (signals, raised.value, logs))


async def test_a_restart_goes_on_from_the_cursor(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/a"] = [item(2), item(1)]
    async with collecting(site, clock) as collector:
        cursor = (await anext(collector)).cursor
    async with collecting(site, clock, cursor=cursor) as collector:
        assert (await anext(collector)).signals.read == 0
        assert "If-None-Match" in site.requests[-1].headers
        assert "If-Modified-Since" in site.requests[-1].headers
        site.feeds["/a"].insert(0, item(3))
        batch = await anext(collector)
        assert ids(batch) == ["3"]
    assert json.loads(batch.cursor)["feeds"].keys() == {site.url + "/a"}


async def test_the_cursor_is_the_same_while_there_is_no_news(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/a"] = [item(2), item(1)]
    async with collecting(site, clock) as collector:
        cursors = {(await anext(collector)).cursor for _ in range(4)}
    assert len(cursors) == 1


# Where feeds go.


async def test_a_feed_that_moved_for_good_is_asked_at_its_new_address(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/b"] = [item(1)]
    site.answer_for["/a"] = redirect(301, "/b")
    async with collecting(site, clock) as collector:
        batch = await anext(collector)
        assert ids(batch) == ["1"]
        await anext(collector)
    async with collecting(site, clock, cursor=batch.cursor) as collector:
        await anext(collector)
    assert site.asked() == ["/a", "/b", "/b", "/b"]


async def test_a_feed_that_moved_for_a_while_is_asked_at_its_own_address(site: NewsSite, clock: FakeClock) -> None:
    site.feeds["/c"] = [item(1)]
    site.answer_for |= {"/a": redirect(302, "/b"), "/b": redirect(308, "/c")}
    async with collecting(site, clock) as collector:
        assert ids(await anext(collector)) == ["1"]
        await anext(collector)
    assert site.asked() == ["/a", "/b", "/c"] * 2


async def test_a_move_to_a_page_that_is_no_feed_is_not_remembered(site: NewsSite, clock: FakeClock) -> None:
    site.answer_for |= {"/a": redirect(301, "/login"), "/login": status(200, body="<html>Log in</html>")}
    async with collecting(site, clock) as collector:
        with pytest.raises(RetryLaterError, match="the page is no feed"):
            await anext(collector)
        del site.answer_for["/a"]
        site.feeds["/a"] = [item(1)]
        assert ids(await anext(collector)) == ["1"]


async def test_a_new_address_that_fails_gives_way_to_the_first_one(site: NewsSite, clock: FakeClock) -> None:
    site.feeds = {"/b": [item(1)], "/other": [item(9)]}
    site.answer_for["/a"] = redirect(301, "/b")
    async with collecting(site, clock, "/a", "/other") as collector:
        await anext(collector)
        del site.feeds["/b"], site.answer_for["/a"]
        site.feeds["/a"] = [item(2)]
        found: list[str] = []
        for _ in range(30):
            found += ids(await anext(collector))
        assert found == ["2"]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_to_a_private_address(site: NewsSite, clock: FakeClock, code: int) -> None:
    async with NewsSite() as private:
        private.feeds["/a"] = [item(1)]
        site.answer_for["/a"] = redirect(code, private.url + "/a")
        async with collecting(site, clock) as collector:
            with pytest.raises(RetryLaterError, match="private address"):
                await anext(collector)
        assert private.requests == []


@pytest.mark.parametrize("target", ["/a", "", "file:///etc/passwd", "javascript:1", "http://[", "/" + "x" * 5_000])
async def test_redirects_that_lead_nowhere_end(site: NewsSite, clock: FakeClock, target: str) -> None:
    site.answer_for["/a"] = redirect(301, target)
    async with collecting(site, clock) as collector:
        with pytest.raises(RetryLaterError, match="redirect"):
            await anext(collector)
    assert len(site.requests) <= 4


async def test_a_feed_that_is_gone_is_reported_once_and_never_asked_again(
    site: NewsSite, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    site.feeds["/b"] = [item(1)]
    site.answer_for["/a"] = status(410)
    async with collecting(site, clock, "/a", "/b") as collector:
        cursors = [(await anext(collector)).cursor for _ in range(4)]
    async with collecting(site, clock, "/a", "/b", cursor=cursors[-1]) as collector:
        await anext(collector)
    assert site.asked().count("/a") == 1
    assert capsys.readouterr().out.count("feed is gone") == 1
    async with collecting(site, clock, "/a", cursor=cursors[-1]) as collector:
        with pytest.raises(UserError, match="every feed"):
            await anext(collector)


async def test_a_feed_that_leads_to_a_gone_page_for_a_while_is_asked_again(site: NewsSite, clock: FakeClock) -> None:
    site.answer_for |= {"/a": redirect(302, "/b"), "/b": status(410)}
    async with collecting(site, clock) as collector:
        with pytest.raises(RetryLaterError, match="410"):
            await anext(collector)
        del site.answer_for["/a"]
        site.feeds["/a"] = [item(1)]
        assert ids(await anext(collector)) == ["1"]


async def test_articles_of_a_gone_feed_are_news_in_another(site: NewsSite, clock: FakeClock) -> None:
    site.feeds = {"/a": [item(1)], "/b": [item(2)]}
    async with collecting(site, clock, "/a", "/b") as collector:
        await anext(collector)
        site.answer_for["/a"] = status(410)
        while site.url + "/a" in collector._schedule._feeds:
            await anext(collector)
        site.feeds["/b"] = [item(3), item(2), item(1)]
        found: list[str] = []
        while not found:
            found = ids(await anext(collector))
        assert found == ["1", "3"]


# How sick feeds are left alone.


@pytest.mark.parametrize("answer", [status(404), status(403), status(500), status(200, body="<html>"), hang])
async def test_a_sick_feed_is_asked_less_and_less_and_holds_up_no_other(
    site: NewsSite, clock: FakeClock, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    site.feeds["/b"] = [item(1)]
    site.answer_for["/a"] = answer
    seconds = 1 if answer is hang else 30
    async with collecting(site, clock, "/a", "/b", poll_max_seconds=120, request_timeout_seconds=seconds) as collector:
        assert ids(await anext(collector)) == ["1"]
        for number in range(2, 20):
            site.feeds["/b"].insert(0, item(number))
            found: list[str] = []
            while not found:
                found = ids(await anext(collector))
            assert found == [str(number)]
    assert site.asked().count("/b") >= 19
    assert site.asked().count("/a") <= 6
    assert capsys.readouterr().out.count("feed cannot be read") == 1


async def test_when_all_feeds_fail_the_collector_fails(site: NewsSite, clock: FakeClock) -> None:
    site.feeds = {path: [item(1)] for path in ("/a", "/b", "/c", "/d")}
    async with collecting(site, clock, *site.feeds) as collector:
        await anext(collector)
        site.feeds.clear()
        with pytest.raises(RetryLaterError, match="404"):
            await until_it_raises(collector)


async def test_a_site_that_limits_our_rate_is_left_alone_as_long_as_it_says(site: NewsSite, clock: FakeClock) -> None:
    site.feeds = {"/a": [item(1)], "/b": [item(2)]}
    site.next_answers.append(status(429, {"Retry-After": "3000"}))
    async with collecting(site, clock, "/a", "/b") as collector:
        await anext(collector)
        began = clock.now
        assert len(site.requests) == 2
        await anext(collector)
        assert clock.now - began >= 2_999


async def test_a_feed_is_polled_as_often_as_it_brings_news_and_asks_for(site: NewsSite, clock: FakeClock) -> None:
    async def wait_seconds() -> float:
        began = clock.now
        await anext(collector)
        return round(clock.now - began)

    site.feeds["/a"] = [item(1)]
    async with collecting(site, clock, poll_min_seconds=60, poll_max_seconds=1_000) as collector:
        await anext(collector)
        assert [await wait_seconds() for _ in range(4)] == [60, 78, 101, 132]
        site.feeds["/a"].insert(0, item(2))
        assert [await wait_seconds() for _ in range(2)] == [171, 86]
        assert [await wait_seconds() for _ in range(20)][-1] == 1_000
        site.feeds["/a"].insert(0, item(3))
        site.ttl, site.headers = "10", {"Cache-Control": "public, max-age=700"}
        assert [await wait_seconds() for _ in range(2)] == [1_000, 700]
        site.feeds["/a"].insert(0, item(4))
        site.ttl, site.headers = "99999", {}
        assert [await wait_seconds() for _ in range(2)] == [pytest.approx(500, abs=200), 1_000]


HOSTILE = {
    "entities": b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]><rss version="2.0"><channel><item><title>'
    + b"&a;" * 50_000 + b"</title></item></channel></rss>",
    "blank lines": b"\n" * 300_000 + b"<rss></rss>",
    "attributes": b"<rss><channel><item " + b" ".join(b'a%d="1"' % n for n in range(60_000)) + b"/></channel></rss>",
    "JSON nested without end": b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b"[" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_feed_ends_its_reader_and_nothing_else(site: NewsSite, clock: FakeClock, name: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=HOSTILE[name], content_type="application/xml")

    site.feeds["/b"] = [item(1)]
    site.answer_for["/a"] = answer
    async with collecting(site, clock, "/a", "/b") as collector:
        batch = await anext(collector)
        assert "1" in ids(batch)
        assert sum(len(found.title or "") for found in batch.signals.signals) < 30_000
