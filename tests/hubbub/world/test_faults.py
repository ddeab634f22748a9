"""Faults over a real socket: each kind looks to the client like the failure it stands for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDictProxy

from hubbub.world import Fault, Faults, Kind, Platforms, World

PATH = "/v0/topstories.json"


@asynccontextmanager
async def hackernews(world: World, faults: Faults) -> AsyncIterator[aiohttp.ClientSession]:
    """Run the platforms with these faults and yield a session with Hacker News."""
    async with (
        Platforms(world, lambda: world.ends_ms, faults=faults) as platforms,
        aiohttp.ClientSession(platforms.urls["hackernews"]) as session,
    ):
        yield session


async def ask(world: World, fault: Fault) -> tuple[int, str, CIMultiDictProxy[str]]:
    """Return status, body and headers of what Hacker News answers with this fault."""
    async with hackernews(world, Faults([fault])) as session, session.get(PATH) as response:
        return response.status, await response.text(), response.headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.RATE_LIMITED, 429), (Kind.SERVER_ERROR, 500), (Kind.BAD_GATEWAY, 502), (Kind.UNAUTHORIZED, 401)],
)
async def test_refusals(world: World, kind: Kind, status: int) -> None:
    found, _, headers = await ask(world, Fault(kind=kind, seconds=7))
    assert found == status
    assert headers.get("Retry-After") == ("7" if kind is Kind.RATE_LIMITED else None)


async def test_garbage_has_a_json_content_type(world: World) -> None:
    status, body, headers = await ask(world, Fault(kind=Kind.GARBAGE))
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_a_truncated_answer_breaks_off(world: World) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(world, Fault(kind=Kind.TRUNCATED))


async def test_a_hang_waits_for_its_time_and_then_drops_the_connection(world: World) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    faults = Faults([Fault(kind=Kind.HANG, seconds=300)], sleep=sleep)
    async with hackernews(world, faults) as session:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.get(PATH)
    assert set(waited) == {300}, "the client may ask twice"


async def test_a_hanging_request_delays_neither_others_nor_the_end(world: World) -> None:
    faults = Faults([Fault(kind=Kind.HANG, route="hackernews/v0/maxitem.json", seconds=3600)])
    async with hackernews(world, faults) as session:
        hanging = asyncio.create_task(session.get("/v0/maxitem.json"))
        async with session.get(PATH) as response:
            assert response.status == 200
        hanging.cancel()
    assert faults.struck == {Kind.HANG: 1}


async def test_a_rate_limit_of_reddit_has_no_requests_remaining(world: World) -> None:
    faults = Faults([Fault(kind=Kind.RATE_LIMITED, route="reddit/r/*", seconds=3)])
    async with Platforms(world, lambda: world.ends_ms, faults=faults) as platforms, aiohttp.ClientSession() as session:
        headers = {"Authorization": "bearer any"}
        async with session.get(f"{platforms.urls['reddit']}/r/all/new", headers=headers) as response:
            assert response.status == 429
            assert response.headers["x-ratelimit-remaining"] == "0.0"
            assert response.headers["x-ratelimit-reset"] == "3"
        async with session.get(f"{platforms.urls['hackernews']}{PATH}") as response:
            assert response.status == 200


@given(st.integers(), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_fault_strikes_within_its_window_only(seed: int, from_ms: int, until_ms: int, now_ms: int) -> None:
    faults = Faults([Fault(kind=Kind.HANG, from_ms=from_ms, until_ms=until_ms)], seed)
    assert (faults.strike("reddit/r/all/new", now_ms) is not None) is (from_ms <= now_ms < until_ms)


@given(st.integers(), st.floats(0, 1))
def test_the_same_seed_strikes_the_same_requests(seed: int, probability: float) -> None:
    fault = Fault(kind=Kind.HANG, probability=probability)
    one, other = Faults([fault], seed), Faults([fault], seed)
    assert [one.strike("a", 0) for _ in range(50)] == [other.strike("a", 0) for _ in range(50)]


def test_a_probability_is_the_share_that_is_struck() -> None:
    faults = Faults([Fault(kind=Kind.HANG, route="reddit/*", probability=0.2)])
    for _ in range(5000):
        faults.strike("reddit/r/all/new", 0)
        assert faults.strike("hackernews/v0/maxitem.json", 0) is None
    assert 900 < faults.struck[Kind.HANG] < 1100


async def test_another_process_sets_faults_and_reads_what_they_did(world: World) -> None:
    faults = Faults()
    schedule: list[dict[str, Any]] = [{"kind": "server_error", "route": "hackernews/*", "probability": 1}]
    async with hackernews(world, faults) as session:
        async with session.put("/_world/faults", json=schedule) as response:
            assert response.status == 200
        async with session.get(PATH) as response:
            assert response.status == 500
        async with session.get("/_world/faults") as response:
            told = await response.json()
            assert told["struck"] == {"server_error": 1}
            assert msgspec.convert(told["schedule"], list[Fault]) == list(faults.schedule)
        for wrong in ([{"kind": "meteor"}], [{"kind": "hang", "probability": 2}], {"kind": "hang"}, [{"hang": 1}]):
            async with session.put("/_world/faults", json=wrong) as response:
                assert response.status == 422
        async with session.get("/_world/truth") as response:
            assert len((await response.json())["stories"]) == len(world.stories)
    assert len(faults.schedule) == 1
