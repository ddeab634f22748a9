"""A running webhook, the loop's side of it, and senders: real sockets, and an acknowledgement when the test says so."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from ingest.batch import Batch, Signals
from ingest.collector import CollectorContext
from ingest.memory.rate_limit import RateLimiter
from ingest.platforms.webhook.collector import WebhookCollector
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.server import WebhookServer
from ingest.signal import Signal
from tests.ingest.fake_clock import FakeClock
from tests.ingest.sites import NOW_MS

__all__ = ["KEY", "SECRET", "TOKEN", "Answered", "Webhook", "ndjson", "sent", "sign", "webhook"]

TOKEN = "a-token-for-tests-only"  # noqa: S105 (of the tests)
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
RESERVED = ("reddit", "hackernews")


def sent(number: int, **changes: object) -> dict[str, object]:
    """Return an item as a sender would send it."""
    item: dict[str, object] = {
        "id": f"forum:{number}",
        "kind": "post",
        "platform": "forum",
        "thread": f"forum:{number}",
        "title": f"Post {number}",
        "created_ms": NOW_MS - 60_000,
        "observed_ms": NOW_MS - 1_000,
    }
    return item | changes


def ndjson(*items: object) -> bytes:
    """Return items as lines; bytes are lines already."""
    return b"".join((item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in items)


def sign(body: bytes, id_: str = "msg_1", at_s: int = NOW_MS // 1000, key: bytes = KEY) -> dict[str, str]:
    """Return the headers of Standard Webhooks, made here without the code under test."""
    mac = hmac.new(key, f"{id_}.{at_s}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(mac).decode()
    return {"webhook-id": id_, "webhook-timestamp": str(at_s), "webhook-signature": signature}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the webhook."""

    status: int
    json: dict[str, object]
    headers: dict[str, str]

    @property
    def code(self) -> object:
        """The code of the error."""
        error = self.json["error"]
        assert isinstance(error, dict)
        return error["code"]

    @property
    def refused(self) -> list[tuple[object, object]]:
        """The number and the reason of each refused line."""
        refused = self.json["refused"]
        assert isinstance(refused, list)
        return [(line["line"], line["reason"]) for line in refused]


@dataclass
class Webhook:
    """A webhook whose batches a broker acknowledges while ``broker`` is set."""

    collector: WebhookCollector
    session: aiohttp.ClientSession
    clock: FakeClock
    loop: asyncio.Task[None] = field(init=False)
    broker: asyncio.Event = field(default_factory=asyncio.Event)
    signals: list[Signal] = field(default_factory=list)
    account: Signals = field(default_factory=Signals)
    batches: list[Batch] = field(default_factory=list)

    async def run(self) -> None:
        """Publish batches as the loop does: the next one is asked for after the last one was acknowledged."""
        async for batch in self.collector:
            await self.broker.wait()
            if batch.signals.read:
                self.batches.append(batch)
            self.signals += batch.signals.signals
            self.account.extend([batch.signals])

    @property
    def server(self) -> WebhookServer:
        """The server inside, for what no answer shows."""
        return self.collector._server

    @property
    def ids(self) -> list[str]:
        """The ids published, in order."""
        return [found.id for found in self.signals]

    def url(self, path: str = "/v1/signals") -> str:
        return f"http://127.0.0.1:{self.collector.port}{path}"

    async def post(self, body: object, headers: dict[str, str] | None = None, *, token: str | None = TOKEN) -> Answered:
        """Send a body: bytes are lines, anything else is one JSON value."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent_headers = dict(NDJSON if isinstance(body, bytes) else JSON)
        if token is not None:
            sent_headers["Authorization"] = f"Bearer {token}"
        async with self.session.post(self.url(), data=data, headers=sent_headers | (headers or {})) as response:
            return Answered(response.status, await response.json(), dict(response.headers))


async def forever(_: float) -> None:
    """Sleep: no test waits until the webhook reports that no sender has come."""
    await asyncio.Event().wait()


@asynccontextmanager
async def webhook(*, acknowledging: bool = True, **options: object) -> AsyncIterator[Webhook]:
    """Run a webhook on a free port, and the loop's side of it."""
    config = WebhookConfig.model_validate({"port": 0, "token": TOKEN} | options)
    clock = FakeClock()
    limiter = RateLimiter("webhook", 1e9, clock=clock, sleep=clock.sleep)
    context = CollectorContext(limiter, lambda: NOW_MS, clock, forever)
    collector = WebhookCollector(config, None, context, RESERVED)
    async with aiohttp.ClientSession() as session:
        running = Webhook(collector, session, clock)
        assert (await anext(collector)).signals.read == 0
        if acknowledging:
            running.broker.set()
        running.loop = asyncio.create_task(running.run())
        try:
            yield running
        finally:
            running.loop.cancel()
            await asyncio.gather(running.loop, return_exceptions=True)
            await collector.aclose()
