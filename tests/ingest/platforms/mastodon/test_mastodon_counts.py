"""What becomes of published posts of Mastodon: growth, edits and deletions, and which instance is asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from ingest.signal import decode, encode
from tests.ingest.platforms.mastodon.collecting import World, collecting, ids, polls
from tests.ingest.platforms.mastodon.mastodon_site import HOST, MastodonSite, local, native, toot
from tests.ingest.sites import CREATED_S, NOW_MS

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


async def test_counts_are_polled_again_and_edits_are_seen(site: MastodonSite) -> None:
    world = World()
    for number in range(30):
        site.post(NOW_S - 60 + number)
    async with collecting(site, world=world, reobserve_seconds=1) as collector:
        await polls(collector)
        site.statuses[local(NOW_S - 60)] |= {"favourites_count": 99, "content": "<p>Better</p>", "edited_at": "2024"}
        world.ahead_ms = 600_000
        again = (await polls(collector, 2)).signals.signals
        assert len({signal.id for signal in again}) == 30
        (grown,) = [signal for signal in again if signal.counts.likes == 99]
        assert (grown.id, grown.text) == (native(NOW_S - 60), "Better")
        assert max(path.count("=") for path in site.paths("/api/v1/statuses")) == 20


async def test_an_edit_comes_again_with_a_later_time(site: MastodonSite) -> None:
    site.post(NOW_S - 1)
    async with collecting(site) as collector:
        (first,) = (await polls(collector)).signals.signals
        site.post(NOW_S - 1, content="<p>Better</p>", edited_at="2024-01-02T16:40:00.000Z")
        (second,) = (await polls(collector)).signals.signals
        assert (second.id, second.text) == (first.id, "Better")
        assert second.observed_ms > first.observed_ms
        assert ids(await polls(collector, 2)) == []


async def test_instances_before_4_3_are_asked_for_one_status_at_a_time(site: MastodonSite) -> None:
    world = World()
    for number in range(7):
        site.post(NOW_S - 60 + number)
    site.missing.add("/api/v1/statuses")
    async with collecting(site, world=world, reobserve_seconds=1) as collector:
        await polls(collector)
        world.ahead_ms = 600_000
        again = await polls(collector, 3)
        assert {signal.deleted for signal in again.signals.signals} == {False}
        assert len(set(ids(again))) == 7
        assert len(site.paths("/api/v1/statuses")) - len(site.paths("/api/v1/statuses/")) == 1


async def test_a_post_that_is_gone_is_deleted_after_asking_twice(site: MastodonSite) -> None:
    world = World()
    site.post(NOW_S - 2)
    site.post(NOW_S - 1)
    async with collecting(site, world=world, reobserve_seconds=1) as collector:
        await polls(collector)
        site.delete(NOW_S - 2)
        world.ahead_ms = 600_000
        found = {signal.id: signal for signal in (await polls(collector, 2)).signals.signals}
        gone = found[native(NOW_S - 2)]
        assert (gone.deleted, gone.text, gone.author, gone.url, gone.permalink) == (True, None, None, None, None)
        assert gone.counts.likes == 3
        assert not found[native(NOW_S - 1)].deleted
        assert collector.tracked_items == 1


async def test_an_empty_answer_alone_deletes_nothing(site: MastodonSite) -> None:
    world = World()
    site.post(NOW_S - 2)

    async def nothing(_: web.Request) -> web.StreamResponse:
        return web.json_response([])

    site.answer_for["/api/v1/statuses"] = nothing
    async with collecting(site, world=world, reobserve_seconds=1) as collector:
        await polls(collector)
        world.ahead_ms = 600_000
        assert [signal.deleted for signal in (await polls(collector)).signals.signals] == [False]


async def test_tracked_posts_survive_a_restart(site: MastodonSite) -> None:
    world = World()
    site.post(NOW_S - 2)
    async with collecting(site, world=world) as collector:
        cursor = (await polls(collector)).cursor
    site.delete(NOW_S - 2)
    world.ahead_ms = 600_000
    async with collecting(site, cursor=cursor, world=world, reobserve_seconds=1) as collector:
        assert collector.tracked_items == 1
        (gone,) = (await polls(collector, 2)).signals.signals
        assert (gone.id, gone.deleted) == (native(NOW_S - 2), True)


async def test_a_local_id_that_is_no_time_makes_no_deletion_invalid(site: MastodonSite) -> None:
    world = World()
    place = {"instances": {HOST: {"tracked": {f"mastodon:{HOST}/7": "7"}}}}
    cursor = json.dumps(place).encode()
    async with collecting(site, cursor=cursor, world=world, reobserve_seconds=1, watch_hours=1e6) as collector:
        world.ahead_ms = 600_000
        (gone,) = (await polls(collector, 2)).signals.signals
        assert decode(encode(gone), NOW_MS + world.ahead_ms).deleted


async def test_the_authors_own_instance_is_asked_for_counts(site: MastodonSite, other: MastodonSite) -> None:
    """It knows all of them; another knows those that came by."""
    world = World()
    copy = toot(NOW_S - 5, host="b.example", favourites_count=1)
    copy["id"] = str(int(local(NOW_S - 5)) + 1)
    site.keep(copy)
    site.timeline.append(str(copy["id"]))
    other.post(NOW_S - 5, host="b.example", favourites_count=50)
    async with collecting(site, other, world=world, reobserve_seconds=1) as collector:
        await polls(collector, 4)
        world.ahead_ms = 600_000
        again = (await polls(collector, 6)).signals.signals
        assert {signal.counts.likes for signal in again} == {50}
        assert site.paths("/api/v1/statuses") == []
