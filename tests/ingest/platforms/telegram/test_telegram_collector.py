"""The Telegram collector over a real socket: new messages, growing views, deletions, gaps, silent channels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from ingest.batch import Batch, Cursor, Ignored
from ingest.platforms.telegram.collector import TelegramCollector
from ingest.platforms.telegram.config import TelegramConfig
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.telegram.pages import TelegramSite
from tests.ingest.sites import NOW_MS, body, status
from transport.errors import RetryLaterError, UserError

NEVER_SECONDS = 1e6


@pytest.fixture
async def site() -> AsyncIterator[TelegramSite]:
    async with TelegramSite() as running:
        yield running


@asynccontextmanager
async def collecting(
    site: TelegramSite, cursor: Cursor | None = None, **changes: object
) -> AsyncIterator[TelegramCollector]:
    options: dict[str, object] = {
        "base_url": site.url,
        "channels": ["aiwire"],
        "request_timeout_seconds": 30,
        "poll_seconds": 0.001,
        "reobserve_seconds": NEVER_SECONDS,
    }
    config = TelegramConfig.model_validate(options | changes)
    collector = TelegramCollector(config, cursor, context(lambda: NOW_MS, FakeClock()))
    try:
        yield collector
    finally:
        await collector.aclose()


def numbers(batch: Batch) -> list[int]:
    return [int(found.id.rpartition("/")[2]) for found in batch.signals.signals]


async def test_every_message_comes_once_and_again_when_it_changes(site: TelegramSite) -> None:
    site.write(1, 2, 3)
    async with collecting(site) as collector:
        assert numbers(await anext(collector)) == [1, 2, 3]
        assert numbers(await anext(collector)) == []
        site.write(4)
        site.views(2, "3.4K")
        batch = await anext(collector)
        assert numbers(batch) == [2, 4]
        assert batch.signals.signals[0].counts.views == 3_400
        assert collector.tracked_items == 4


async def test_an_edited_text_is_a_later_observation(site: TelegramSite) -> None:
    site.write(1, 2)
    async with collecting(site) as collector:
        await anext(collector)
        site.write(1, text="Corrected", edited="edited ")
        (found,) = (await anext(collector)).signals.signals
        assert (found.id, found.text) == ("telegram:aiwire/1", "Corrected")


async def test_a_restart_goes_on_from_the_cursor_and_pages_back(site: TelegramSite) -> None:
    site.write(*range(1, 11))
    async with collecting(site) as collector:
        cursor = (await anext(collector)).cursor
    site.write(*range(11, 75))
    async with collecting(site, cursor) as collector:
        batch = await anext(collector)
        assert numbers(batch) == list(range(11, 75))
        assert batch.signals.gaps == 0
        assert site.pages[-3:] == ["/s/aiwire?before=55", "/s/aiwire?before=35", "/s/aiwire?before=15"]


async def test_what_is_too_far_back_is_a_gap(site: TelegramSite) -> None:
    site.write(1)
    async with collecting(site, catch_up_max_pages=2) as collector:
        await anext(collector)
        site.write(*range(2, 100))
        batch = await anext(collector)
        assert numbers(batch) == list(range(60, 100))
        assert batch.signals.gaps == 1
        assert (await anext(collector)).signals.gaps == 0


async def test_the_first_start_reaches_back_some_hours(site: TelegramSite) -> None:
    site.write(*range(1, 30))
    for number in range(1, 6):
        site.write(number, time="2020-01-01T00:00:00+00:00")
    async with collecting(site) as collector:
        assert numbers(await anext(collector)) == list(range(6, 30))
        site.views(3, "9M")  # too old to be news
        assert numbers(await anext(collector)) == []


async def test_a_message_that_disappears_between_others_is_deleted(site: TelegramSite) -> None:
    site.write(1, 2, 3, 4)
    async with collecting(site) as collector:
        await anext(collector)
        del site.messages["aiwire"][2]
        del site.messages["aiwire"][4]  # nothing follows it yet, so an old page may be the reason
        (gone,) = (await anext(collector)).signals.signals
        assert (gone.id, gone.deleted, gone.text, gone.counts.views) == ("telegram:aiwire/2", True, None, 1_200)
        assert gone.created_ms == NOW_MS - 3_600_000 + 2_000
        site.write(5)
        batch = await anext(collector)
        assert [(found.id[-1], found.deleted) for found in batch.signals.signals] == [("5", False), ("4", True)]
        assert numbers(await anext(collector)) == []


async def test_an_older_page_is_read_again_for_views_and_deletions(site: TelegramSite) -> None:
    site.write(*range(1, 61))
    async with collecting(site, reobserve_seconds=50, poll_seconds=100) as collector:
        assert len(numbers(await anext(collector))) == 60
        site.views(5, "77K")
        del site.messages["aiwire"][30]
        batch = await anext(collector)
        assert [(n, found.deleted) for n, found in zip(numbers(batch), batch.signals.signals, strict=True)] == [
            (5, False),
            (30, True),
        ]


async def test_missing_numbers_are_counted_and_parts_of_an_album_are_not_missing(site: TelegramSite) -> None:
    album = "".join(
        f'<a class="tgme_widget_message_photo_wrap" href="https://t.me/aiwire/{n}?single"></a>' for n in (10, 11, 12)
    )
    wrap = f'<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap">{album}</div>'
    site.write(8)
    async with collecting(site) as collector:
        await anext(collector)
        site.write(10, before=wrap)
        site.write(13)
        batch = await anext(collector)
        assert numbers(batch) == [10, 13]
        assert batch.signals.ignored == Counter({Ignored.MISSING: 1})  # number 9
        assert batch.signals.gaps == 0


async def test_a_channel_without_a_preview_is_reported_once_and_holds_up_no_other(site: TelegramSite) -> None:
    site.write(1)
    with capture_logs() as logs:
        async with collecting(site, channels=["gone", "AIWire"]) as collector:
            assert [numbers(await anext(collector)) for _ in range(4)] == [[], [1], [], []]
            site.messages["gone"] = {}
            site.write(7, channel="gone")
            batches = [await anext(collector) for _ in range(2)]
            assert [number for batch in batches for number in numbers(batch)] == [7]
    assert [(entry["log_level"], entry["channel"]) for entry in logs] == [("warning", "gone"), ("info", "gone")]


async def test_without_any_preview_only_the_operator_can_help(site: TelegramSite) -> None:
    async with collecting(site, channels=["gone"]) as collector:
        with pytest.raises(UserError, match="channels"):
            await anext(collector)


async def test_an_empty_page_deletes_nothing(site: TelegramSite) -> None:
    site.write(1, 2, 3)
    async with collecting(site) as collector:
        await anext(collector)
        kept = site.messages["aiwire"]
        site.messages["aiwire"] = {}
        assert numbers(await anext(collector)) == []
        site.messages["aiwire"] = kept
        assert numbers(await anext(collector)) == []


async def test_a_page_that_never_ends_ends(site: TelegramSite) -> None:
    site.write(1)
    async with collecting(site) as collector:
        await anext(collector)
        site.write(*range(30, 60))
        whole = site.page_items
        site.page_items = 5
        site.answer_for["/s/aiwire"] = lambda request: TelegramSite.answer(
            site, request.clone(rel_url="/s/aiwire")
        )  # the same page, whatever it is asked for
        batch = await anext(collector)
        assert numbers(batch) == [55, 56, 57, 58, 59]
        site.page_items = whole


async def test_a_failure_on_a_later_page_loses_nothing(site: TelegramSite) -> None:
    site.write(1)
    async with collecting(site) as collector:
        await anext(collector)
        site.write(*range(2, 60))
        site.next_answers.extend([site.answer, status(500)])
        with pytest.raises(RetryLaterError):
            await anext(collector)
        assert numbers(await anext(collector)) == list(range(2, 60))


async def test_another_page_in_its_place_is_a_failure(site: TelegramSite) -> None:
    site.write(1)
    async with collecting(site) as collector:
        site.next_answers.append(body("<html>Please log in to the hotel's network</html>"))
        with pytest.raises(RetryLaterError, match="no page of Telegram"):
            await anext(collector)


async def test_the_cursor_is_bounded(site: TelegramSite) -> None:
    site.page_items = 100
    site.write(*range(1, 400))
    async with collecting(site, watch_max_items=30) as collector:
        cursor = (await anext(collector)).cursor
        assert sorted(map(int, json.loads(cursor)["channels"]["aiwire"]["tracked"])) == list(range(370, 400))
        assert len(cursor) < 3_000


async def test_hostile_counts_do_not_fill_the_cursor(site: TelegramSite) -> None:
    reactions = "".join(f'<span class="tgme_reaction">{"9" * 1_000}</span>' for _ in range(50))
    site.write(1, views="1" * 1_000_000, after=reactions)
    async with collecting(site) as collector:
        assert len((await anext(collector)).cursor) < 1_000
