"""The Mastodon collector over real sockets: each status once whatever instance shows it, threads, growth, deletions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import structlog
from aiohttp import web

from ingest.platforms.mastodon.config import MastodonConfig
from ingest.platforms.mastodon.identity import local_id_at
from tests.ingest.platforms.mastodon.collecting import World, collecting, ids, polls
from tests.ingest.platforms.mastodon.mastodon_site import HOST, MastodonSite, local, native, toot
from tests.ingest.sites import CREATED_S, NOW_MS, status
from transport.errors import RetryLaterError, SlowDownError, UserError

NOW_S = NOW_MS // 1000 - CREATED_S
"""The number of the status that is created when a test begins."""


@pytest.fixture
async def site() -> AsyncIterator[MastodonSite]:
    async with MastodonSite() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[MastodonSite]:
    async with MastodonSite() as running:
        yield running


# Timelines


async def test_every_status_comes_once_and_then_what_is_new(site: MastodonSite) -> None:
    for number in range(NOW_S - 10, NOW_S):
        site.post(number)
    async with collecting(site) as collector:
        assert ids(await polls(collector)) == [native(number) for number in range(NOW_S - 10, NOW_S)]
        site.post(NOW_S + 1)
        assert ids(await polls(collector)) == [native(NOW_S + 1)]
        assert ids(await polls(collector, 3)) == []


async def test_a_status_of_another_instance_that_arrives_late_is_not_missed(site: MastodonSite) -> None:
    site.post(NOW_S - 1)
    async with collecting(site) as collector:
        await polls(collector)
        site.post(NOW_S - 40, host="far.example")
        assert ids(await polls(collector)) == [native(NOW_S - 40, "far.example")]


async def test_a_busy_instance_is_read_whole_whatever_arrives_between_two_polls(site: MastodonSite) -> None:
    world = World()
    async with collecting(site, world=world, backfill_hours=0.02) as collector:
        await polls(collector)
        numbers = [NOW_S + step for step in range(1, 400)]
        for number in numbers:
            site.post(number)
        world.ahead_ms = 600_000
        batch = await polls(collector, 20)
        assert sorted(ids(batch)) == [native(number) for number in numbers]
        assert batch.signals.gaps == 0


async def test_the_first_start_reaches_back_as_far_as_configured(site: MastodonSite) -> None:
    for number in range(NOW_S - 1000, NOW_S, 4):
        site.post(number)
    async with collecting(site, backfill_hours=0.1) as collector:
        read = ids(await polls(collector, 12))
        assert sorted(read) == [native(number) for number in range(NOW_S - 360, NOW_S, 4)]


async def test_a_break_is_caught_up_on_from_the_cursor(site: MastodonSite) -> None:
    site.post(NOW_S - 200)
    async with collecting(site) as collector:
        cursor = (await polls(collector)).cursor
    world = World()
    world.ahead_ms = 3_600_000
    numbers = range(NOW_S + 10, NOW_S + 3_000, 20)
    for number in numbers:
        site.post(number)
    async with collecting(site, cursor=cursor, world=world) as collector:
        batch = await polls(collector, 8)
        assert sorted(set(ids(batch)) - {native(NOW_S - 200)}) == [native(number) for number in numbers]
        assert batch.signals.gaps == 0
        least = [
            int(path.partition("min_id=")[2].partition("&")[0]) for path in site.paths("public") if "min_id" in path
        ]
        assert least == sorted(set(least))  # each page once, oldest first


async def test_too_long_a_break_is_a_gap_that_is_counted_once(site: MastodonSite) -> None:
    site.post(NOW_S - 200)
    async with collecting(site) as collector:
        cursor = (await polls(collector)).cursor
    world = World()
    world.ahead_ms = 48 * 3_600_000
    for number in range(NOW_S, NOW_S + 48 * 3600, 600):
        site.post(number)
    async with collecting(site, cursor=cursor, world=world, catch_up_hours=10) as collector:
        batch = await polls(collector, 12)
        assert batch.signals.gaps == 1
        assert 59 <= len(batch.signals.signals) <= 61  # ten hours


async def test_an_instance_that_pages_without_end_is_given_up(site: MastodonSite) -> None:
    async def same_page(_: web.Request) -> web.StreamResponse:
        return web.json_response([toot(NOW_S - 500 + number) for number in range(40)])

    site.answer_for["/api/v1/timelines/public"] = same_page
    world = World()
    async with collecting(site, world=world) as collector:
        assert len(ids(await polls(collector, 6))) == 40
        assert len(site.paths("public")) <= 6


async def test_hashtags_are_read_five_in_a_request(site: MastodonSite) -> None:
    tags = ["ai", "llm", "c", "d", "e", "künstlicheintelligenz"]
    site.keep(toot(NOW_S - 1, tags=[{"name": "ai"}]))
    site.keep(toot(NOW_S - 2, tags=[{"name": "e"}]))
    site.keep(toot(NOW_S - 3, tags=[{"name": "künstlicheintelligenz"}]))
    site.keep(toot(NOW_S - 4, tags=[{"name": "other"}]))
    async with collecting(site, public_timeline=False, tags=tags) as collector:
        assert sorted(ids(await polls(collector, 2))) == [native(NOW_S - number) for number in (3, 2, 1)]
        assert len(site.requests) == 2


async def test_a_refused_public_timeline_is_reported_once_and_hashtags_go_on(site: MastodonSite) -> None:
    site.refused.add("/api/v1/timelines/public")
    site.keep(toot(NOW_S - 1, tags=[{"name": "ai"}]))
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, tags=["ai"]) as collector:
            assert ids(await polls(collector, 4)) == [native(NOW_S - 1)]
    (line,) = [line for line in logs if line["log_level"] == "warning"]
    assert line["instance"] == HOST
    assert "422" in line["problem"]
    assert "access_token" in line["problem"]
    assert len(site.paths("public")) == 1


async def test_an_instance_that_refuses_everything_is_for_the_operator(site: MastodonSite) -> None:
    site.refused.add("/api/v1/timelines/public")
    async with collecting(site) as collector:
        for _ in range(2):
            with pytest.raises(UserError, match="set an access_token"):
                await polls(collector)
        site.refused.clear()
        site.post(NOW_S - 1)
        assert ids(await polls(collector)) == [native(NOW_S - 1)]


async def test_a_disabled_timeline_is_reported(site: MastodonSite) -> None:
    site.keep(toot(NOW_S - 1, tags=[{"name": "ai"}]))
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, tags=["ai"]) as collector:
            await polls(collector, 6)
    assert ["disabled" in line["problem"] for line in logs] == [True]


# Several instances


async def test_one_status_on_three_instances_is_one_signal(site: MastodonSite, other: MastodonSite) -> None:
    async with MastodonSite() as third:
        for instance in (site, other, third):
            copy = toot(NOW_S - 5, host="far.example")
            copy["id"] = str(int(local(NOW_S - 5)) + len(instance.url) % 7 + id(instance) % 1000)
            instance.keep(copy)
            instance.timeline.append(str(copy["id"]))
        async with collecting(site, other, third) as collector:
            assert ids(await polls(collector, 6)) == [native(NOW_S - 5, "far.example")]
        assert all(instance.requests for instance in (site, other, third))


async def test_a_failing_instance_holds_up_no_other(site: MastodonSite, other: MastodonSite) -> None:
    site.answer_for["/api/v1/timelines/public"] = status(500)
    other.post(NOW_S - 1, host="b.example")
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, other) as collector:
            assert ids(await polls(collector, 4)) == [native(NOW_S - 1, "b.example")]
            del site.answer_for["/api/v1/timelines/public"]
            site.post(NOW_S - 2)
            assert native(NOW_S - 2) in ids(await polls(collector, 12))
    assert [line["instance"] for line in logs if line["event"] == "an instance cannot be read"] == [HOST]


RATE_LIMITED = status(
    429, {"X-RateLimit-Reset": "2026-08-01T15:05:00.000000Z", "Date": "Sat, 01 Aug 2026 15:00:00 GMT"}
)


async def test_a_rate_limit_of_one_instance_is_obeyed_there_alone(site: MastodonSite, other: MastodonSite) -> None:
    world = World()
    asked_at: list[float] = []

    async def limited(request: web.Request) -> web.StreamResponse:
        asked_at.append(world.clock.now)
        return await (RATE_LIMITED(request) if len(asked_at) == 1 else site.answer(request))

    site.answer_for["/api/v1/timelines/public"] = limited
    other.post(NOW_S - 2)
    async with collecting(site, other, world=world) as collector:
        assert ids(await polls(collector)) == [native(NOW_S - 2)]
        await polls(collector, 30)
    assert asked_at[1] - asked_at[0] >= 300


async def test_a_rate_limit_of_the_only_instance_is_for_the_loop(site: MastodonSite) -> None:
    site.next_answers.append(RATE_LIMITED)
    async with collecting(site) as collector:
        with pytest.raises(SlowDownError) as raised:
            await polls(collector)
    assert raised.value.after_seconds == 300


async def test_when_no_instance_works_the_error_is_raised(site: MastodonSite, other: MastodonSite) -> None:
    site.answer_for["/api/v1/timelines/public"] = status(500)
    other.refused.add("/api/v1/timelines/public")
    async with collecting(site, other) as collector:
        with pytest.raises(RetryLaterError):  # no UserError: one of them may come back by itself
            await polls(collector)


async def test_a_slow_instance_is_waited_for_by_no_other(site: MastodonSite, other: MastodonSite) -> None:
    other_done = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        await other_done.wait()
        return web.json_response([])

    site.answer_for["/api/v1/timelines/public"] = never
    other.post(NOW_S - 1)
    async with collecting(site, other) as collector:
        assert ids(await polls(collector, 5)) == [native(NOW_S - 1)]
        other_done.set()


async def test_the_place_of_an_instance_is_saved_only_with_its_signals(site: MastodonSite, other: MastodonSite) -> None:
    site.post(NOW_S - 1)
    other.post(NOW_S - 2)
    async with collecting(site, other) as collector:
        first = await polls(collector)
        assert len(json.loads(first.cursor)["instances"]) == 1
        second = await polls(collector)
        assert len(json.loads(second.cursor)["instances"]) == 2


# Odd things


@pytest.mark.parametrize("item", [None, 7, "x", [], {}, {"id": 7}, {"id": "7", "uri": ""}])
async def test_an_odd_item_is_a_dead_letter_once_and_holds_up_no_other(site: MastodonSite, item: object) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.json_response([toot(NOW_S - 1), item])

    site.answer_for["/api/v1/timelines/public"] = page
    async with collecting(site) as collector:
        signals = (await polls(collector, 3)).signals
        assert [signal.id for signal in signals.signals] == [native(NOW_S - 1)]
        assert [dead.reason for dead in signals.unreadable] == ["wrong_shape"]


TOKEN = "s3cret"  # noqa: S105


async def test_a_token_is_sent_and_never_shown(site: MastodonSite) -> None:
    site.answer_for["/api/v1/timelines/public"] = status(401)
    async with collecting(site, token=TOKEN) as collector:
        with pytest.raises(UserError, match="is its access_token valid") as raised:
            await polls(collector)
    assert site.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert "s3cret" not in str(raised.value)


def test_the_options_are_checked() -> None:
    with pytest.raises(ValueError, match="nothing is read"):
        MastodonConfig.model_validate({"public_timeline": False, "tags": []})
    with pytest.raises(ValueError, match="must be https"):
        MastodonConfig.model_validate({"instances": {"a.example": {"url": "http://a.example", "access_token": "t"}}})
    with pytest.raises(ValueError, match="should match"):
        MastodonConfig.model_validate({"instances": {"https://a.example/": {}}})
    assert "s3cret" not in repr(MastodonConfig.model_validate({"instances": {"a.example": {"access_token": "s3cret"}}}))


def test_local_ids_grow_with_time() -> None:
    assert int(local(1)) == local_id_at((CREATED_S + 1) * 1000)
