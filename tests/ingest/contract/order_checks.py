"""Faults of order: whatever comes late, twice, shuffled or never, nothing is lost, or the loss is counted."""

from __future__ import annotations

import json
import random

from ingest.batch import Cursor
from ingest.signal import CLOCK_SKEW_MS
from tests.ingest.contract.checks import check
from tests.ingest.contract.endless_pages import EndlessPages, says_more
from tests.ingest.contract.platform_under_test import PATIENT_POLLS, PlatformUnderTest, long_world

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LIVES = 12
"""Crashes of a run, each one batch later than the one before."""
MAX_POLL_REQUESTS = 60
"""Requests of one poll, however many pages there are."""
SKEWS_MS = (-2 * HOUR_MS, 2 * HOUR_MS)
SKEWED_POLLS = 6


@check("crash at every step")
async def goes_on_from_every_cursor(platform: PlatformUnderTest) -> None:
    """After a crash, all that was not yet yielded with a cursor comes, whichever cursor it is."""
    expected = await platform.expected()
    async with platform.reading() as reading:
        for step in range(PATIENT_POLLS):
            if step >= LIVES and reading.ids >= expected:
                return
            await reading.poll(1)
            assert json.loads(reading.cursors[-1]) is not None
            async with platform.reading(reading.cursors[-1]) as resumed:
                await resumed.poll_until_read(expected - reading.ids)
                assert not resumed.errors


@check("crash after crash")
async def gets_on_from_crash_to_crash(platform: PlatformUnderTest) -> None:
    """Each run saves the cursor of its last batch but one, and crashes before it has published the last."""
    expected = await platform.expected()
    published: set[str] = set()
    cursor: Cursor | None = None
    for batches in range(1, LIVES + 1):
        async with platform.reading(cursor) as reading:
            await reading.poll(batches)
            published |= reading.ids
            cursor = reading.cursors[-1]
            await reading.poll(1)
            assert not reading.errors
    async with platform.reading(cursor) as reading:
        await reading.poll_until_read(expected - published)


@check("24 hours away")
async def says_what_it_missed(platform: PlatformUnderTest) -> None:
    """Items that were posted while a collector was away are read, or counted as missed."""
    async with platform.again(long_world(platform.name)) as away:
        away.behind_ms = DAY_MS
        async with away.reading() as before:
            await before.poll()
        left_ms, away.behind_ms = away.now_ms(), 0
        back_ms, posts = away.now_ms(), away.world.posts(away.name).items
        missed = {post.signal_id for post in posts if left_ms < post.appears_ms <= back_ms and post.gone_ms is None}
        assert missed or not posts  # a simulator may show what the world has for another platform
        async with away.reading(before.cursors[-1]) as resumed:
            for _ in range(PATIENT_POLLS):
                if resumed.ids >= missed or resumed.account.gaps or resumed.account.missed:
                    break
                await resumed.poll(1)
        assert resumed.account.gaps or resumed.account.missed or sorted(missed - resumed.ids)[:3] == []
        assert not resumed.errors


@check("clock skew")
async def bears_a_clock_that_is_wrong(platform: PlatformUnderTest) -> None:
    """While our clock is wrong, no item that seems newer than now is published; once it is right, all is read.

    A collector dates such items to now, refuses them, or leaves them to the loop, which goes back to the saved cursor.
    """
    expected = await platform.expected()
    for skew_ms in SKEWS_MS:
        async with platform.again() as skewed:
            skewed.skew_ms = skew_ms
            published: set[str] = set()
            cursor: Cursor | None = None
            async with skewed.reading() as reading:
                for _ in range(SKEWED_POLLS):
                    await reading.poll(1)
                    if any(found.created_ms > found.observed_ms + CLOCK_SKEW_MS for found in reading.signals):
                        break
                    published = reading.ids
                    cursor = reading.cursors[-1] if reading.cursors else None
            skewed.skew_ms = 0
            async with skewed.reading(cursor) as reading:
                await reading.poll_until_read(expected - published)


@check("empty pages")
async def waits_through_empty_pages(platform: PlatformUnderTest) -> None:
    expected = await platform.expected()

    def emptied(value: object) -> object:
        if isinstance(value, dict):
            return {key: emptied(part) for key, part in value.items()}
        return [] if isinstance(value, list) else value

    platform.rewrite = emptied
    async with platform.reading() as reading:
        await reading.poll(4)
        platform.rewrite = None
        await reading.poll_until_read(expected)


@check("endless pages")
async def ends_its_polls(platform: PlatformUnderTest) -> None:
    """Every page says that there is more, and the next one shows the same again: a poll ends for all that."""
    expected = await platform.expected()
    platform.pages, platform.rewrite = EndlessPages(), says_more
    async with platform.reading() as reading:
        for _ in range(PATIENT_POLLS // 2):
            asked = len(platform.asked_at)
            await reading.poll(1)
            assert len(platform.asked_at) - asked <= MAX_POLL_REQUESTS
        assert expected - reading.ids == set()


@check("pages out of order")
async def reads_in_any_order(platform: PlatformUnderTest) -> None:
    expected = await platform.expected()
    rng = random.Random(5)

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            return {key: shuffled(part) for key, part in value.items()}
        return [shuffled(part) for part in rng.sample(value, len(value))] if isinstance(value, list) else value

    platform.rewrite = shuffled
    async with platform.reading() as reading:
        await reading.poll_until_read(expected)
        assert reading.ids == expected
        assert reading.errors == []


@check("duplicate items")
async def reads_duplicates_once(platform: PlatformUnderTest) -> None:
    expected = await platform.expected()

    def doubled(value: object) -> object:
        if isinstance(value, dict):
            return {key: doubled(part) for key, part in value.items()}
        return [doubled(part) for part in value for _ in range(2)] if isinstance(value, list) else value

    platform.rewrite = doubled
    async with platform.reading() as reading:
        await reading.poll_until_read(expected)
        assert reading.ids == expected
        assert reading.account.unreadable == []
