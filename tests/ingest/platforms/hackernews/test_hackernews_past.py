"""The past of Hacker News is read by the thousand, and goes on after a restart."""

from __future__ import annotations

import json
from typing import Any

from tests.ingest.platforms.hackernews.hackernews_reading import NEVER_SECONDS, collecting, ids, polls
from tests.ingest.sites import NOW_MS, HackerNewsSite


async def test_the_past_is_read_by_the_thousand_and_a_busy_hour_in_parts(site: HackerNewsSite) -> None:
    begin_s = NOW_MS // 1000 - 2 * 3600
    for id_ in range(1, 1_201):
        site.story(id_, time=begin_s + 2 * id_)
    site.comment(1_201, 600, time=begin_s + 5_000)
    options: dict[str, Any] = {"backfill_hours": 2, "algolia_url": site.url, "front_page_seconds": NEVER_SECONDS}
    async with collecting(site, backfill_items=1, poll_seconds=1, **options) as collector:
        batch = await polls(collector, 7)
    assert set(ids(batch)) == set(range(1, 1_202))
    assert batch.signals.gaps == 0
    assert site.asked().count("/api/v1/search_by_date") <= 5
    assert json.loads(batch.cursor)["past_s"] is None
    assert {signal.thread for signal in batch.signals.signals if signal.kind == "reply"} == {"hackernews:600"}


async def test_reading_the_past_goes_on_after_a_restart(site: HackerNewsSite) -> None:
    begin_s = NOW_MS // 1000 - 3 * 3600
    for hour in range(3):
        site.story(hour + 1, time=begin_s + 3600 * hour + 9)
    options: dict[str, Any] = {"backfill_hours": 3, "algolia_url": site.url, "backfill_items": 0}
    async with collecting(site, **options) as collector:
        found: list[int] = []
        while not found:
            batch = await anext(collector)
            found += ids(batch)
    async with collecting(site, batch.cursor, algolia_url=site.url) as collector:
        while json.loads(batch.cursor)["past_s"] is not None:
            batch = await anext(collector)
            found += ids(batch)
    assert set(found) == {1, 2, 3}
