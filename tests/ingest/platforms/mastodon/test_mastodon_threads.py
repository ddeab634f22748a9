"""Threads of Mastodon: what a reply needs, what brings the replies to a post, and what no beat wants."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ingest.batch import Ignored
from ingest.relevance import Relevance
from tests.ingest.platforms.mastodon.collecting import NEVER_SECONDS, World, collecting, ids, polls
from tests.ingest.platforms.mastodon.mastodon_site import HOST, MastodonSite, local, native, toot
from tests.ingest.sites import CREATED_S, NOW_MS

NOW_S = NOW_MS // 1000 - CREATED_S
"""The number of the status that is created when a test begins."""


@pytest.fixture
async def site() -> AsyncIterator[MastodonSite]:
    async with MastodonSite() as running:
        yield running


async def test_a_reply_brings_its_thread(site: MastodonSite) -> None:
    site.keep(toot(1))
    site.reply(2, to=1)
    site.reply(3, to=2, tags=[{"name": "ai"}])
    site.reply(4, to=3)
    async with collecting(site, public_timeline=False, tags=["ai"], threads_seconds=1) as collector:
        batch = await polls(collector, 2)
        assert ids(batch) == [native(number) for number in (1, 2, 3, 4)]
        assert {signal.thread for signal in batch.signals.signals} == {native(1)}
        assert len(site.paths("context")) == 1
        site.reply(5, to=4, tags=[{"name": "ai"}])
        assert ids(await polls(collector)) == [native(5)]  # by now its thread is known
        assert len(site.paths("context")) == 1


async def test_a_reply_that_waits_for_its_root_survives_a_restart(site: MastodonSite) -> None:
    site.keep(toot(1))
    site.reply(2, to=1, tags=[{"name": "ai"}])
    async with collecting(site, public_timeline=False, tags=["ai"]) as collector:
        batch = await polls(collector)
        assert ids(batch) == []
    site.statuses[local(2)]["tags"] = []
    async with collecting(
        site, cursor=batch.cursor, public_timeline=False, tags=["ai"], threads_seconds=1
    ) as collector:
        assert ids(await polls(collector, 4)) == [native(1), native(2)]


async def test_a_thread_that_cannot_be_read_makes_an_orphan(site: MastodonSite) -> None:
    site.keep(toot(1))
    site.reply(2, to=1, tags=[{"name": "ai"}])
    site.missing.add(f"/api/v1/statuses/{local(2)}/context")
    async with collecting(
        site, public_timeline=False, tags=["ai"], tags_poll_seconds=NEVER_SECONDS, threads_seconds=1
    ) as collector:
        ignored = (await polls(collector, 2)).signals.ignored
        assert ignored == {Ignored.ORPHAN: 1}
        assert len(site.paths("context")) == 3


async def test_replies_below_a_root_that_is_not_public_are_not_published(site: MastodonSite) -> None:
    site.keep(toot(1, visibility="unlisted"))
    site.reply(2, to=1, tags=[{"name": "ai"}])
    async with collecting(site, public_timeline=False, tags=["ai"], threads_seconds=1) as collector:
        signals = (await polls(collector, 2)).signals
        assert signals.signals == []
        assert signals.ignored == {Ignored.NOT_PUBLIC: 2}


async def test_the_replies_to_a_post_are_read_when_their_number_grows(site: MastodonSite) -> None:
    world = World()
    site.post(NOW_S - 1)
    async with collecting(site, world=world, threads_seconds=1, reobserve_seconds=1) as collector:
        await polls(collector)
        site.reply(NOW_S, to=NOW_S - 1)
        site.reply(NOW_S + 1, to=NOW_S)
        site.statuses[local(NOW_S - 1)]["replies_count"] = 1
        world.ahead_ms = 600_000
        batch = await polls(collector, 4)
        replies = [signal for signal in batch.signals.signals if signal.kind == "reply"]
        assert [signal.id for signal in replies] == [native(NOW_S), native(NOW_S + 1)]
        assert {signal.thread for signal in replies} == {native(NOW_S - 1)}
        assert len(site.paths("context")) == 1


async def test_a_boost_counts_for_the_original(site: MastodonSite) -> None:
    original = toot(NOW_S - 9, host="far.example", favourites_count=41)
    site.post(NOW_S - 1, reblog=original, uri=f"https://{HOST}/users/bob/statuses/{local(NOW_S - 1)}/activity")
    async with collecting(site) as collector:
        first, second = (await polls(collector)).signals.signals
    assert (first.id, first.kind, first.counts.likes) == (native(NOW_S - 9, "far.example"), "post", 41)
    assert (second.id, second.kind, second.thread) == (native(NOW_S - 1), "repost", first.id)


async def test_what_no_beat_wants_is_counted_and_costs_no_request(site: MastodonSite) -> None:
    wanted = Relevance(lambda signal: "news" in (signal.text or ""))
    site.post(NOW_S - 5, content="<p>cats</p>")
    site.post(NOW_S - 4, content="<p>news</p>")
    site.post(NOW_S - 3, in_reply_to_id=local(NOW_S - 5), content="<p>news of cats</p>")
    site.post(NOW_S - 2, in_reply_to_id=local(NOW_S - 4), content="<p>cats</p>")
    async with collecting(site, relevance=wanted, threads_seconds=1) as collector:
        signals = (await polls(collector, 3)).signals
        assert [signal.id for signal in signals.signals] == [native(NOW_S - 4), native(NOW_S - 2)]
        assert signals.ignored == {Ignored.IRRELEVANT: 2}
        assert site.paths("context") == []
        assert collector.tracked_items == 1
