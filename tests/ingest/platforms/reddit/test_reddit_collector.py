"""The Reddit collector over a real socket: nothing missed, nothing twice, a retry policy for every failure."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import praw.config
import pytest
from aiohttp import web

from ingest.batch import Batch, Cursor, Signals
from ingest.collector import Collector
from ingest.errors import CollectError
from ingest.platforms.reddit import SPEC
from ingest.platforms.reddit.client import RedditClient
from ingest.platforms.reddit.config import RedditConfig
from tests.eventually import eventually
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import CREATED_S, NOW_MS, Answer, RedditSite, body, comment, drop, hang, status, submission
from transport.errors import RetryLaterError, SlowDownError, UserError

NEVER_SECONDS = 1e6


@pytest.fixture
async def site() -> AsyncIterator[RedditSite]:
    async with RedditSite() as running:
        yield running


def config(site: RedditSite, **changes: object) -> RedditConfig:
    options: dict[str, object] = {
        "client_id": "id",
        "client_secret": "secret",
        "reddit_url": site.url,
        "oauth_url": site.url,
        "subreddits": ("test",),
        "submissions_poll_seconds": 0.001,
        "requests_per_minute": 1e9,
        "comments": False,
        "reobserve_seconds": NEVER_SECONDS,
        "sweep_seconds": NEVER_SECONDS,
        "request_timeout_seconds": 30,  # a busy machine takes its time
    }
    return RedditConfig.model_validate(options | changes)


@asynccontextmanager
async def collecting(
    site: RedditSite,
    cursor: Cursor | None = None,
    now_ms: int = NOW_MS,
    clock: FakeClock | None = None,
    **changes: object,
) -> AsyncIterator[Collector]:
    options = config(site, **changes)
    collector = SPEC.make(options, cursor, context(lambda: now_ms, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: Collector, count: int) -> Batch:
    """Return what ``count`` looks give together, and the last cursor."""
    together = Signals()
    cursor = b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def ids(batch: Batch) -> list[str]:
    return [signal.id.removeprefix("reddit:") for signal in batch.signals.signals]


def names(numbers: range | list[int], kind: str = "t3") -> list[str]:
    return [f"{kind}_{number:05}" for number in numbers]


async def test_each_post_comes_once_oldest_first(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(30)]
    async with collecting(site) as collector:
        assert ids(await polls(collector, 3)) == names(range(30))
        site.posts += [submission(number) for number in range(30, 35)]
        assert ids(await polls(collector, 2)) == names(range(30, 35))


async def test_a_busy_place_is_read_back_to_something_known(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(10)]
    async with collecting(site) as collector:
        await polls(collector, 2)
        site.posts += [submission(number) for number in range(10, 360)]
        batch = await polls(collector, 1)
        assert ids(batch) == names(range(10, 360))
        assert batch.signals.gaps == 0


async def test_items_lost_beyond_the_reach_of_a_listing_are_a_gap(site: RedditSite) -> None:
    site.posts = [submission(0)]
    async with collecting(site) as collector:
        assert (await polls(collector, 2)).signals.gaps == 0
        site.posts += [submission(number) for number in range(1, 1_200)]
        batch = await polls(collector, 1)
        assert len(ids(batch)) == 1_000
        assert batch.signals.gaps == 1


async def test_the_first_start_reaches_back_as_far_as_configured(site: RedditSite) -> None:
    site.posts = [submission(number * 60) for number in range(200)]
    now_ms = (CREATED_S + 200 * 60) * 1000
    async with collecting(site, now_ms=now_ms, backfill_hours=1) as collector:
        batch = await polls(collector, 1)
        assert ids(batch) == names([number * 60 for number in range(140, 200)])
        assert batch.signals.gaps == 0


async def test_a_restart_goes_on_where_the_cursor_was_saved(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(250)]
    async with collecting(site) as collector:
        cursor = (await polls(collector, 2)).cursor
    site.posts += [submission(number) for number in range(250, 400)]
    async with collecting(site, cursor, reobserve_seconds=NEVER_SECONDS) as collector:
        seen_again: list[str] = []
        found: list[str] = []
        for _ in range(2):  # one poll of new posts and one of tracked ones, in either order
            batch = await anext(collector)
            is_new = set(ids(batch)) & set(names(range(250, 400)))
            (found if is_new else seen_again).extend(ids(batch))
        assert found == names(range(250, 400))
        assert set(seen_again) <= set(names(range(250)))


async def test_a_poll_that_fails_midway_loses_nothing(site: RedditSite) -> None:
    site.posts = [submission(0)]
    async with collecting(site) as collector:
        await polls(collector, 2)
        site.posts += [submission(number) for number in range(1, 301)]
        site.next_answers += [site.answer, site.answer, status(502)]
        with pytest.raises(RetryLaterError):
            await anext(collector)
        assert ids(await polls(collector, 1)) == names(range(1, 301))


async def test_a_full_scan_finds_posts_that_appear_late(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(0, 800, 2)]
    clock = FakeClock()
    async with collecting(site, clock=clock, sweep_seconds=2) as collector:
        await polls(collector, 2)
        site.posts.insert(40, submission(79))  # released by a filter, among posts of its age: page 4
        assert ids(await polls(collector, 3)) == []
        clock.now += 2
        assert ids(await polls(collector, 2)) == ["t3_00079"]


async def test_a_thing_on_two_pages_comes_once(site: RedditSite) -> None:
    """The listing moves on while its pages are read."""
    site.posts = [submission(number) for number in range(150)]

    async def grown(request: object) -> object:
        site.posts.append(submission(150))
        return await site.answer(request)  # type: ignore[arg-type]

    async with collecting(site) as collector:
        site.next_answers += [site.answer, grown]  # type: ignore[list-item]
        first = ids(await polls(collector, 2))
        assert sorted(set(first)) == sorted(first)
        assert sorted(first + ids(await polls(collector, 1))) == names(range(151))


async def test_comments_come_after_their_posts(site: RedditSite) -> None:
    site.unlisted = [submission(number) for number in range(150)]
    site.comments = [comment(number, number % 150) for number in range(400)]
    async with collecting(site, comments=True, comments_poll_seconds=0.001) as collector:
        signals = (await polls(collector, 3)).signals.signals
        assert [signal.kind for signal in signals] == ["post"] * 150 + ["reply"] * 400
        assert {signal.thread for signal in signals} == {f"reddit:{name}" for name in names(range(150))}
        assert site.asked().count("/api/info") == 2
        site.comments.append(comment(400, 7))
        assert ids(await polls(collector, 2)) == ["t1_00400"]
        assert site.asked().count("/api/info") == 2


async def test_a_comment_whose_post_reddit_hides_comes_alone(site: RedditSite) -> None:
    site.comments = [comment(1, 999)]
    async with collecting(site, comments=True, comments_poll_seconds=0.001) as collector:
        assert ids(await polls(collector, 3)) == ["t1_00001"]
        await polls(collector, 3)
        assert site.asked().count("/api/info") == 1


async def test_tracked_posts_are_polled_again(site: RedditSite) -> None:
    site.posts = [submission(number) for number in range(250)]
    clock_ms = [NOW_MS]
    options = config(site, reobserve_seconds=0.001, submissions_poll_seconds=NEVER_SECONDS)
    collector = SPEC.make(options, None, context(lambda: clock_ms[0]))
    try:
        await polls(collector, 1)
        site.posts = [submission(number, score=77) for number in range(250)]
        clock_ms[0] += 3 * 3_600_000
        again = (await polls(collector, 1)).signals.signals
        assert {signal.counts.likes for signal in again} == {77}
        assert {signal.observed_ms for signal in again} == {clock_ms[0]}
        assert sorted(signal.id for signal in again) == [f"reddit:{name}" for name in names(range(250))]
        assert site.asked().count("/api/info") == 3
    finally:
        await collector.aclose()


async def test_a_malformed_thing_is_one_dead_letter_and_costs_no_other(site: RedditSite) -> None:
    hostile: list[dict[str, object]] = [
        submission(1, created_utc="yesterday"),
        submission(2, score=[]),
        submission(3, created_utc=float("nan")),
        {"kind": "t9", "data": {"name": "t9_x"}},
        {"kind": "t3", "data": None},
        {"data": {}},
    ]
    site.posts = [submission(0), *hostile, submission(9)]
    async with collecting(site) as collector:
        site.next_answers.append(body(_page([*site.posts, 5, None, "x"])))
        batch = await polls(collector, 1)
        assert set(ids(batch)) == {"t3_00000", "t3_00009"}
        assert len(batch.signals.unreadable) == 9
        assert {letter.reason for letter in batch.signals.unreadable} == {"wrong_shape", "unknown_kind"}
        site.next_answers.append(body(_page([*site.posts, 5, None, "x"])))
        assert (await polls(collector, 1)).signals.read == 0


async def test_a_name_that_cannot_be_saved_is_a_dead_letter_and_stops_nothing(site: RedditSite) -> None:
    site.posts = [submission(0), submission(1, name="t3_\ud800"), submission(2, name="t3_" + "x" * 5_000)]
    async with collecting(site) as collector:
        batch = await polls(collector, 1)
        assert batch.signals.read == 3
    async with collecting(site, batch.cursor) as collector:
        assert (await polls(collector, 1)).signals.read == 0


def _page(things: list[object]) -> str:
    return json.dumps({"kind": "Listing", "data": {"after": None, "children": things}})


@pytest.mark.parametrize(
    ("answer", "policy"),
    [
        pytest.param(status(500), RetryLaterError, id="500"),
        pytest.param(status(502, body="<html>"), RetryLaterError, id="502"),
        pytest.param(status(503), RetryLaterError, id="503"),
        pytest.param(status(503, {"Retry-After": "7"}), SlowDownError, id="503 with a time"),
        pytest.param(status(403), RetryLaterError, id="403"),
        pytest.param(status(400, body="{}"), RetryLaterError, id="400"),
        pytest.param(status(418), RetryLaterError, id="418"),
        pytest.param(status(429), SlowDownError, id="429"),
        pytest.param(status(429, {"Retry-After": "soon"}), SlowDownError, id="429 with nonsense"),
        pytest.param(body("<!doctype html>"), RetryLaterError, id="garbage"),
        pytest.param(body("[" * 100_000), RetryLaterError, id="nested garbage"),
        pytest.param(body("[]"), RetryLaterError, id="no listing"),
        pytest.param(body('{"kind":"Listing","data":{"children":5}}'), RetryLaterError, id="no children"),
        pytest.param(status(204), RetryLaterError, id="nothing"),
        pytest.param(drop, RetryLaterError, id="dropped"),
        pytest.param(status(200, {"x-ratelimit-remaining": "many"}), RetryLaterError, id="nonsense headers"),
        pytest.param(status(404), UserError, id="no such subreddit, 404"),
        pytest.param(status(302, {"Location": "/subreddits/search?q=x"}), UserError, id="no such subreddit, 302"),
    ],
)
async def test_every_failure_has_a_retry_policy_after_one_request(
    site: RedditSite, answer: Answer, policy: type[CollectError]
) -> None:
    """prawcore would retry some of these itself, asleep and out of the loop's sight."""
    site.posts = [submission(1)]
    site.next_answers.append(answer)
    async with collecting(site) as collector:
        with pytest.raises(policy) as raised:
            await anext(collector)
        assert type(raised.value) is policy
        assert "\n" not in str(raised.value)
        assert len(site.asked()) == 1
        assert ids(await polls(collector, 2)) == ["t3_00001"]


@pytest.mark.parametrize("header", ["Retry-After", "x-ratelimit-reset"])
async def test_the_wait_that_a_platform_asks_for_is_in_the_error(site: RedditSite, header: str) -> None:
    site.next_answers.append(status(429, {header: "42"}))
    async with collecting(site) as collector:
        with pytest.raises(SlowDownError) as raised:
            await anext(collector)
        assert raised.value.after_seconds == 42


async def test_a_request_without_an_answer_fails_in_time(site: RedditSite) -> None:
    site.posts = [submission(1)]
    site.next_answers.append(hang)
    async with collecting(site, request_timeout_seconds=1) as collector:
        with pytest.raises(RetryLaterError):
            await anext(collector)
        assert ids(await polls(collector, 2)) == ["t3_00001"]


async def test_an_answer_that_drips_is_not_waited_for_and_holds_up_no_other(
    site: RedditSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as something comes, PRAW waits on; its thread is left behind with the request, and a new one begun."""
    monkeypatch.setattr("ingest.platforms.reddit.client.OVERTIME_FACTOR", 0.3)

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    site.posts = [submission(1)]
    site.next_answers.append(drip)
    async with collecting(site, request_timeout_seconds=1) as collector:
        with pytest.raises(RetryLaterError, match="not answered"):
            await anext(collector)
        assert ids(await polls(collector, 2)) == ["t3_00001"]


async def test_a_request_that_no_one_waits_for_any_more_is_never_sent(site: RedditSite) -> None:
    site.next_answers.append(hang)
    client = RedditClient(config(site, request_timeout_seconds=1), context(lambda: NOW_MS))
    requests = [asyncio.create_task(client.info([f"t3_{n}"])) for n in range(5)]
    await eventually(site.asked)
    for task in requests:
        task.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    assert (await client.info(["t3_9"])).things == ()
    await client.close()
    assert len(site.asked()) == 2


async def test_an_expired_token_is_renewed(site: RedditSite) -> None:
    site.posts = [submission(1)]
    site.next_answers.append(status(401))
    async with collecting(site) as collector:
        assert ids(await polls(collector, 2)) == ["t3_00001"]
        assert sum(map(site.is_token, site.requests)) == 2


@pytest.mark.parametrize("answer", [status(401), body('{"error": "invalid_grant"}')], ids=["401", "invalid_grant"])
async def test_rejected_credentials_are_a_user_error(site: RedditSite, answer: Answer) -> None:
    site.answer_for["/api/v1/access_token"] = answer
    async with collecting(site) as collector:
        with pytest.raises(UserError, match="client_secret"):
            await anext(collector)


async def test_an_exhausted_allowance_holds_the_rate_limiter(site: RedditSite) -> None:
    site.headers = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "600", "x-ratelimit-reset": "300"}
    site.posts = [submission(1)]
    clock = FakeClock()
    shared = context(lambda: NOW_MS, clock)
    collector = SPEC.make(config(site), None, shared)
    try:
        assert ids(await polls(collector, 1)) == ["t3_00001"]
        held_from = clock.now
        await shared.rate_limiter.acquire()
        assert clock.now >= held_from + 300
    finally:
        await collector.aclose()


async def test_a_planted_praw_ini_cannot_redirect_credentials(
    site: RedditSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RedditSite() as thief:
        (tmp_path / "praw.ini").write_text(
            f"[DEFAULT]\nreddit_url={thief.url}\noauth_url={thief.url}\nrefresh_token=x\nratelimit_seconds=soon\n"
        )
        monkeypatch.setattr(praw.config.Config, "CONFIG", None)  # as in a process that has just begun
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("praw_site", "elsewhere")
        monkeypatch.setenv("praw_client_secret", "stolen")
        site.posts = [submission(1)]
        async with collecting(site) as collector:
            assert ids(await polls(collector, 2)) == ["t3_00001"]
        assert thief.requests == []


async def test_the_thread_ends_with_the_collector(site: RedditSite) -> None:
    async with collecting(site) as collector:
        await polls(collector, 1)
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "reddit")
    thread.join(2)
    assert not thread.is_alive()
