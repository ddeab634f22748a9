"""The GDELT collector over a real socket: file by file, gaps, relevance, and the search."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from hubbub.world.platforms.gdelt.formats import write
from ingest.batch import Batch, Cursor, Ignored
from ingest.platforms.gdelt.collector import GdeltCollector
from ingest.platforms.gdelt.config import GdeltConfig
from ingest.platforms.gdelt.files import INTERVAL
from ingest.relevance import EVERYTHING, Relevance
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import Site, body, status
from transport.errors import RetryLaterError, SlowDownError

FIRST = datetime(2024, 1, 2, 0, 0, tzinfo=UTC)
NOW_MS = int((FIRST + timedelta(hours=30)).timestamp() * 1000)


def page(number: int, **changes: object) -> dict[str, object]:
    return {"url": f"https://a.example/{number}", "title": f"Page {number}", "seendate": "20240102000000"} | changes


class GdeltSite(Site):
    """``files``: pages by number of the file, counted from ``FIRST``; ``found``: the answer of the search."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[int, list[dict[str, object]]] = {}
        self.newest: int | None = None
        self.found: list[dict[str, object]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v2/doc/doc":
            return web.json_response({"articles": self.found})
        if request.path == "/gdeltv2/lastupdate.txt":
            newest = max(self.files) if self.newest is None else self.newest
            return web.Response(text=f"1 a http://elsewhere.example/gdeltv2/{name(newest)}\n")
        number = (datetime.strptime(request.path[9:23] + "+0000", "%Y%m%d%H%M%S%z") - FIRST) // INTERVAL
        if number >= 0 and number not in self.files:
            return web.Response(status=404)
        return web.Response(body=write(self.files.get(number, [])))


def name(number: int) -> str:
    return f"{FIRST + number * INTERVAL:%Y%m%d%H%M%S}.gkg.csv.zip"


@pytest.fixture
async def site() -> AsyncIterator[GdeltSite]:
    async with GdeltSite() as running:
        yield running


@asynccontextmanager
async def collecting(
    site: GdeltSite,
    cursor: Cursor | None = None,
    clock: FakeClock | None = None,
    relevance: Relevance = EVERYTHING,
    **changes: object,
) -> AsyncIterator[GdeltCollector]:
    options = {"files_url": site.url, "api_url": site.url, "request_timeout_seconds": 30, **changes}
    given = replace(context(lambda: NOW_MS, clock), relevance=relevance)
    collector = GdeltCollector(GdeltConfig.model_validate(options), cursor, given)
    try:
        yield collector
    finally:
        await collector.aclose()


def numbers(batch: Batch) -> list[int]:
    return [int(found.id.removeprefix("gdelt:a.example/")) for found in batch.signals.signals]


async def test_the_first_start_reads_the_latest_files_then_each_new_one(site: GdeltSite) -> None:
    clock = FakeClock()
    site.files = {number: [page(number)] for number in range(10)}
    async with collecting(site, clock=clock, backfill_files=3) as collector:
        assert [numbers(await anext(collector)) for _ in range(3)] == [[7], [8], [9]]
        assert clock.now < 1_001  # without a wait between the files
        assert numbers(await anext(collector)) == []
        site.files[10] = [page(10), page(10), page(11)]
        assert numbers(await anext(collector)) == [10, 11]


async def test_a_restart_goes_on_with_the_next_file(site: GdeltSite) -> None:
    site.files = {number: [page(number)] for number in range(3)}
    async with collecting(site) as collector:
        batch = await anext(collector)
    assert json.loads(batch.cursor) == {"next_file": "20240102001500"}
    async with collecting(site, batch.cursor) as collector:
        assert [numbers(await anext(collector)) for _ in range(2)] == [[1], [2]]


async def test_a_long_outage_is_caught_up_on_within_a_limit_and_counted(site: GdeltSite) -> None:
    site.files = {number: [page(number)] for number in range(100)}
    async with collecting(site, b'{"next_file": "20240102000000"}', catch_up_max_files=4) as collector:
        batches = [await anext(collector) for _ in range(6)]
    assert [numbers(batch) for batch in batches] == [[], [96], [97], [98], [99], []]
    assert [batch.signals.gaps for batch in batches] == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("failure", ["missing", "broken", "too large"])
async def test_a_file_that_never_comes_is_a_gap_and_holds_up_no_other(site: GdeltSite, failure: str) -> None:
    site.files = {0: [page(0)], 2: [page(2)]}
    if failure == "broken":
        site.answer_for[f"/gdeltv2/{name(1)}"] = body("no zip")
    elif failure == "too large":

        async def pour(_: web.Request) -> web.StreamResponse:
            return web.Response(body=bytes(26_000_000))

        site.answer_for[f"/gdeltv2/{name(1)}"] = pour
    async with collecting(site, file_max_tries=3) as collector:
        assert numbers(await anext(collector)) == [0]
        for _ in range(2):
            with pytest.raises(RetryLaterError):
                await anext(collector)
        gap = await anext(collector)
        assert (numbers(gap), gap.signals.gaps) == ([], 1)
        assert numbers(await anext(collector)) == [2]


async def test_a_newest_file_of_the_future_is_not_believed(site: GdeltSite) -> None:
    site.files, site.newest = {0: [page(0)]}, 100_000
    async with collecting(site) as collector:
        with pytest.raises(RetryLaterError, match="future"):
            await anext(collector)
        site.newest = None
        assert numbers(await anext(collector)) == [0]


async def test_a_missing_listing_is_asked_for_again(site: GdeltSite) -> None:
    site.answer_for["/gdeltv2/lastupdate.txt"] = status(404)
    async with collecting(site) as collector:
        with pytest.raises(RetryLaterError):
            await anext(collector)


async def test_what_no_beat_wants_is_counted_and_left_out(site: GdeltSite) -> None:
    site.files = {0: [page(number, title="AI" if number % 50 == 0 else "Football") for number in range(200)]}
    wanted = Relevance(lambda found: "AI" in (found.title or ""))
    async with collecting(site, relevance=wanted) as collector:
        batch = await anext(collector)
    assert numbers(batch) == [0, 50, 100, 150]
    assert batch.signals.ignored == {Ignored.IRRELEVANT: 196}


async def test_the_search_yields_each_page_once_and_edited_titles_again(site: GdeltSite) -> None:
    site.found = [page(2), page(1)]
    async with collecting(site, source="api", query="ai") as collector:
        batch = await anext(collector)
        assert numbers(batch) == [1, 2]
        assert numbers(await anext(collector)) == []
    site.found = [page(3), page(2, title="Page 2, corrected"), page(1)]
    async with collecting(site, batch.cursor, source="api", query="ai") as collector:
        batch = await anext(collector)
        assert (numbers(batch), batch.signals.gaps) == ([2, 3], 0)
        site.found = [page(number) for number in range(1_000, 1_250)]
        assert (await anext(collector)).signals.gaps == 1


async def test_the_search_slows_down_when_a_sentence_asks_for_it(site: GdeltSite) -> None:
    site.found = [page(1)]
    site.next_answers.append(body("Please limit requests to one every 5 seconds or contact someone.\n"))
    async with collecting(site, source="api", query="ai") as collector:
        with pytest.raises(SlowDownError):
            await anext(collector)
        site.next_answers.append(status(522, body="<html>522: Connection timed out"))
        with pytest.raises(RetryLaterError):
            await anext(collector)
        assert numbers(await anext(collector)) == [1]
