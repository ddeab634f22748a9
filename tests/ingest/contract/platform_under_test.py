"""A simulated platform behind faults, and a collector that reads it as the loop would: real sockets, no waiting.

Nothing here knows a platform. All of it is made from the registry's spec and the world's simulator of the same name.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hubbub.world.faults import Faults
from hubbub.world.generated import Size, generate
from hubbub.world.servers import SIMULATORS
from hubbub.world.simulator import Simulator
from hubbub.world.world import World
from ingest.batch import Cursor, Signals
from ingest.collector import Collector, CollectorContext
from ingest.errors import COLLECT_ERRORS, CollectError
from ingest.memory.rate_limit import RateLimiter
from ingest.registry import PLATFORMS
from ingest.signal import Signal
from ingest.spec import PlatformSpec
from tests.ingest.contract.endless_pages import EndlessPages
from tests.ingest.fake_clock import FakeClock
from tests.ingest.sites import Answer
from transport.errors import SlowDownError

__all__ = ["WAYS", "PlatformUnderTest", "Reading"]

Rewrite = Callable[[object], object]
QUIET_POLLS = 12
"""Polls after which an undisturbed collector has read such a small world."""
PATIENT_POLLS = 120
"""Polls in which a disturbed collector must have read it."""
RETRY_SECONDS = 5.0
OPTIONS: dict[str, dict[str, object]] = {
    "bluesky": {"backfill_minutes": 180, "batch_seconds": 30},
    "gdelt": {"backfill_files": 24},
    "hackernews": {"backfill_items": 40},
    "lemmy": {"backfill_hours": 24},
    "mastodon": {"backfill_hours": 24},
    "x": {"backfill_hours": 24},
}
"""Options that save time, as each item of Hacker News is a request; or that reach back to before the world began."""


SMALL = Size(hours=1, stories=3, chatter=30, replies=60)
LARGER = dict.fromkeys(("gdelt", "youtube"), Size(hours=1, stories=3, chatter=200, replies=400))
"""Of the platforms on which little happens."""


BEGINS_MS = 1_760_000_000_000


@lru_cache
def small_world(platform: str) -> World:
    """Return a world with some 10 to 50 items on ``platform``."""
    return generate(11, BEGINS_MS, LARGER.get(platform, SMALL))


@lru_cache
def long_world(platform: str) -> World:
    """Return one that lasts for more than a day."""
    return generate(11, BEGINS_MS, replace(LARGER.get(platform, SMALL), hours=26))


_EXPECTED: dict[str, frozenset[str]] = {}
"""What an undisturbed collector reads, by way; always the same, so it is read once."""


@dataclass
class Reading:
    """What a collector has yielded so far, and the errors that it raised."""

    platform: PlatformUnderTest
    collector: Collector
    context: CollectorContext
    signals: list[Signal] = field(default_factory=list)
    account: Signals = field(default_factory=Signals)
    errors: list[CollectError] = field(default_factory=list)
    cursors: list[Cursor] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        """The ids of the signals so far."""
        return {signal.id for signal in self.signals}

    async def poll(self, times: int = QUIET_POLLS) -> None:
        """Poll as the loop does: after an error wait, and obey a platform that limits our rate."""
        for _ in range(times):
            try:
                batch = await anext(self.collector)
            except COLLECT_ERRORS as error:
                self.errors.append(error)
                seconds = RETRY_SECONDS
                if isinstance(error, SlowDownError) and error.after_seconds is not None:
                    seconds = error.after_seconds
                    self.context.rate_limiter.hold(seconds)
                await self.platform.clock.sleep(seconds)
            else:
                self.signals += batch.signals.signals
                self.account.extend([batch.signals])
                self.cursors.append(batch.cursor)

    async def poll_until_read(self, expected: Iterable[str], requests: int = 0, *, wait_seconds: float = 0) -> None:
        """Poll until the signals ``expected`` have arrived and ``requests`` were sent; fail if some do not.

        ``wait_seconds``: how much more time passes with each poll, as if it had waited.
        """
        missing = set(expected)
        for _ in range(PATIENT_POLLS):
            if not (missing := missing - self.ids) and len(self.platform.asked_at) >= requests:
                return
            await self.poll(1)
            self.platform.clock.now += wait_seconds
        raise AssertionError(f"{len(missing)} items never arrived: {sorted(missing)[:3]}")


def _ways() -> dict[str, tuple[str, Simulator]]:
    ways = {name: (name, simulator) for name, simulator in SIMULATORS.items()}
    for name, simulator in SIMULATORS.items():
        ways |= {f"{name}_{way}": (name, other) for way, other in simulator.ways.items()}
    return ways


WAYS = _ways()
"""Every way to read a platform, such as ``reddit`` and ``reddit_feeds``: the platform's name, and its simulator."""


class PlatformUnderTest:
    """A platform, read in one of :data:`WAYS`.

    ``answers``: by the number of a request from 1, given instead of the simulator's answer. ``rewrite``: changes every
    JSON value that the simulator answers, and every list of one item that it streams.
    ``refusal``: given to every request. ``pages``: makes every listing endless.
    ``asked_at``: when each request came. ``behind_ms``: how far from its end the world is when the clock starts.
    ``skew_ms``: how far the collector's clock is ahead of the platform's.
    """

    def __init__(self, way: str) -> None:
        self.way = way
        self.name, self.simulator = WAYS[way]
        self.world = small_world(self.name)
        self.clock = FakeClock()
        self.answers: dict[int, Answer] = {}
        self.refusal: Answer | None = None
        self.rewrite: Rewrite | None = None
        self.pages: EndlessPages | None = None
        self.behind_ms = 0
        self.skew_ms = 0
        self.asked_at: list[float] = []
        self.url = ""

    @cached_property
    def spec(self) -> PlatformSpec[object]:  # type: ignore[type-var]  # which config class it is does not matter here
        """The platform's declaration."""
        return PLATFORMS[self.name]

    def now_ms(self) -> int:
        """Return the items' time: the world is complete when the clock starts."""
        return self.world.ends_ms - self.behind_ms + int((self.clock.now - 1_000) * 1_000)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve the platform on loopback."""
        assert self.simulator.serve is not None
        app = self.simulator.serve(self.world, self.now_ms, Faults(), 1e6)
        app.middlewares.insert(0, self._intercept())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site.port}"
        try:
            yield
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def reading(self, cursor: Cursor | None = None, **changes: object) -> AsyncIterator[Reading]:
        """Run a collector against the platform."""
        options: dict[str, object] = {"request_timeout_seconds": 30, **OPTIONS.get(self.name, {}), **changes}
        options |= self.simulator.options(self.url)
        limiter = RateLimiter(self.name, 1e9, clock=self.clock, sleep=self.clock.sleep)
        context = CollectorContext(limiter, lambda: self.now_ms() + self.skew_ms, self.clock, self.clock.sleep)
        collector = self.spec.make(self.spec.config.model_validate(options), cursor, context)  # type: ignore[attr-defined]
        try:
            yield Reading(self, collector, context)
        finally:
            await collector.aclose()

    @asynccontextmanager
    async def again(self, world: World | None = None) -> AsyncIterator[PlatformUnderTest]:
        """Run the platform once more, as it was at first, or in another world."""
        other = PlatformUnderTest(self.way)
        other.world = world or other.world
        async with other.running():
            yield other

    async def expected(self) -> frozenset[str]:
        """Return the ids that an undisturbed collector reads."""
        if self.way not in _EXPECTED:
            async with self.again() as other:
                _EXPECTED[self.way] = await other.read_undisturbed()
        return _EXPECTED[self.way]

    async def read_undisturbed(self) -> frozenset[str]:
        """Return the ids that a collector reads if nothing goes wrong."""
        async with self.reading() as undisturbed:
            await undisturbed.poll()
        assert not undisturbed.errors
        assert len(undisturbed.ids) > 4
        self.asked_at.clear()
        return frozenset(undisturbed.ids)

    def on_each_item(self, change: Callable[[dict[str, object]], None]) -> Rewrite:
        """Return a rewriting that calls ``change`` with the fields of each item."""

        def rewrite(value: object) -> object:
            if isinstance(value, list):
                return [rewrite(part) for part in value]
            if not isinstance(value, dict):
                return value
            fields = self.simulator.shape.fields(value)
            if fields is None:
                return {key: rewrite(part) for key, part in value.items()}
            changed = json.loads(json.dumps(value))
            changed_fields = self.simulator.shape.fields(changed)
            assert changed_fields is not None
            change(changed_fields)
            return changed

        return rewrite

    async def items(self) -> list[object]:
        """Return items as the platform gives them, whole."""
        found: list[object] = []

        def collect(value: object) -> object:
            if isinstance(value, list):
                for part in value:
                    collect(part)
            elif isinstance(value, dict):
                if self.simulator.shape.fields(value) is not None:
                    found.append(value)
                else:
                    collect(list(value.values()))
            return value

        self.rewrite = collect
        await self.read_undisturbed()
        self.rewrite = None
        return random.Random(1).sample(found, min(20, len(found)))

    def _intercept(self) -> Middleware:
        @web.middleware
        async def intercept(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked_at.append(self.clock.now)
            if (answer := self.refusal or self.answers.get(len(self.asked_at))) is not None:
                return await answer(request)
            if self.pages is not None:
                return await self.pages.answer(request, handler, self._rewritten_body)
            request["rewrite"] = self._rewritten
            response = await handler(request)
            if self.rewrite is not None and isinstance(response, web.Response) and isinstance(response.body, bytes):
                response.body = self._rewritten_body(response.body, response.content_type)
            return response

        return intercept

    def _rewritten(self, value: object) -> object:
        return value if self.rewrite is None else self.rewrite(value)

    def _rewritten_body(self, body: bytes, content_type: str) -> bytes:
        if not body:
            return body
        if content_type != "application/json" and (codec := self.simulator.codec) is not None:
            return codec.encode(self._rewritten(codec.decode(body)))
        return json.dumps(self._rewritten(json.loads(body))).encode()
