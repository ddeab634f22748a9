"""Faults of the wire: the struck request fails with an error of the loop's, and afterwards nothing is missing."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
from aiohttp import web

from tests.ingest.contract.checks import CHECKS, STRUCK, Check, check
from tests.ingest.contract.platform_under_test import PATIENT_POLLS, PlatformUnderTest
from tests.ingest.contract.wire_faults import (
    DATES,
    SLOW_FAULTS,
    WIRE_FAULTS,
    bomb,
    bombard,
    redirect_to_itself,
    stay_silent,
)
from tests.ingest.sites import Answer, Site, hang, status

REDIRECTS = (301, 302, 303, 307, 308)
LOOP_REQUESTS = 5
"""Requests in a row that a redirect loop answers: more than anybody follows."""
STREAM_REQUESTS = 6
"""A stream is opened by one of the first requests."""
SILENT_SECONDS = 31.0


def strikes(fault: Answer, *, times: int = 1, patience_seconds: int = 30) -> Check:
    """Strike ``times`` requests in a row."""

    async def struck(platform: PlatformUnderTest) -> None:
        expected = await platform.expected()

        async def strike(number: int) -> None:
            async with platform.again() as ill:
                ill.answers = dict.fromkeys(range(number, number + times), fault)
                async with ill.reading(request_timeout_seconds=patience_seconds) as reading:
                    await reading.poll_until_read(expected, requests=number + times - 1)
                assert all("\n" not in str(error) and str(error) for error in reading.errors)

        await asyncio.gather(*map(strike, STRUCK))

    return struck


CHECKS.update({name: strikes(fault) for name, fault in WIRE_FAULTS.items()})
CHECKS.update({name: strikes(fault, patience_seconds=1) for name, fault in SLOW_FAULTS.items()})
CHECKS["redirect loop"] = strikes(redirect_to_itself, times=LOOP_REQUESTS)


def is_left_alone(fault: Answer, seconds: float) -> Check:
    async def left_alone(platform: PlatformUnderTest) -> None:
        expected = await platform.expected()
        for number in STRUCK:
            platform.asked_at.clear()
            platform.answers = {number: fault}
            async with platform.reading() as reading:
                await reading.poll_until_read(expected, requests=number)
            struck_at = platform.asked_at[number - 1]
            # Concurrent requests may be under way in the same instant.
            assert not [at for at in platform.asked_at[number:] if struck_at < at < struck_at + seconds]

    return left_alone


CHECKS["429 with seconds"] = is_left_alone(status(429, {"Retry-After": "40"}), 40)
CHECKS["429 with a date"] = is_left_alone(status(429, DATES), 40)
CHECKS["503 with seconds"] = is_left_alone(status(503, {"Retry-After": "40"}), 40)


@check("memory under a bomb")
async def stays_small(platform: PlatformUnderTest) -> None:
    bomb()
    platform.answers = dict.fromkeys(STRUCK, bombard)
    async with platform.reading() as reading:
        tracemalloc.start()
        try:
            await reading.poll(4)
            assert tracemalloc.get_traced_memory()[1] < 150_000_000
        finally:
            tracemalloc.stop()


@check("redirect with credentials")
async def follows_no_redirect(platform: PlatformUnderTest) -> None:
    async with Site() as thief:
        await is_not_led_to(platform, f"{thief.url}/api/v1/access_token", REDIRECTS[:1], STRUCK)
        await is_not_led_to(platform, f"{thief.url}/api/v1/access_token", REDIRECTS[1:], STRUCK[:1])
        assert thief.requests == []


@check("redirect to a private address")
async def is_not_led_inside(platform: PlatformUnderTest) -> None:
    async with Site() as inside:
        port = inside.url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1"):
            await is_not_led_to(
                platform, f"http://{host}:{port}/", (301,), STRUCK if host == "127.0.0.1" else STRUCK[1:2]
            )
        assert inside.requests == []


async def is_not_led_to(platform: PlatformUnderTest, url: str, codes: tuple[int, ...], struck: tuple[int, ...]) -> None:
    """Redirect the requests ``struck``, one at a time; all must be read for all that."""
    expected = await platform.expected()
    for code in codes:
        for number in struck:
            platform.asked_at.clear()
            platform.answers = {number: status(code, {"Location": url})}
            async with platform.reading() as reading:
                await reading.poll_until_read(expected, requests=number)


@check("connection refused")
async def waits_for_a_closed_port(platform: PlatformUnderTest) -> None:
    open_url, platform.url = platform.url, "http://127.0.0.1:9"
    async with platform.reading() as reading:
        await reading.poll(2)
        assert len(reading.errors) == 2
    platform.url = open_url


@check("open and silent")
async def gives_up_what_is_silent(platform: PlatformUnderTest) -> None:
    """A request that is accepted and never answered, a stream that opens and brings nothing: both are given up."""
    expected = await platform.expected()

    async def strike(number: int) -> None:
        given_up = asyncio.Event()

        async def silent(request: web.Request) -> web.StreamResponse:
            response = await stay_silent(request)
            given_up.set()
            return response

        async with platform.again() as ill:
            ill.answers = {number: silent}
            async with ill.reading(request_timeout_seconds=1) as reading:
                await reading.poll_until_read(expected, requests=number, wait_seconds=SILENT_SECONDS)
                for _ in range(PATIENT_POLLS):
                    if given_up.is_set():
                        break
                    await reading.poll(1)
                    ill.clock.now += SILENT_SECONDS
                    await asyncio.sleep(0.02)  # the platform's side must notice
                assert given_up.is_set()

    await asyncio.gather(*map(strike, range(1, STREAM_REQUESTS + 1)))


@check("credentials revoked in flight")
async def goes_on_when_credentials_work_again(platform: PlatformUnderTest) -> None:
    """A collector that has worked says that it is refused, and is as good as new when it is not."""
    expected = await platform.expected()
    for code in (401, 403):
        for polls in (1, 4):
            async with platform.again() as moody, moody.reading() as reading:
                await reading.poll(polls)
                moody.refusal, asked = status(code), len(moody.asked_at)
                await reading.poll(8)
                refused = len(moody.asked_at) - asked
                assert bool(reading.errors) == bool(refused)  # what is open already is not asked for
                moody.refusal = None
                await reading.poll_until_read(expected, wait_seconds=SILENT_SECONDS)


@check("cancellation")
async def can_be_cancelled(platform: PlatformUnderTest) -> None:
    expected = await platform.expected()
    for number in STRUCK:
        asked = asyncio.Event()

        async def wait(request: web.Request, asked: asyncio.Event = asked) -> web.StreamResponse:
            asked.set()
            return await hang(request)

        platform.asked_at.clear()
        platform.answers = {number: wait}
        async with platform.reading(request_timeout_seconds=1) as reading:
            polling = asyncio.create_task(reading.poll())
            await asked.wait()
            polling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await polling
            await reading.poll_until_read(expected)
