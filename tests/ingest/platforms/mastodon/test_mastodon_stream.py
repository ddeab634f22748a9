"""The stream of a public timeline: what it delivers, when it is relied upon, and what is read in its place."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import structlog

from ingest.batch import Ignored, Signals
from ingest.platforms.mastodon.collector import MastodonCollector
from tests.ingest.platforms.mastodon.collecting import World, collecting, poll_until, polls
from tests.ingest.platforms.mastodon.mastodon_site import HOST, MastodonSite, local, native, toot
from tests.ingest.sites import CREATED_S, NOW_MS, status

NOW_S = NOW_MS // 1000 - CREATED_S
TOKEN = "any"  # noqa: S105


@pytest.fixture
async def site() -> AsyncIterator[MastodonSite]:
    async with MastodonSite() as running:
        yield running


async def connect(collector: MastodonCollector, site: MastodonSite) -> None:
    await poll_until(collector, lambda _: bool(site.streams))


def seen(signals: Signals, number: int) -> bool:
    return native(number) in {signal.id for signal in signals.signals}


async def test_posts_edits_and_deletions_are_streamed(site: MastodonSite) -> None:
    site.refused.add("/api/v1/timelines/public")  # so all of it comes by the stream
    async with collecting(site, token=TOKEN, tags=["ai"], tags_poll_seconds=1) as collector:
        await connect(collector, site)
        post = toot(NOW_S + 1)
        site.emit("update", post)
        site.emit("update", post)
        site.emit("status.update", post | {"content": "<p>Better</p>", "edited_at": "2024-01-02T16:40:00.000Z"})
        site.emit("filters_changed", "")
        site.emit("delete", local(NOW_S + 1))
        site.emit("delete", local(NOW_S + 1))
        site.emit("delete", "999")
        site.emit("update", toot(NOW_S + 2))
        signals = await poll_until(collector, lambda signals: seen(signals, NOW_S + 2))
    first, edited, gone, _ = signals.signals
    assert {signal.id for signal in (first, edited, gone)} == {native(NOW_S + 1)}
    assert (first.text, edited.text, gone.text) == (f"Status {NOW_S + 1}", "Better", None)
    assert (first.deleted, edited.deleted, gone.deleted) == (False, False, True)
    assert (gone.counts, gone.author, gone.permalink) == (edited.counts, None, None)
    assert signals.unreadable == []


async def test_a_deleted_status_does_not_come_back_from_another_instance(site: MastodonSite) -> None:
    async with MastodonSite() as other, collecting(site, other, token=TOKEN) as collector:
        await connect(collector, site)
        site.emit("update", toot(NOW_S + 1))
        site.emit("delete", local(NOW_S + 1))
        await poll_until(collector, lambda signals: any(signal.deleted for signal in signals.signals))
        copy = other.post(NOW_S + 1)
        copy["edited_at"] = "2024-01-02T16:40:00.000Z"
        other.post(NOW_S + 2, host="b.example")
        signals = await poll_until(
            collector, lambda signals: native(NOW_S + 2, "b.example") in {signal.id for signal in signals.signals}
        )
        assert not seen(signals, NOW_S + 1)


async def test_a_streamed_reply_to_a_known_post_is_in_its_thread(site: MastodonSite) -> None:
    async with collecting(site, token=TOKEN) as collector:
        await connect(collector, site)
        site.emit("update", toot(NOW_S + 1))
        site.emit("update", toot(NOW_S + 2, in_reply_to_id=local(NOW_S + 1)))
        signals = await poll_until(collector, lambda signals: seen(signals, NOW_S + 2))
        assert [signal.thread for signal in signals.signals] == [native(NOW_S + 1)] * 2


async def test_events_that_cannot_be_read_hold_up_no_other(site: MastodonSite) -> None:
    async with collecting(site, token=TOKEN) as collector:
        await connect(collector, site)
        site.emit("update", "{")
        site.emit("update", "[" * 100_000)
        site.emit("update", "null")
        site.emit("update", toot(NOW_S + 1, visibility="unlisted"))
        site.emit("update", toot(NOW_S + 2))
        signals = await poll_until(collector, lambda signals: seen(signals, NOW_S + 2))
        assert [dead.reason for dead in signals.unreadable] == ["not_json", "not_json", "wrong_shape"]
        assert signals.ignored == {Ignored.NOT_PUBLIC: 1}


async def test_a_stream_that_delivers_saves_requests(site: MastodonSite) -> None:
    world = World()
    async with collecting(site, token=TOKEN, world=world, late_seconds=1, stream_check_seconds=1e6) as collector:
        await connect(collector, site)
        site.emit("update", site.post(NOW_S + 1))
        await poll_until(collector, lambda signals: seen(signals, NOW_S + 1))
        world.ahead_ms += 60_000
        asked = len(site.paths("timelines"))
        await poll_until(collector, lambda _: len(site.paths("timelines")) > asked)  # up to the stream's beginning
        asked = len(site.paths("timelines"))
        for number in range(100, 120):
            site.emit("update", toot(NOW_S + number))
            await poll_until(collector, lambda signals, number=number: seen(signals, NOW_S + number))  # type: ignore[misc]
        assert len(site.paths("timelines")) <= asked + 1


async def test_an_instance_that_streams_only_deletions_is_reported_and_polled(site: MastodonSite) -> None:
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, token=TOKEN) as collector:
            await connect(collector, site)
            for number in range(40):
                site.emit("delete", str(number))
            for number in range(5):
                site.post(NOW_S + number)
                await poll_until(collector, lambda signals, number=number: seen(signals, NOW_S + number))  # type: ignore[misc]
            await poll_until(collector, lambda _: bool(logs))
    (line,) = logs
    assert (line["log_level"], line["instance"]) == ("warning", HOST)
    assert "streams no posts" in line["problem"]


async def test_a_stream_without_what_the_timeline_shows_is_reported(site: MastodonSite) -> None:
    world = World()
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, token=TOKEN, world=world) as collector:
            await connect(collector, site)
            await polls(collector)
            site.post(int(world.clock.now) - 1_000 + NOW_S + 1)
            world.ahead_ms += 200_000
            await poll_until(collector, lambda _: bool(logs))
    assert "streams no posts" in logs[0]["problem"]


async def test_a_break_of_the_stream_is_caught_up_on(site: MastodonSite) -> None:
    world = World()
    async with collecting(site, token=TOKEN, world=world) as collector:
        await connect(collector, site)
        site.emit("update", site.post(NOW_S + 1))
        await poll_until(collector, lambda signals: seen(signals, NOW_S + 1))
        site.break_streams()
        missed = range(NOW_S + 2, NOW_S + 150)
        for number in missed:
            site.post(number)
        world.ahead_ms += 300_000
        wanted = {native(number) for number in missed}
        signals = await poll_until(
            collector, lambda signals: wanted <= {signal.id for signal in signals.signals} and bool(site.streams)
        )
        assert len(signals.signals) == len(wanted)
        assert signals.gaps == 0


@pytest.mark.parametrize("code", [401, 403, 404, 500])
async def test_where_nothing_can_be_streamed_the_timeline_is_polled(site: MastodonSite, code: int) -> None:
    site.answer_for["/api/v1/streaming/public"] = status(code)
    with structlog.testing.capture_logs() as logs:
        async with collecting(site, token=TOKEN) as collector:
            site.post(NOW_S + 1)
            await poll_until(collector, lambda signals: seen(signals, NOW_S + 1))
            await polls(collector, 10)
    (line,) = logs
    assert "polled instead" in line["problem"]
    assert str(code) in line["problem"]


async def test_without_a_token_nothing_is_streamed(site: MastodonSite) -> None:
    async with collecting(site) as collector:
        await polls(collector, 3)
    assert site.paths("streaming") == []
    assert site.paths("instance") == []
