"""The Hacker News collector over a real socket: every item once, roots first, one failing item delays no other."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from ingest.batch import Ignored
from ingest.errors import CollectError
from ingest.platforms.hackernews.collector import HackerNewsCollector
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.hackernews.hackernews_reading import NEVER_SECONDS, collecting, config, ids, polls
from tests.ingest.sites import CREATED_S, NOW_MS, Answer, HackerNewsSite, body, drop, hang, status
from transport.errors import RetryLaterError, SlowDownError


async def test_every_item_comes_once(site: HackerNewsSite) -> None:
    for id_ in range(1, 51):
        site.story(id_) if id_ % 5 == 1 else site.comment(id_, id_ - 1)
    async with collecting(site) as collector:
        assert sorted(ids(await polls(collector, 5))) == list(range(1, 51))
        site.comment(51, 50)
        site.story(52)
        assert ids(await polls(collector, 3)) == [52, 51]


async def test_a_restart_goes_on_where_the_cursor_was_saved(site: HackerNewsSite) -> None:
    for id_ in range(1, 21):
        site.story(id_)
    async with collecting(site) as collector:
        cursor = (await polls(collector, 4)).cursor
    for id_ in range(21, 26):
        site.story(id_)
    async with collecting(site, cursor) as collector:
        assert ids(await anext(collector)) == list(range(21, 26))


async def test_a_backlog_is_read_in_batches_without_waiting(site: HackerNewsSite) -> None:
    for id_ in range(1, 101):
        site.story(id_)
    async with collecting(site, poll_seconds=NEVER_SECONDS, batch_max_items=30) as collector:
        assert ids(await polls(collector, 6)) == list(range(1, 101))


async def test_the_first_start_reaches_back_as_far_as_configured(site: HackerNewsSite) -> None:
    for id_ in range(1, 101):
        site.story(id_)
    async with collecting(site, backfill_items=10) as collector:
        assert ids(await polls(collector, 4)) == list(range(91, 101))


async def test_too_long_an_outage_is_a_gap(site: HackerNewsSite) -> None:
    for id_ in range(1, 101):
        site.story(id_)
    async with collecting(site, json.dumps({"next_id": 5}).encode(), catch_up_max_items=20) as collector:
        batch = await polls(collector, 4)
        assert ids(batch) == list(range(81, 101))
        assert batch.signals.gaps == 1


async def test_a_leap_of_the_newest_id_is_believed_when_it_is_said_twice(site: HackerNewsSite) -> None:
    for id_ in range(1, 11):
        site.story(id_)
    async with collecting(site, json.dumps({"next_id": 8}).encode(), catch_up_max_items=20) as collector:
        site.next_answers.append(body("900000"))
        batch = await polls(collector, 4)
        assert ids(batch) == [8, 9, 10]
        assert batch.signals.gaps == 0
        site.story(200)
        assert ids(await polls(collector, 2)) == [200]


async def test_a_cursor_ahead_of_the_newest_id_goes_back(site: HackerNewsSite) -> None:
    for id_ in range(1, 11):
        site.story(id_)
    async with collecting(site, json.dumps({"next_id": 900_001}).encode()) as collector:
        await polls(collector, 5)
        site.story(11)
        assert ids(await polls(collector, 1)) == [11]


async def test_a_platform_without_items_is_waited_for(site: HackerNewsSite) -> None:
    async with collecting(site, backfill_items=10) as collector:
        assert (await polls(collector, 5)).signals.read == 0
        site.story(1_000_000)
        batch = await polls(collector, 2)
        assert ids(batch) == [1_000_000]
        assert batch.signals.gaps == 0


async def test_a_comment_comes_after_its_post_however_deep_it_is(site: HackerNewsSite) -> None:
    site.story(100)
    for depth in range(1, 61):
        site.comment(100 + depth, 99 + depth)
    site.comment(1_000, 160)
    async with collecting(site, json.dumps({"next_id": 1_000}).encode()) as collector:
        batch = await polls(collector, 4)
        assert ids(batch)[0] == 100
        assert ids(batch)[-1] == 1_000
        assert {signal.thread for signal in batch.signals.signals} == {"hackernews:100"}
        asked = len(site.requests)
        site.comment(1_001, 1_000)
        assert ids(await polls(collector, 1)) == [1_001]
        assert len(site.requests) == asked + 2  # the root is known by now


async def test_a_thread_without_an_end_is_left_alone(site: HackerNewsSite) -> None:
    site.comment(10, 11)
    site.comment(11, 10)
    site.comment(12, 12)
    async with collecting(site, missing_max_tries=2) as collector:
        signals = (await polls(collector, 6)).signals
        assert signals.signals == []
        assert signals.ignored == {Ignored.ORPHAN: 3, Ignored.MISSING: 9}


async def test_what_is_announced_before_it_is_given_is_asked_for_again(site: HackerNewsSite) -> None:
    site.story(1)
    site.newest_id = 3
    async with collecting(site) as collector:
        batch = await polls(collector, 5)
        assert ids(batch) == [1]
        assert json.loads(batch.cursor)["missing"] == [2, 3]
        site.story(2)
        batch = await polls(collector, 6)
        assert ids(batch) == [2]
        assert batch.signals.ignored == {Ignored.MISSING: 1}
        assert json.loads(batch.cursor)["missing"] == []


async def test_what_is_missing_survives_a_restart(site: HackerNewsSite) -> None:
    site.story(9)
    site.story(5)
    async with collecting(site, json.dumps({"next_id": 10, "missing": [5]}).encode()) as collector:
        assert ids(await polls(collector, 1)) == [5]


async def test_one_sick_item_holds_up_no_other_and_ends_as_a_dead_letter(site: HackerNewsSite) -> None:
    for id_ in range(1, 6):
        site.story(id_)
    site.answer_for["/v0/item/3.json"] = status(500)
    async with collecting(site, missing_max_tries=3) as collector:
        first = await polls(collector, 3)
        assert ids(first) == [1, 2, 4, 5]
        assert json.loads(first.cursor)["missing"] == [3]
        for id_ in range(6, 9):  # with nothing but the sick item to ask for, the platform itself may be sick
            site.story(id_)
            first.signals.extend([(await polls(collector, 1)).signals])
        assert ids(first) == [1, 2, 4, 5, 6, 7, 8]
        (letter,) = first.signals.unreadable
        assert (letter.reason, json.loads(letter.original)) == ("not_fetched", {"id": 3})
        assert "500" in letter.detail


async def test_a_comment_waits_for_a_post_that_cannot_be_had_now(site: HackerNewsSite) -> None:
    site.story(1)
    site.comment(50, 1)
    site.story(51)
    site.answer_for["/v0/item/1.json"] = status(500)
    async with collecting(site, json.dumps({"next_id": 50}).encode(), missing_max_tries=100) as collector:
        assert ids(await polls(collector, 4)) == [51]
        assert site.asked().count("/v0/item/1.json") == 2  # once for each poll of the comment
        del site.answer_for["/v0/item/1.json"]
        assert ids(await polls(collector, 1)) == [1, 50]


async def test_tracked_stories_are_polled_again(site: HackerNewsSite) -> None:
    clock_ms = [NOW_MS]
    for id_ in range(1, 11):
        site.story(id_)
    options = config(site, poll_seconds=NEVER_SECONDS, reobserve_seconds=0.001)
    collector = HackerNewsCollector(options, None, context(lambda: clock_ms[0]))
    try:
        await polls(collector, 3)
        for id_ in range(1, 11):
            site.story(id_, score=99)
        clock_ms[0] += 3_600_000
        again = await polls(collector, 1)
        assert ids(again) == list(range(1, 11))
        assert {(signal.counts.likes, signal.observed_ms) for signal in again.signals.signals} == {(99, clock_ms[0])}
    finally:
        await collector.aclose()


async def test_changed_items_and_the_front_page_are_polled(site: HackerNewsSite) -> None:
    site.story(1)
    site.comment(2, 1)
    site.story(3)
    site.front_page = [3]
    site.updates = [1, 2, 99]  # 99 is not read yet: the poll for new items reads it
    async with collecting(site, poll_seconds=NEVER_SECONDS) as collector:
        assert ids(await polls(collector, 1)) == [1, 3, 2]
        assert sorted(ids(await polls(collector, 2))) == [1, 2, 3]


async def test_other_front_pages_are_polled_where_they_are_wanted(site: HackerNewsSite) -> None:
    site.story(1)
    site.front_page = [1]
    async with collecting(site, poll_seconds=NEVER_SECONDS, front_page_lists=("best", "ask")) as collector:
        await polls(collector, 3)
    assert {"/v0/beststories.json", "/v0/askstories.json"} <= set(site.asked())
    assert "/v0/topstories.json" not in site.asked()


async def test_a_published_item_that_dies_is_taken_back_and_may_come_back(site: HackerNewsSite) -> None:
    site.story(1)
    site.comment(2, 1)
    site.story(3)
    async with collecting(site, updates_seconds=0.001, poll_seconds=NEVER_SECONDS) as collector:
        await polls(collector, 4)
        site.story(1, dead=True)
        site.items[2] = {"id": 2, "deleted": True, "type": "comment", "parent": 1, "time": CREATED_S + 2}
        site.updates = [1, 2]
        gone = (await polls(collector, 1)).signals.signals
        assert [(signal.id, signal.deleted) for signal in gone] == [("hackernews:1", True), ("hackernews:2", True)]
        assert {(signal.title, signal.text, signal.url, signal.author) for signal in gone} == {(None,) * 4}
        assert (gone[0].counts.likes, gone[1].thread) == (5, "hackernews:1")
        site.story(1, score=7)  # moderators or readers vouch for it
        back = (await polls(collector, 1)).signals.signals[0]
        assert (back.deleted, back.title, back.counts.likes) == (False, "Story 1", 7)


async def test_an_item_that_was_never_published_is_ignored_until_it_comes_alive(site: HackerNewsSite) -> None:
    site.story(1)
    site.story(2, dead=True)
    async with collecting(site, updates_seconds=0.001, poll_seconds=NEVER_SECONDS) as collector:
        batch = await polls(collector, 4)
        assert (ids(batch), batch.signals.ignored) == ([1], {Ignored.DEAD: 1})
        site.updates = [2]
        assert (await polls(collector, 1)).signals.ignored == {Ignored.DEAD: 1}
        site.story(2)
        assert ids(await polls(collector, 1)) == [2]
        site.story(2, dead=True)
        assert [signal.deleted for signal in (await polls(collector, 1)).signals.signals] == [True]


async def test_a_deletion_after_a_restart_is_known_by_its_id(site: HackerNewsSite) -> None:
    for id_ in range(1, 6):
        site.story(id_)
    async with collecting(site) as collector:
        cursor = (await polls(collector, 4)).cursor
    site.story(3, dead=True)
    site.updates = [3]
    async with collecting(site, cursor, updates_seconds=0.001, poll_seconds=NEVER_SECONDS) as collector:
        signals = (await polls(collector, 4)).signals.signals
    assert [signal.id for signal in signals if signal.deleted][:1] == ["hackernews:3"]


@pytest.mark.parametrize(
    ("answer", "policy"),
    [
        pytest.param(status(500), RetryLaterError, id="500"),
        pytest.param(status(401), RetryLaterError, id="401"),
        pytest.param(status(403), RetryLaterError, id="403"),
        pytest.param(status(429), SlowDownError, id="429"),
        pytest.param(status(503, {"Retry-After": "3"}), SlowDownError, id="503 with a time"),
        pytest.param(drop, RetryLaterError, id="dropped"),
        pytest.param(hang, RetryLaterError, id="hang"),
        pytest.param(body("<!doctype html>"), RetryLaterError, id="garbage"),
        pytest.param(body("[" * 100_000), RetryLaterError, id="nested garbage"),
        pytest.param(body(""), RetryLaterError, id="empty"),
        pytest.param(body("null"), RetryLaterError, id="null"),
        pytest.param(body('"1"'), RetryLaterError, id="text"),
        pytest.param(body("true"), RetryLaterError, id="true"),
        pytest.param(body("1e999"), RetryLaterError, id="infinity"),
        pytest.param(body("-5"), RetryLaterError, id="negative"),
    ],
)
async def test_every_failure_has_a_retry_policy_and_loses_nothing(
    site: HackerNewsSite, answer: Answer, policy: type[CollectError]
) -> None:
    site.story(1)
    site.answer_for["/v0/maxitem.json"] = answer
    async with collecting(site, request_timeout_seconds=1 if answer is hang else 30) as collector:
        with pytest.raises(policy) as raised:
            await anext(collector)
        del site.answer_for["/v0/maxitem.json"]
        assert type(raised.value) is policy
        assert "\n" not in str(raised.value)
        assert ids(await polls(collector, 5)) == [1]


async def test_when_no_item_can_be_had_none_is_given_up(site: HackerNewsSite) -> None:
    for id_ in range(1, 6):
        site.story(id_)
        site.answer_for[f"/v0/item/{id_}.json"] = status(500)
    async with collecting(site, missing_max_tries=2) as collector:
        for _ in range(5):
            with pytest.raises(RetryLaterError):
                await polls(collector, 3)
        site.answer_for.clear()
        batch = await polls(collector, 3)
        assert ids(batch) == [1, 2, 3, 4, 5]
        assert batch.signals.unreadable == []


@pytest.mark.parametrize("path", ["/v0/topstories.json", "/v0/updates.json"])
async def test_a_list_that_is_none_is_garbage(site: HackerNewsSite, path: str) -> None:
    site.answer_for[path] = body('{"items": ["1"]}')
    async with collecting(site) as collector:
        await polls(collector, 1)
        with pytest.raises(RetryLaterError, match="no list"):
            await polls(collector, 3)


async def test_an_endless_body_is_not_read_to_its_end(site: HackerNewsSite) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"[" * 65_536)
        return response

    site.story(1)
    site.story(2)
    site.answer_for["/v0/item/1.json"] = endless
    async with collecting(site, missing_max_tries=1) as collector:
        batch = await polls(collector, 4)
        assert ids(batch) == [2]
        assert "longer than" in batch.signals.unreadable[0].detail


async def test_a_rate_limit_in_the_middle_keeps_what_was_had_and_holds_the_rate_limiter(site: HackerNewsSite) -> None:
    for id_ in range(1, 4):
        site.story(id_)
    site.answer_for["/v0/item/2.json"] = status(429, {"Retry-After": "60"})
    clock = FakeClock()
    async with collecting(site, clock=clock) as collector:
        assert ids(await anext(collector)) == [1, 3]
        held_from = clock.now
        await polls(collector, 1)
        assert clock.now >= held_from + 60
