"""The X collector over a real socket: every post once, and never more of them than the budget allows."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web

from ingest.batch import Cursor
from ingest.errors import COLLECT_ERRORS
from ingest.platforms.x import SPEC
from ingest.platforms.x.collector import STREAM_POSTS_AT_A_TIME, XCollector
from ingest.platforms.x.rules import tag
from tests.ingest.platforms.x.x_site import (
    DAY_MS,
    DISCONNECT,
    HOUR_MS,
    NOON_MS,
    Clock,
    XSite,
    collecting,
    config,
    ids,
    polls,
    post,
)
from tests.ingest.sites import body, status
from transport.errors import RetryLaterError, SlowDownError, UserError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(clock: Clock) -> AsyncIterator[XSite]:
    async with XSite(clock.now_ms) as running:
        yield running


async def test_a_search_reads_page_by_page_what_is_new(site: XSite, clock: Clock) -> None:
    site.posts = [post(number) for number in range(1, 131)]
    async with collecting(site, clock, posts_per_day=5_000) as collector:
        batch = await polls(collector, 5)  # X's count; a reservation and a page, twice
        assert sorted(map(int, ids(batch.signals))) == list(range(1, 131))
        site.posts.append(post(131, created_ms=clock.now_ms()))
        batch = await polls(collector, 2)
        assert "131" in ids(batch.signals)
    async with collecting(site, clock, batch.cursor, posts_per_day=5_000) as collector:
        site.posts.append(post(132, created_ms=clock.now_ms()))
        assert "132" in ids((await polls(collector, 6)).signals)


async def test_a_post_says_who_wrote_it_and_how_many_follow(site: XSite, clock: Clock) -> None:
    site.posts = [post(7)]
    async with collecting(site, clock) as collector:
        (signal,) = (await polls(collector, 3)).signals.signals
    assert signal.author is not None
    assert (signal.author.name, signal.author.followers) == ("user902", 50)
    assert (signal.counts.likes, signal.counts.shares, signal.counts.views) == (10, 4, 1000)


async def test_a_post_is_asked_for_only_when_its_price_is_saved(site: XSite, clock: Clock) -> None:
    site.posts = [post(number) for number in range(1, 50)]
    async with collecting(site, clock, posts_per_day=200, originals=False) as collector:
        await anext(collector)
        reserved = await anext(collector)
        assert reserved.signals.read == 0
        assert "/2/tweets/search/recent" not in site.asked()
        assert spent(site, reserved.cursor, clock) == 100
        settled = await anext(collector)
        assert settled.signals.read == 49
        assert spent(site, settled.cursor, clock) == 49


def spent(site: XSite, cursor: Cursor, clock: Clock) -> float:
    assert SPEC.budget is not None
    lines = {line.option: line for line in SPEC.budget(config(site.url), cursor, clock.now_ms())}
    return lines["posts_per_day"].spent


@pytest.mark.parametrize("seed", range(16))
async def test_no_crash_makes_it_spend_more_than_the_budget(site: XSite, clock: Clock, seed: int) -> None:
    rng = random.Random(seed)
    stream = bool(seed % 2)
    limits: dict[str, object] = {"posts_per_day": 150, "usd_per_month": 0.9, "originals": False, "stream": stream}
    cursor: Cursor | None = None
    number = 0

    async def lose(request: web.Request) -> web.StreamResponse:
        """X answers, and charges it, but the answer is cut off on its way."""
        whole = await site.answer(request)
        assert isinstance(whole, web.Response)
        return web.Response(body=bytes(whole.body or b"")[:-1])  # type: ignore[arg-type]

    for _ in range(12):  # runs
        async with collecting(site, clock, cursor, **limits) as collector:
            for _ in range(rng.randrange(3, 12)):
                for _ in range(rng.randrange(9)):
                    number += 1
                    site.posts.append(post(number, created_ms=clock.now_ms() - 1000))
                    if stream and site.lines.qsize() < 10:
                        site.lines.put_nowait(site.posts[-1])
                site.answer_for = {"/2/tweets/search/recent": lose} if rng.random() < 0.1 else {}
                with suppress(*COLLECT_ERRORS):
                    batch = await anext(collector)
                    if site.posts_charged():  # whatever happens now, the saved account is not too low
                        assert cursor is not None
                        assert site.posts_charged() <= spent(site, cursor, clock)
                    if rng.random() < 0.2:
                        break  # killed before the cursor was saved
                    cursor = batch.cursor
        site.lines.put_nowait(None)
    assert number > 150
    assert site.posts_charged() <= 150
    assert site.usd(config(site.url)) <= 0.9


async def test_a_spent_budget_says_which_option_and_until_when(site: XSite, clock: Clock) -> None:
    site.posts = [post(number) for number in range(1, 100)]
    async with collecting(site, clock, posts_per_day=60, originals=False) as collector:
        batch = await polls(collector, 3)
        assert len(ids(batch.signals)) == 60  # no more was asked for
        with pytest.raises(SlowDownError, match=r"until 2025-12-01 00:00 UTC.*posts_per_day") as raised:
            await polls(collector, 3)
        assert raised.value.after_seconds == 3600
        assert site.posts_charged() == 60
        clock.ahead_ms = DAY_MS // 2 + 1
        site.posts.append(post(500, created_ms=clock.now_ms() - 1000))
        found = ids((await polls(collector, 4)).signals)  # first what was left of the search that was cut off
        assert {"39", "500"} <= set(found)


async def test_the_stream_is_closed_when_the_budget_is_nearly_spent(site: XSite, clock: Clock) -> None:
    async with collecting(site, clock, stream=True, posts_per_day=60, originals=False) as collector:
        for number in range(1, 46):
            site.lines.put_nowait(post(number))
        cursor = b""
        with suppress(SlowDownError):
            while True:
                cursor = (await anext(collector)).cursor
        assert 30 <= site.posts_charged() <= spent(site, cursor, clock) <= 60
        opened = site.asked().count("/2/tweets/search/stream")
        for _ in range(5):
            with suppress(SlowDownError):
                await anext(collector)
        assert site.asked().count("/2/tweets/search/stream") == opened
        assert site.posts_charged() <= 60


async def test_after_a_burst_more_room_is_kept_and_the_stream_goes_on(site: XSite, clock: Clock) -> None:
    async with collecting(site, clock, stream=True, posts_per_day=400, originals=False) as collector:
        for number in range(1, 46):
            site.lines.put_nowait(post(number))
        await polls(collector, 6)
        site.lines.put_nowait(post(50))
        assert "50" in ids((await polls(collector, 4)).signals)


async def test_a_burst_is_read_in_several_batches_and_stays_reserved(site: XSite, clock: Clock) -> None:
    many: dict[str, object] = {"stream": True, "posts_per_day": 5_000, "originals": False, "stream_margin_posts": 300}
    async with collecting(site, clock, None, **many) as collector:
        for number in range(1, 251):
            site.lines.put_nowait(post(number))
        found: list[str] = []
        cursor = b""
        while len(found) < 250:
            batch = await anext(collector)
            assert batch.signals.read <= STREAM_POSTS_AT_A_TIME
            if batch.signals.read:  # the account that was saved before covers them
                assert site.posts_charged() <= spent(site, cursor, clock)
            found += ids(batch.signals)
            cursor = batch.cursor
    assert sorted(map(int, found)) == list(range(1, 251))


async def test_the_stream_brings_posts_and_a_search_what_came_before(site: XSite, clock: Clock) -> None:
    site.posts = [post(1)]
    async with collecting(site, clock, stream=True, posts_per_day=5_000) as collector:
        site.lines.put_nowait(post(2))
        found = ids((await polls(collector, 8)).signals)
        assert {"1", "2"} <= set(found)
        site.lines.put_nowait(post(3))
        assert "3" in ids((await polls(collector, 3)).signals)


async def test_a_disconnect_inside_a_200_is_an_error_and_loses_nothing(site: XSite, clock: Clock) -> None:
    async with collecting(site, clock, stream=True, posts_per_day=5_000) as collector:
        await polls(collector, 6)
        site.lines.put_nowait(post(1))
        site.lines.put_nowait(DISCONNECT)
        found: list[str] = []
        with pytest.raises(RetryLaterError, match="disconnected for operational reasons"):
            await read_on(collector, found)
        assert found == ["1"]
        site.lines.put_nowait(None)
        site.posts = [post(2, created_ms=clock.now_ms() - 1000)]  # came while the stream was away
        assert "2" in ids((await polls(collector, 6)).signals)


async def read_on(collector: XCollector, found: list[str]) -> None:
    """Add the ids of what comes to ``found``, until an error."""
    while True:
        found += ids((await anext(collector)).signals)


async def test_rules_become_the_queries_and_others_stay(site: XSite, clock: Clock) -> None:
    site.rules = [
        {"id": "7", "value": "old", "tag": tag("old")},
        {"id": "8", "value": "theirs", "tag": "theirs"},
        {"id": "9", "value": "one", "tag": tag("one")},
    ]
    async with collecting(site, clock, stream=True, queries=["one", "two"]) as collector:
        await polls(collector, 4)
        assert {str(rule["value"]) for rule in site.rules} == {"one", "two", "theirs"}
    asked = len(site.asked())
    async with collecting(site, clock, stream=True, queries=["one", "two"]) as collector:
        site.lines.put_nowait(None)
        await polls(collector, 4)
    posted = [request for request in site.requests[asked:] if request.method == "POST"]
    assert posted == []


async def test_a_query_that_x_does_not_understand_is_for_the_operator(site: XSite, clock: Clock) -> None:
    invalid = '{"errors": [{"value": "(", "details": ["no viable alternative"], "title": "Invalid Rule"}], "meta": {}}'
    async with collecting(site, clock, stream=True) as collector:
        await polls(collector, 2)
        site.next_answers.extend((status(200, body='{"meta": {"result_count": 0}}'), status(201, body=invalid)))
        with pytest.raises(UserError, match="option queries: no viable alternative"):
            await anext(collector)


async def test_a_lost_answer_counts_in_full_and_a_refusal_not_at_all(site: XSite, clock: Clock) -> None:
    site.posts = [post(number) for number in range(1, 5)]
    async with collecting(site, clock, originals=False) as collector:
        await polls(collector, 2)
        site.next_answers.append(status(503))
        with pytest.raises(RetryLaterError):
            await anext(collector)
        batch = await anext(collector)  # the reservation still stands
        assert spent(site, batch.cursor, clock) == 4
        clock.now += 100
        await anext(collector)
        site.next_answers.append(body('{"data": ['))
        with pytest.raises(RetryLaterError):
            await anext(collector)
        assert spent(site, (await anext(collector)).cursor, clock) == 4 + 100 + 10  # and little is asked for next


async def test_x_counts_more_than_we_do(site: XSite, clock: Clock) -> None:
    site.counted = {"2025-11-30": 480, "2025-11-29": 9_000}
    site.posts = [post(number) for number in range(1, 50)]
    async with collecting(site, clock, originals=False) as collector:
        assert spent(site, (await anext(collector)).cursor, clock) == 480
        with pytest.raises(SlowDownError, match="posts_per_day"):
            await polls(collector, 10)
        assert site.posts_charged() <= 20


async def test_a_post_that_is_gone_is_deleted_with_its_last_counts(site: XSite, clock: Clock) -> None:
    site.posts = [post(1), post(2)]
    async with collecting(site, clock, reobserve_seconds=1, search_seconds=1e9) as collector:
        await polls(collector, 4)
        del site.posts[0]
        clock.now += 3_600
        batch = await polls(collector, 1)
    deleted, seen = sorted(batch.signals.signals, key=lambda signal: signal.id)
    assert (deleted.id, deleted.deleted, deleted.text, deleted.author) == ("x:1", True, None, None)
    assert deleted.counts.likes == 10
    assert (seen.id, seen.deleted) == ("x:2", False)
    async with collecting(site, clock, batch.cursor, reobserve_seconds=1, search_seconds=1e9) as collector:
        clock.now += 3_600
        assert "1" not in ids((await polls(collector, 4)).signals)


async def test_tracked_posts_of_today_cost_nothing_and_older_ones_their_share(site: XSite, clock: Clock) -> None:
    site.posts = [post(number, created_ms=NOON_MS - HOUR_MS // 2) for number in range(1, 41)]
    limits: dict[str, object] = {
        "posts_per_day": 100,
        "reobserve_share": 0.1,
        "reobserve_seconds": 1,
        "search_seconds": 1e9,
    }
    async with collecting(site, clock, None, originals=False, **limits) as collector:
        await polls(collector, 4)
        clock.now += 3_600
        batch = await polls(collector, 1)
        assert (len(batch.signals.signals), site.posts_charged()) == (40, 40)
        clock.ahead_ms = DAY_MS
        await polls(collector, 2)
        assert site.posts_charged() == 50


async def test_a_long_break_is_caught_up_within_a_limit_and_the_rest_is_a_gap(site: XSite, clock: Clock) -> None:
    async with collecting(site, clock, posts_per_day=5_000) as collector:
        cursor = (await polls(collector, 3)).cursor
    clock.ahead_ms = DAY_MS
    site.posts = [post(number, created_ms=NOON_MS + HOUR_MS) for number in range(1, 301)]
    async with collecting(site, clock, cursor, posts_per_day=5_000, catch_up_max_posts=200) as collector:
        signals = (await polls(collector, 5)).signals
    assert sorted(map(int, ids(signals))) == list(range(101, 301))
    assert signals.gaps == 1


async def test_a_break_longer_than_search_reaches_is_a_gap(site: XSite, clock: Clock) -> None:
    async with collecting(site, clock) as collector:
        cursor = (await polls(collector, 3)).cursor
    clock.ahead_ms = 9 * DAY_MS
    async with collecting(site, clock, cursor) as collector:
        assert (await polls(collector, 3)).signals.gaps == 1


async def test_the_token_appears_in_no_message(site: XSite, clock: Clock) -> None:
    async with collecting(site, clock) as collector:
        site.next_answers.append(status(401, body='{"title": "Unauthorized", "detail": "Unauthorized"}'))
        with pytest.raises(UserError, match="option bearer_token") as raised:
            await anext(collector)
    assert "secret-token" not in str(raised.value) + repr(config(site.url))
