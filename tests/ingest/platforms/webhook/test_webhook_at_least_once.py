"""Nothing is lost between a sender and the broker: the simulated sender, and a collector that is killed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hubbub.clock import WorldClock, wall_clock
from hubbub.world.generated import Size, generate
from hubbub.world.platforms.webhook.sender import TOKEN, outbox, push
from hubbub.world.servers import SIMULATORS, Platforms, free_port
from hubbub.world.world import World
from ingest.platforms.webhook.collector import WebhookCollector
from ingest.platforms.webhook.config import WebhookConfig
from ingest.signal import Signal
from tests.eventually import eventually
from tests.ingest.fake_clock import context
from tests.ingest.sites import Answer, Site, drop, status
from tests.ingest.topics import Place

ROOT = Path(__file__).parents[4]


class Receiver(Site):
    """A webhook by hand: it keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        return await super()._serve(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        return web.json_response({"accepted": 1, "refused": []})


def world() -> World:
    return generate(11, 1_760_000_000_000, Size(hours=2, stories=12, chatter=100, replies=60), ["webhook"])


@asynccontextmanager
async def sending(to: World, now_ms: int, url: str) -> AsyncIterator[None]:
    task = asyncio.create_task(push(to, lambda: now_ms, url))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("answer", [status(503, {"Retry-After": "0"}), status(500), drop], ids=["503", "500", "drop"])
async def test_the_sender_sends_again_until_it_is_answered(answer: Answer) -> None:
    items = world()
    async with Receiver() as receiver:
        receiver.next_answers.extend([answer, answer])
        async with sending(items, items.ends_ms, receiver.url):
            await eventually(lambda: len(receiver.bodies) == 3)
        assert len(set(receiver.bodies)) == 1
        lines = [json.loads(line) for line in receiver.bodies[0].splitlines()]
        assert [line["id"] for line in lines] == [item["id"] for item in outbox(items, items.ends_ms)]
        assert len(lines) > 3


async def test_the_webhook_takes_all_that_the_simulated_sender_has() -> None:
    items = world()
    found: dict[str, Signal] = {}
    async with Platforms(items, lambda: items.ends_ms) as platforms:
        options = SIMULATORS["webhook"].options(platforms.urls["webhook"])
        config = WebhookConfig.model_validate(options)
        collector = WebhookCollector(config, None, context(lambda: items.ends_ms), ("reddit",))
        try:
            async for batch in collector:
                assert batch.signals.unreadable == []
                found.update((signal.id, signal) for signal in batch.signals.signals)
                if len(found) == len(outbox(items, items.ends_ms)):
                    break
        finally:
            await collector.aclose()
    posts = items.posts("newsletter").items
    assert found.keys() == {post.signal_id for post in posts}
    for post in posts:
        signal = found[post.signal_id]
        title = post.title.encode("utf-8", "replace").decode()
        assert (signal.title, signal.created_ms) == (title, post.created_ms)
        assert signal.community is not None
        assert signal.community.members == 18_000


@asynccontextmanager
async def collect_process(place: Place, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the webhook as a process of its own."""
    now_ms = wall_clock()
    settings = {
        "kafka": place.kafka,
        "topics": place.prefix,
        "clock": str(WorldClock(now_ms, now_ms, 1)),
        "configs": {"webhook": {"token": TOKEN, "port": port}},
    }
    command = [sys.executable, "-m", "tests.ingest.collect_process", json.dumps(settings)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.slow
async def test_a_collector_that_is_killed_again_and_again_loses_nothing(place: Place) -> None:
    """A sender sends one post after another, each until it gets a 2xx; meanwhile the collector is killed."""
    port = free_port()
    taken: list[int] = []

    async def send() -> None:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            number = 0
            while True:
                item = {"id": f"forum:{number}", "kind": "post", "platform": "forum", "created_ms": wall_clock()}
                try:
                    async with session.post(f"http://127.0.0.1:{port}/v1/signals", json=item) as answered:
                        if answered.status == 200:
                            taken.append(number)
                            number += 1
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)

    sender = asyncio.create_task(send())
    try:
        for times in range(1, 4):
            async with collect_process(place, port) as process:
                await eventually(lambda enough=times * 30: len(taken) >= enough, 60)  # type: ignore[misc]
                process.kill()
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
    published = {found.id for found in await place.signals()}
    assert {f"forum:{number}" for number in taken} <= published
