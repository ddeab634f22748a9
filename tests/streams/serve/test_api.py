"""The API, the page's files and the WebSocket over a real socket. A read model filled by hand replaces the broker."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY

from scoring.band import BANDS
from scoring.lifecycle import SHOWN_AS
from scoring.settings import DEFAULT
from streams.records.noise_event import EVENT_TYPES, decode_event
from streams.records.noise_score import decode_score
from streams.serve.api import Api
from streams.serve.config import ServeConfig
from streams.serve.consume import EventConsumer, ScoreConsumer
from streams.serve.live import Live
from streams.serve.read_model import ReadModel
from streams.serve.role import application
from streams.serve.status import Status
from streams.serve.subscribers import Subscribers
from streams.serve.vocabulary import vocabulary
from tests.eventually import eventually
from tests.streams.serve.newsroom import PLATFORM_NAMES, Newsroom, encoded, event_record, score_record

NOW_MS = 1_700_000_700_000


@dataclass
class Site:
    read_model: ReadModel
    subscribers: Subscribers
    client: TestClient[web.Request, web.Application]

    def put(self, story: str = "st_1", **fields: Any) -> None:
        key, value = encoded(score_record(story, **fields))
        self.subscribers.publish_change(story, self.read_model.put(decode_score(key, value), value))

    def remove(self, story: str) -> None:
        self.subscribers.publish_change(story, self.read_model.remove(story))

    def add_event(self, type_: str, story: str = "st_1", **fields: Any) -> None:
        key, value = encoded(event_record(type_, story, **fields))
        stored = self.read_model.add_event(decode_event(key, value), value)
        assert stored is not None
        self.subscribers.publish_event(stored, self.read_model)

    async def get(self, path: str, status: int = 200) -> Any:
        async with self.client.get(path) as response:
            assert response.status == status, await response.text()
            return await response.json()


async def start(**settings: Any) -> Site:
    config = ServeConfig(flush_interval_ms=20, **settings)
    read_model = ReadModel(trend_points=config.trend_points, events_kept=config.events_kept)
    subscribers = Subscribers(config.max_clients)
    scores = ScoreConsumer({}, "", lambda: NOW_MS, read_model, subscribers)
    events = EventConsumer({}, "", lambda: NOW_MS, read_model, subscribers, newest=10)
    status = Status(
        read_model=read_model,
        subscribers=subscribers,
        consumers=(scores, events),
        now_ms=lambda: NOW_MS,
        stale_after_ms=120_000,
    )
    live = Live(read_model=read_model, subscribers=subscribers, status=status, config=config, now_ms=lambda: NOW_MS)
    app = application(config, Api(read_model, status, lambda: NOW_MS, vocabulary(PLATFORM_NAMES)), live)
    client = TestClient(TestServer(app))
    await client.start_server()
    return Site(read_model, subscribers, client)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = await start()
    yield site
    await site.client.close()


async def test_the_ranking_with_filters_order_and_limit(site: Site) -> None:
    site.put("st_1", noise=10, band="whisper", platforms={"reddit": {"items": 1}})
    site.put("st_2", noise=80, band="uproar", previous=20, platforms={"x": {"items": 1}})
    site.put("st_3", noise=50, band="buzz", velocity_per_hour=99, platforms={"x": {"items": 2}})

    async def ids(query: str) -> tuple[list[str], int]:
        answer = await site.get(f"/api/stories{query}")
        return [one["score"]["story"] for one in answer["stories"]], answer["total"]

    assert await ids("") == (["st_2", "st_3", "st_1"], 3)
    assert await ids("?limit=1") == (["st_2"], 3)
    assert await ids("?platform=x&sort=velocity") == (["st_3", "st_2"], 2)
    assert await ids("?band=whisper,buzz") == (["st_3", "st_1"], 2)
    answer = await site.get("/api/stories?limit=1")
    assert answer["now_ms"] == NOW_MS
    assert answer["stories"][0]["trend"] == [[1_700_000_600_000, 80.0]]
    assert "inputs" not in answer["stories"][0]["score"]


async def test_a_story_has_its_whole_record_its_trend_and_its_events(site: Site) -> None:
    site.put(inputs={"reach": {"audience": 12}}, not_in_the_contract=[1])
    site.add_event("spike", evidence={"counts": [1, 9]})
    site.add_event("noise_update", noise=38.0, at_ms=1_700_000_500_000)
    for name in ("st_1", "slug-of-st_1"):
        answer = await site.get(f"/api/stories/{name}")
        assert answer["score"] == score_record(inputs={"reach": {"audience": 12}}, not_in_the_contract=[1])
        assert answer["trend"] == [[1_700_000_500_000, 38.0], [1_700_000_600_000, 39.5]]
        assert [event["type"] for event in answer["events"]] == ["spike"]


async def test_a_story_that_is_unknown_ended_or_merged(site: Site) -> None:
    site.put("st_1")
    site.put("st_2/..?x=1\n")
    assert "error" in await site.get("/api/stories/st_9", 404)
    site.add_event("merged", "st_8", into="st_2/..?x=1\n")
    answer = await site.get("/api/stories/slug-of-st_8")
    assert answer["score"]["story"] == "st_2/..?x=1\n"
    site.remove("st_1")
    await site.get("/api/stories/st_1", 404)


async def test_events_newest_first_by_type_story_and_filter(site: Site) -> None:
    site.put("st_1", beat="ai")
    site.put("st_2", beat="space")
    site.add_event("new_story", "st_1", at_ms=1)
    site.add_event("noise_update", "st_1", at_ms=2, noise=1)
    site.add_event("spike", "st_2", at_ms=3)
    site.add_event("spike", "st_3", at_ms=4)

    async def times(query: str) -> list[int]:
        return [event["at_ms"] for event in (await site.get(f"/api/events{query}"))["events"]]

    assert await times("") == [4, 3, 2, 1]
    assert await times("?limit=2") == [4, 3]
    assert await times("?type=spike,new_story") == [4, 3, 1]
    assert await times("?beat=ai") == [2, 1]
    assert await times("?story=slug-of-st_1") == [2, 1]
    assert await times("?story=slug-of-st_1&type=spike") == []
    assert await times("?story=st_3") == await times("?story=slug-of-st_3") == [4], "it has ended, or has no score yet"


async def test_the_export_is_one_whole_record_a_line_loudest_first(site: Site) -> None:
    room = Newsroom(1, NOW_MS, 450)
    for topic, key, value in room.records(NOW_MS):
        if topic == "noise-scores":
            site.read_model.put(decode_score(key, value), value)
    async with site.client.get("/api/stories.ndjson?beat=ai") as response:
        lines = (await response.read()).splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == len(site.read_model) == 450
    noises = [record["noise"] for record in records]
    assert noises == sorted(noises, reverse=True)
    assert all("inputs" in record for record in records)


@pytest.mark.parametrize(
    "path",
    [
        "/api/stories?limit=0",
        "/api/stories?sort=loud",
        "/api/stories?band=LOUD",
        "/api/stories?bnad=buzz",
        "/api/stories.ndjson?limit=3",
        "/api/events?type=x",
        "/ws?limit=3",
    ],
)
async def test_a_bad_query_is_answered_with_400_and_one_line(site: Site, path: str) -> None:
    error = (await site.get(path, 400))["error"]
    assert "\n" not in error


async def test_the_vocabulary_is_that_of_the_packages_that_own_it(site: Site) -> None:
    words = await site.get("/api/vocabulary")
    assert [(one["name"], one["from"]) for one in words["bands"]] == list(BANDS.items())
    assert {one["name"]: one["label"] for one in words["states"]} == SHOWN_AS
    assert {one["name"]: one["weight"] for one in words["factors"]} == msgspec.structs.asdict(DEFAULT.weights)
    assert all(one["label"] and one["measures"] for one in words["factors"])
    assert words["event_types"] == list(EVENT_TYPES)
    assert words["platforms"] == PLATFORM_NAMES


async def test_the_status_says_what_is_missing_and_how_old_the_newest_score_is(site: Site) -> None:
    status = await site.get("/api/status")
    assert (status["stories"], status["newest_score_age_ms"], status["stale"]) == (0, None, True)
    assert status["problems"] == [
        "connecting to the broker for noise-scores",
        "connecting to the broker for noise-events",
    ]
    site.put(scored_ms=NOW_MS - 5_000)
    site.put("st_2", scored_ms=NOW_MS - 9_000)
    status = await site.get("/api/status")
    assert (status["stories"], status["newest_score_age_ms"], status["stale"]) == (2, 5_000, False)
    assert status["facets"]["category"] == {"labor": 2}


def test_ages_are_in_real_time_when_the_clock_of_a_world_runs_fast() -> None:
    now = {"ms": NOW_MS}
    read_model = ReadModel(trend_points=8, events_kept=8)
    subscribers = Subscribers(1)
    scores = ScoreConsumer({}, "", lambda: now["ms"], read_model, subscribers)
    status = Status(
        read_model=read_model,
        subscribers=subscribers,
        consumers=(scores,),
        now_ms=lambda: now["ms"],
        stale_after_ms=10_000,
        clock_rate=180.0,
    )
    now["ms"] += 360_000
    assert REGISTRY.get_sample_value("hubbub_serve_newest_score_age_seconds") == 2.0, (
        "without a score, the age counts from the start"
    )
    key, value = encoded(score_record(scored_ms=NOW_MS + 600_000))
    read_model.put(decode_score(key, value), value)
    now["ms"] = NOW_MS + 1_800_000
    report = status.report()
    assert (report.clock_rate, report.newest_score_age_ms, report.stale) == (180.0, 6_667, False)
    assert REGISTRY.get_sample_value("hubbub_serve_newest_score_age_seconds") == 6.667
    now["ms"] = NOW_MS + 3_600_000
    assert status.report().stale


async def test_every_path_refuses_other_names_and_sets_the_security_headers(site: Site) -> None:
    for path in ("/", "/api/stories", "/api/stories.ndjson", "/page/main.js", "/ws", "/nowhere", "/api/stories/st_9"):
        async with site.client.get(path, headers={"Host": "rebound.example"}) as response:
            assert response.status == 421, path
            assert "rebound" not in response.headers["Content-Security-Policy"]
        async with site.client.get(path) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in response.headers
            policy = dict(
                part.strip().partition(" ")[::2] for part in response.headers["Content-Security-Policy"].split(";")
            )
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == "'self'"
            assert policy["require-trusted-types-for"] == "'script'"
            assert policy["frame-ancestors"] == "'none'"


async def test_only_files_of_the_page_folder_are_served_and_cached_copies_stay_valid(site: Site) -> None:
    for path in (
        "/page/../role.py",
        "/page/%2e%2e/role.py",
        "/page/nothing.js",
        "/page/",
        "/page/index.html",
        "/role.py",
    ):
        async with site.client.get(path) as response:
            assert response.status == 404, path
    async with site.client.get("/") as response:
        assert response.content_type == "text/html"
        etag = response.headers["ETag"]
    async with site.client.get("/", headers={"If-None-Match": etag}) as response:
        assert (response.status, await response.read()) == (304, b"")


async def test_nothing_can_be_written_and_large_requests_are_refused(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        async with site.client.request(method, "/api/stories") as response:
            assert response.status == 405
    async with site.client.get("/api/stories?q=" + "x" * 20_000) as response:
        assert response.status == 400


async def test_a_client_receives_changes_and_may_select_other_stories(site: Site) -> None:
    async with site.client.ws_connect("/ws?beat=ai", autoping=False) as ws:
        assert (await ws.receive_json())["type"] == "status"
        site.put("st_1", beat="ai", inputs={"a": 1})
        site.put("st_2", beat="space")
        update = await ws.receive_json()
        assert [score["story"] for score in update["scores"]] == ["st_1"]
        assert "inputs" not in update["scores"][0]
        site.put("st_1", beat="space")
        assert (await ws.receive_json())["gone"] == ["st_1"]
        await ws.send_json({"story": "slug-of-st_2"})
        await ws.ping()
        assert (await ws.receive()).type is WSMsgType.PONG, "the server has read the selection"
        site.put("st_1", beat="ai")
        site.put("st_2", beat="space", inputs={"a": 1})
        update = await ws.receive_json()
        assert [score["inputs"] for score in update["scores"]] == [{"a": 1}]
    await eventually(lambda: len(site.subscribers) == 0)


@pytest.mark.parametrize("message", ["{", "[]", '{"stroy":"x"}', '{"band":["loud"]}', '{"story":' * 500])
async def test_a_client_that_sends_an_invalid_message_is_disconnected(site: Site, message: str) -> None:
    async with site.client.ws_connect("/ws") as ws:
        await ws.receive_json()
        await ws.send_str(message)
        closing = await ws.receive(timeout=2)
        assert closing.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}


async def test_pages_of_other_sites_may_not_connect(site: Site) -> None:
    url = str(site.client.make_url("/ws"))
    async with ClientSession() as http:
        with pytest.raises(WSServerHandshakeError) as caught:
            await http.ws_connect(url, origin="http://evil.example")
        assert caught.value.status == 403
        async with http.ws_connect(url, origin=str(site.client.make_url("/"))[:-1]) as ws:
            assert (await ws.receive_json())["type"] == "status"


async def test_clients_over_the_limit_are_refused() -> None:
    site = await start(max_clients=1)
    async with site.client.ws_connect("/ws"):
        with pytest.raises(WSServerHandshakeError) as caught:
            await site.client.ws_connect("/ws")
        assert caught.value.status == 503
    await site.client.close()


async def test_a_client_that_receives_nothing_is_dropped_and_the_others_are_served() -> None:
    site = await start(client_timeout_seconds=0.3)
    site.put("st_1")
    deaf = socket.create_connection((site.client.host, site.client.port))
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    handshake = (
        f"GET /ws?story=st_1 HTTP/1.1\r\nHost: 127.0.0.1:{site.client.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    deaf.sendall(handshake.encode())
    async with site.client.ws_connect("/ws") as ws, asyncio.timeout(10):
        received = 0
        await eventually(lambda: len(site.subscribers) == 2)
        while len(site.subscribers) == 2:
            site.put("st_1", added="x" * 900_000)
            received += (await ws.receive_json())["type"] == "update"
        assert received > 1
    deaf.close()
    await site.client.close()


async def test_stopping_closes_the_websockets() -> None:
    site = await start()
    async with site.client.ws_connect("/ws") as ws:
        await ws.receive_json()
        closing = asyncio.create_task(site.client.server.close())
        message = await ws.receive(timeout=2)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
        await closing
    await site.client.close()
