"""The Stack Exchange collector over a real socket: each change once, within a quota, and each backoff obeyed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from ingest.batch import Batch, Cursor, Signals
from ingest.errors import COLLECT_ERRORS
from ingest.platforms.stackexchange.collector import StackExchangeCollector
from ingest.platforms.stackexchange.config import StackExchangeConfig
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.stackexchange.stackexchange_site import StackExchangeSite, answer, comment, question, refuse
from tests.ingest.sites import NOW_MS, Answer, status
from transport.errors import RetryLaterError, SlowDownError, UserError

DAY_MS = 86_400_000


@pytest.fixture
async def site() -> AsyncIterator[StackExchangeSite]:
    async with StackExchangeSite() as running:
        yield running


@asynccontextmanager
async def collecting(
    site: StackExchangeSite,
    cursor: Cursor | None = None,
    clock: FakeClock | None = None,
    now_ms: Callable[[], int] = lambda: NOW_MS,
    **changes: object,
) -> AsyncIterator[StackExchangeCollector]:
    options: dict[str, object] = {"base_url": site.url, "sites": {"ai": []}, "request_timeout_seconds": 30}
    config = StackExchangeConfig.model_validate(options | changes)
    collector = StackExchangeCollector(config, cursor, context(now_ms, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: StackExchangeCollector, count: int) -> Batch:
    """Return what ``count`` polls give together, and the last cursor."""
    together = Signals()
    cursor = b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def natives(batch: Batch) -> list[str]:
    return [found.id.removeprefix("stackexchange:") for found in batch.signals.signals]


async def test_questions_come_with_their_answers_and_comments_and_then_only_what_changed(
    site: StackExchangeSite,
) -> None:
    below = [answer(9, 1, comments=[comment(4, 9)], comment_count=1)]
    site.questions["ai"] = [question(1, answers=below, answer_count=1), question(2, comments=[comment(5, 2)])]
    async with collecting(site) as collector:
        assert sorted(natives(await polls(collector, 1))) == ["ai/1", "ai/2", "ai/9", "ai/comment/4", "ai/comment/5"]
        assert natives(await polls(collector, 2)) == []
        site.questions["ai"][1]["score"] = 8
        batch = await polls(collector, 1)
        assert [(found.id, found.counts.likes) for found in batch.signals.signals] == [("stackexchange:ai/2", 8)]


async def test_the_filter_is_created_once_and_kept_in_the_cursor(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(1)]
    async with collecting(site) as collector:
        cursor = (await polls(collector, 2)).cursor
    async with collecting(site, cursor) as collector:
        await polls(collector, 1)
    assert site.asked().count("/2.3/filters/create") == 1


async def test_a_filter_that_is_refused_is_created_again(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(1)]
    async with collecting(site, b'{"filter": "!abc"}') as collector:
        site.next_answers.append(refuse(400, "bad_parameter", "Invalid filter specified"))
        with pytest.raises(RetryLaterError, match="created again"):
            await polls(collector, 1)
        assert natives(await polls(collector, 1)) == ["ai/1"]


async def test_tags_are_asked_for_by_the_search_which_takes_any_of_them(site: StackExchangeSite) -> None:
    async with collecting(site, sites={"stackoverflow": ["llm", "langchain"]}) as collector:
        await polls(collector, 1)
    (request,) = [request for request in site.requests if request.path == "/2.3/search"]
    assert request.query["tagged"] == "llm;langchain"
    assert (request.query["sort"], request.query["pagesize"]) == ("activity", "100")


async def test_a_backlog_is_read_back_to_what_is_known_and_beyond_a_limit_is_a_gap(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(number) for number in range(1, 11)]
    async with collecting(site) as collector:
        cursor = (await polls(collector, 1)).cursor
    site.questions["ai"] += [question(number) for number in range(11, 261)]
    async with collecting(site, cursor) as collector:
        batch = await polls(collector, 1)
        assert {f"ai/{number}" for number in range(11, 261)} <= set(natives(batch))
        assert batch.signals.gaps == 0
    async with collecting(site, cursor, listing_max_pages=2) as collector:
        assert (await polls(collector, 1)).signals.gaps == 1


async def test_a_backoff_holds_its_method_and_no_other(site: StackExchangeSite) -> None:
    site.wrapper |= {"backoff": 900}
    clock = FakeClock()
    sites: dict[str, list[str]] = {"stackoverflow": ["llm"], "ai": []}  # the search, and the listing
    async with collecting(site, clock=clock, sites=sites, poll_seconds=60, requests_per_day=10_000) as collector:
        await polls(collector, 1)
        del site.wrapper["backoff"]
        held_from = clock.now
        while site.polls().count("stackoverflow") == 1:
            await polls(collector, 1)
        assert clock.now >= held_from + 900
        assert site.polls().count("ai") > 3


@pytest.mark.parametrize(("backoff", "least"), [(10, 10), (500, 500), (-1, 0), (True, 0), ("soon", 0), (10**30, 0)])
async def test_a_backoff_is_obeyed_whatever_the_interval(site: StackExchangeSite, backoff: object, least: int) -> None:
    clock = FakeClock()
    async with collecting(site, clock=clock, poll_seconds=1, requests_per_day=1_000_000) as collector:
        await polls(collector, 1)
        site.wrapper["backoff"] = backoff
        await polls(collector, 1)
        held_from = clock.now
        site.wrapper.pop("backoff")
        await polls(collector, 1)
        assert clock.now >= held_from + least


@pytest.mark.parametrize(
    ("answered", "error", "seconds"),
    [
        (refuse(502, "throttle_violation", "too many requests from this IP, more requests available in 17524 seconds"),
         SlowDownError, 17_524),
        (refuse(502, "throttle_violation", "Violation of backoff parameter"), SlowDownError, 120),
        (refuse(502, "throttle_violation", "more requests available in 999999999 seconds"), SlowDownError, 86_400),
        (refuse(502, "throttle_violation", "more requests available in 9 seconds", status=200), SlowDownError, 9),
        (refuse(503, "temporarily_unavailable", "simulated"), RetryLaterError, None),
        (refuse(500, "internal_error", "simulated"), RetryLaterError, None),
        (refuse(400, "bad_parameter", "No site found for name `x`"), UserError, None),
        (refuse(405, "key_required", "simulated"), UserError, None),
        (status(400), RetryLaterError, None),
        (status(429, {"Retry-After": "8"}), SlowDownError, 8),
    ],
)  # fmt: skip
async def test_every_failure_has_a_retry_policy(
    site: StackExchangeSite, answered: Answer, error: type[Exception], seconds: float | None
) -> None:
    site.questions["ai"] = [question(1)]
    site.answer_for["/2.3/questions"] = answered
    async with collecting(site) as collector:
        with pytest.raises(error) as raised:
            await polls(collector, 1)
        assert type(raised.value) is error
        assert "\n" not in str(raised.value)
        if isinstance(raised.value, SlowDownError):
            assert raised.value.after_seconds == seconds
        site.answer_for.clear()
        assert natives(await polls(collector, 1)) == ["ai/1"]


async def test_the_last_request_of_the_quota_is_used_and_then_it_waits(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(1)]
    site.wrapper["quota_remaining"] = 1
    clock = FakeClock()
    async with collecting(site, b'{"filter": "!abc"}', clock) as collector:
        site.wrapper["quota_remaining"] = 0
        assert natives(await polls(collector, 1)) == ["ai/1"]
        with pytest.raises(SlowDownError, match="no more requests today") as raised:
            await polls(collector, 1)
        asked = len(site.requests)
        assert raised.value.after_seconds
        site.wrapper["quota_remaining"] = 299
        await clock.sleep(raised.value.after_seconds)
        await polls(collector, 1)
        assert len(site.requests) == asked + 1


async def test_the_budget_holds_over_crashes_and_failures(site: StackExchangeSite) -> None:
    """A collector that loses its last cursors at each crash, on a platform that fails, sends no more than allowed."""
    site.questions["ai"] = [question(1)]
    clock = FakeClock()
    cursor: Cursor | None = None
    for life in range(40):
        site.answer_for = {"/2.3/questions": status(500)} if life % 2 else {}
        async with collecting(site, cursor, clock, requests_per_day=100, poll_seconds=1) as collector:
            for _ in range(25):
                try:
                    saved = (await anext(collector)).cursor
                except COLLECT_ERRORS:
                    continue
                cursor = saved
    assert 20 < len(site.requests) <= 100
    async with collecting(site, cursor, clock, requests_per_day=100) as collector:
        with pytest.raises(SlowDownError, match="requests_per_day"):
            await polls(collector, 1)


async def test_a_day_is_spent_evenly_and_within_the_budget(site: StackExchangeSite) -> None:
    site.questions = {name: [question(1)] for name in ("stackoverflow", "ai", "datascience")}
    clock = FakeClock()
    began_at = clock.now

    def now_ms() -> int:
        return NOW_MS + int((clock.now - began_at) * 1000)

    sites = {"stackoverflow": ["llm"], "ai": [], "datascience": []}
    async with collecting(site, clock=clock, now_ms=now_ms, sites=sites) as collector:
        by_half = [0, 0]
        while now_ms() < NOW_MS + DAY_MS:
            await polls(collector, 1)
            by_half[now_ms() >= NOW_MS + DAY_MS // 2] += 1
    assert 150 < len(site.requests) <= 280
    assert min(by_half) > 0.4 * sum(by_half)


async def test_a_question_that_is_gone_from_the_listing_is_asked_for_and_taken_back(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(1), question(2), question(3)]
    async with collecting(site) as collector:
        await polls(collector, 1)
        del site.questions["ai"][1]
        batch = await polls(collector, 2)
        assert [(found.id, found.deleted, found.title, found.counts.likes) for found in batch.signals.signals] == [
            ("stackexchange:ai/2", True, None, 3)
        ]
        asked = len(site.requests)
        await polls(collector, 3)
        assert {request.path for request in site.requests[asked:]} == {"/2.3/questions"}
        assert collector.tracked_items == 2


async def test_an_answer_that_is_gone_is_taken_back(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(1, answers=[answer(8, 1), answer(9, 1)], answer_count=2)]
    async with collecting(site) as collector:
        await polls(collector, 1)
        site.questions["ai"] = [question(1, answers=[answer(8, 1)], answer_count=1)]
        batch = await polls(collector, 1)
        gone = [found for found in batch.signals.signals if found.deleted]
        assert [(found.id, found.kind, found.thread, found.text) for found in gone] == [
            ("stackexchange:ai/9", "reply", "stackexchange:ai/1", None)
        ]


async def test_tracked_questions_beyond_the_listing_are_asked_for_together(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(number) for number in range(1, 31)]
    clock = FakeClock()
    async with collecting(site, clock=clock, check_hours=1, poll_seconds=1_000) as collector:
        await polls(collector, 1)
        site.questions["ai"] += [question(number) for number in range(101, 201)]
        for number in range(30):
            site.questions["ai"][number]["view_count"] = 500
        batch = await polls(collector, 8)
        grown = {found.id for found in batch.signals.signals if found.counts.views == 500}
        assert len(grown) == 30
        assert sum(";" in request.path for request in site.requests) in {1, 2}


async def test_the_key_is_sent_and_never_said(site: StackExchangeSite) -> None:
    async with collecting(site, key="sesame-open") as collector:
        for answered in (refuse(400, "bad_parameter", "x"), status(500), status(302, {"Location": "http://a.example"})):
            site.answer_for["/2.3/questions"] = answered
            with pytest.raises(COLLECT_ERRORS) as raised:
                await polls(collector, 1)
            assert "sesame" not in str(raised.value)
        assert all(request.query["key"] == "sesame-open" for request in site.requests)


async def test_what_is_remembered_in_the_cursor_is_bounded(site: StackExchangeSite) -> None:
    site.questions["ai"] = [question(number) for number in range(1, 101)]
    async with collecting(site, watch_max_items=20) as collector:
        cursor = json.loads((await polls(collector, 1)).cursor)
    assert len(cursor["sites"]["ai"]["tracked"]) == 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"sites": {}},
        {"sites": {"../users": []}},
        {"sites": {"ai": ["a;b"]}},
        {"key": "k", "base_url": "http://api.stackexchange.com"},
        {"requests_per_day": 0},
        {"polling": 5},
    ],
    ids=str,
)
def test_a_wrong_option_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StackExchangeConfig.model_validate(wrong)
