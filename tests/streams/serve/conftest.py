"""A running server for the tests of serve, with a producer that fills its topics and an HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hubbub.clock import wall_clock
from streams.serve.config import ServeConfig
from streams.serve.role import Server
from tests.eventually import eventually
from tests.streams.serve.newsroom import PLATFORM_NAMES, encoded
from tests.visible_topics import create_topics

PARTITIONS = 3


@dataclass
class Running:
    """A running server, with a producer and an HTTP client."""

    url: str
    server: Server
    prefix: str
    kafka: Mapping[str, object]
    producer: AIOKafkaProducer
    http: ClientSession
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, *records: dict[str, Any]) -> None:
        """Produce records, each to its topic, and wait until the broker has acknowledged them."""
        for record in records:
            key, value = encoded(record)
            topic = "noise-events" if "type" in record else "noise-scores"
            await self.producer.send(self.prefix + topic, value, key=key)
        await self.producer.flush()

    async def publish_raw(self, records: Iterable[tuple[str, bytes | None, bytes | None]]) -> None:
        """Produce records given as (topic, key, value)."""
        for topic, key, value in records:
            await self.producer.send(self.prefix + topic, value, key=key)
        await self.producer.flush()

    async def get(self, path: str) -> Any:
        async with self.http.get(self.url + path.lstrip("/")) as response:
            return await response.json()

    async def until(self, path: str, fits: Callable[[Any], object], seconds: float = 10) -> Any:
        """Ask until the answer passes ``fits``; return it."""
        return await eventually(lambda: self.get(path), seconds, until=fits)


async def make_topics(bootstrap_servers: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await create_topics(
            admin, [NewTopic(f"{prefix}{topic}", PARTITIONS, 1) for topic in ("noise-scores", "noise-events")]
        )
    finally:
        await admin.close()


@asynccontextmanager
async def running(
    bootstrap_servers: str,
    prefix: str,
    *,
    wait: bool = True,
    listen_port: int = 0,
    now_ms: Callable[[], int] = wall_clock,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Run a server on these topics while the block runs. ``wait``: begin the block when the server is ready."""
    kafka: dict[str, object] = {"bootstrap_servers": bootstrap_servers}
    server = Server(
        kafka=kafka,
        prefix=prefix,
        config=ServeConfig(port=listen_port, **settings),
        now_ms=now_ms,
        platform_names=PLATFORM_NAMES,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(server.run(stop))
    try:
        async with (
            asyncio.timeout(60),
            AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as producer,
            ClientSession() as http,
        ):
            if wait:
                await eventually(lambda: task.done() or not server.problems(), within_seconds=60)
            else:
                await eventually(lambda: _address(server))
            yield Running(server.url, server, prefix, kafka, producer, http, stop)
    finally:
        stop.set()
        await task


def _address(server: Server) -> str | None:
    """Return where the server listens, if it does."""
    try:
        return server.url
    except IndexError:
        return None
