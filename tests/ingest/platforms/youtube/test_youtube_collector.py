"""The YouTube collector over a real socket: new videos for nothing, counts and comments within the quota."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ingest.platforms.youtube import SPEC
from tests.ingest.platforms.youtube.youtube_site import (
    HOUR_MS,
    NOON_MS,
    OTHER,
    Clock,
    YouTubeSite,
    collecting,
    comment,
    config,
    ids,
    polls,
    video,
)
from tests.ingest.sites import body, status
from transport.errors import RetryLaterError, SlowDownError, UserError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site() -> AsyncIterator[YouTubeSite]:
    async with YouTubeSite() as running:
        yield running


async def test_a_new_video_comes_from_the_feed_and_its_counts_from_the_api(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1), video(2)]
    async with collecting(site, clock) as collector:
        first, second = (await polls(collector, 1)), (await polls(collector, 1))
        assert (ids(first.signals), ids(second.signals)) == ([], ["video000001", "video000002"])
        seen = second.signals.signals[0]
        assert (seen.title, seen.text, seen.counts.views, seen.counts.likes) == ("Video 1", "About it.", 1000, None)
        assert seen.community is not None
        assert (seen.community.name, seen.community.members) == ("A Channel", 123_000)
        counted = (await polls(collector, 1)).signals.signals[0]
        assert (counted.id, counted.counts.likes, counted.counts.replies) == ("youtube:video000001", 50, 0)
        assert site.units == 2


async def test_old_videos_of_the_first_start_are_no_news(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1, created_ms=NOON_MS - 200 * HOUR_MS), video(2)]
    async with collecting(site, clock) as collector:
        assert ids((await polls(collector, 2)).signals) == ["video000002"]


async def test_a_restart_goes_on_and_a_full_feed_of_unknown_videos_is_a_gap(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1)]
    async with collecting(site, clock) as collector:
        cursor = (await polls(collector, 3)).cursor
    site.videos += [video(2)]
    async with collecting(site, clock, cursor) as collector:
        batch = await polls(collector, 2)
        assert (ids(batch.signals), batch.signals.gaps) == (["video000002"], 0)
    site.videos += [video(number) for number in range(3, 30)]
    async with collecting(site, clock, batch.cursor) as collector:
        batch = await polls(collector, 2)
        assert (len(ids(batch.signals)), batch.signals.gaps) == (15, 1)


async def test_comments_are_read_where_most_are_new_and_only_once(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1, commentCount="3"), video(2, commentCount="150")]
    site.comments = {
        "video000001": [comment(number, "video000001") for number in range(3)],
        "video000002": [comment(100 + number, "video000002") for number in range(150)],
    }
    async with collecting(site, clock) as collector:
        await polls(collector, 3)
        loud = (await polls(collector, 1)).signals
        assert {signal.thread for signal in loud.signals} == {"youtube:video000002"}
        assert len({signal.id for signal in loud.signals}) == 150
        quiet = await polls(collector, 1)
        assert ids(quiet.signals) == ["comment000000", "comment000001", "comment000002"]
        site.videos[1] = video(2, commentCount="151")
        site.comments["video000002"].append(comment(900, "video000002"))
        clock.now += 600
        found = (await polls(collector, 3)).signals
        assert [id_ for id_ in ids(found) if id_.startswith("comment")][-1] == "comment000900"
        assert sum(id_.startswith("comment") for id_ in ids(found)) <= 2  # the last one read comes again


async def test_a_video_without_comments_is_skipped_from_then_on(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1, commentCount="9")]
    site.refuse = {"commentThreads": (403, "commentsDisabled")}
    async with collecting(site, clock) as collector:
        batch = await polls(collector, 4)
        clock.now += 3_600
        batch = await polls(collector, 4)
        assert site.asked_api().count("commentThreads") == 1
    async with collecting(site, clock, batch.cursor) as collector:
        clock.now += 3_600
        await polls(collector, 4)
    assert site.asked_api().count("commentThreads") == 1


async def test_a_spent_quota_is_reported_once_and_the_feeds_go_on(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1)]
    async with collecting(site, clock, units_per_day=2, feed_seconds=60) as collector:
        await polls(collector, 3)
        clock.now += 600
        with pytest.raises(SlowDownError, match="2025-12-01 00:00 PST"):
            await polls(collector, 20)
        site.videos.append(video(2))
        assert "video000002" in ids((await polls(collector, 3)).signals)
        assert site.units == 2
        clock.now += 13 * 3_600
        assert "videos" in site.asked_api()
        before = site.units
        await polls(collector, 20)
        assert before < site.units <= before + 2


async def test_the_platforms_own_count_of_the_quota_is_believed(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1)]
    site.refuse = {"videos": (403, "quotaExceeded")}
    async with collecting(site, clock) as collector:
        cursor = (await polls(collector, 2)).cursor
        with pytest.raises(SlowDownError, match="until 2025-12-01 00:00 PST"):
            await polls(collector, 1)
        cursor = (await polls(collector, 1)).cursor
    assert SPEC.budget is not None
    (line,) = SPEC.budget(config(site.url), cursor, clock.now_ms())
    assert (line.option, line.spent) == ("units_per_day", 10_000)
    units = site.units
    async with collecting(site, clock, cursor) as collector:
        with pytest.raises(SlowDownError):
            await polls(collector, 1)
        await polls(collector, 3)
    assert site.units == units


async def test_a_video_that_cannot_be_read_is_one_dead_letter_and_holds_up_no_other(
    site: YouTubeSite, clock: Clock
) -> None:
    site.videos = [video(1), video(2, viewCount="many"), video(3)]
    async with collecting(site, clock, feed_seconds=60) as collector:
        batch = await polls(collector, 2)
        assert ids(batch.signals) == ["video000001", "video000003"]
        assert [dead.reason for dead in batch.signals.unreadable] == ["wrong_shape"]
        clock.now += 100
        assert (await polls(collector, 2)).signals.unreadable == []


async def test_a_video_that_is_missing_twice_is_deleted(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1), video(2)]
    async with collecting(site, clock, comments=False, feed_seconds=1e9, channels_hours=1e6) as collector:
        await polls(collector, 3)
        site.hidden.add("video000001")
        clock.now += 3_600
        assert ids((await polls(collector, 2)).signals) == ["video000002"]
        clock.now += 3_600
        gone = (await polls(collector, 2)).signals.signals[-1]
        assert (gone.id, gone.deleted, gone.title, gone.counts.likes) == ("youtube:video000001", True, None, 50)
        clock.now += 3_600
        assert ids((await polls(collector, 2)).signals) == ["video000002"]


async def test_a_wrong_key_is_for_the_operator_and_never_shown(site: YouTubeSite, clock: Clock) -> None:
    site.refuse = {"channels": (400, "keyInvalid")}
    async with collecting(site, clock) as collector:
        with pytest.raises(UserError, match="option api_key") as raised:
            await anext(collector)
    assert "secret-key" not in str(raised.value) + repr(config(site.url))


async def test_unknown_channels_are_for_the_operator(site: YouTubeSite, clock: Clock) -> None:
    site.next_answers.append(body('{"kind": "youtube#channelListResponse", "pageInfo": {"totalResults": 0}}'))
    async with collecting(site, clock) as collector:
        with pytest.raises(UserError, match="option channels"):
            await anext(collector)


async def test_a_feed_that_fails_does_not_hold_up_the_others(site: YouTubeSite, clock: Clock) -> None:
    site.videos = [video(1)]
    async with collecting(site, clock, channels=[OTHER, config(site.url).channels[0]]) as collector:
        await polls(collector, 1)
        site.next_answers.append(status(404))
        with pytest.raises(RetryLaterError, match=OTHER):
            await polls(collector, 1)
        assert "video000001" in ids((await polls(collector, 2)).signals)
