"""The contract of a collector that is sent to and asks nothing: the counterparts of the suite's checks.

Each strikes the webhook from the sender's side, over real sockets, and then sends what has to arrive all the same.
"""

from __future__ import annotations

import asyncio
import json
import random
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import signal
from ingest.platforms.webhook.collector import WebhookCollector
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.convert import convert
from ingest.signal import InvalidSignalError
from tests.eventually import eventually
from tests.ingest.contract.wire_faults import bomb
from tests.ingest.fake_clock import context
from tests.ingest.platforms.webhook.hostile import FAULTS, Fault
from tests.ingest.platforms.webhook.sending import TOKEN, Webhook, ndjson, sent, webhook
from tests.ingest.sites import NOW_MS
from transport.errors import RetryLaterError

SenderCheck = Callable[[], Awaitable[None]]
SENDER_CHECKS: dict[str, SenderCheck] = {}
ITEMS = 20
SILENT_CONNECTIONS = 50
DAY_MS = 86_400_000
WRONG: tuple[object, ...] = (
    None, True, -1, 0, 10**18, 10**400, 1e308, "", "0", "\ud800", "x" * 5_000, [], [[]], {}, {"a": None}, "reddit:t3_1",
)  # fmt: skip
"""Values that a field may hold in place of its own."""


def check(name: str) -> Callable[[SenderCheck], SenderCheck]:
    """Add the counterpart of a check."""

    def add(function: SenderCheck) -> SenderCheck:
        SENDER_CHECKS[name] = function
        return function

    return add


async def sends_all(hook: Webhook) -> None:
    """Send some items; all must arrive, once."""
    answered = await hook.post(ndjson(*(sent(number) for number in range(ITEMS))))
    assert (answered.status, answered.json) == (200, {"accepted": ITEMS, "refused": []})
    assert hook.ids[-ITEMS:] == [f"forum:{number}" for number in range(ITEMS)]


def is_struck_by(fault: Fault) -> SenderCheck:
    async def struck() -> None:
        async with webhook(request_timeout_seconds=1 if fault is FAULTS["slow answer"] else 30) as hook:
            await fault(hook)
            assert hook.signals == []
            await sends_all(hook)

    return struck


SENDER_CHECKS.update({name: is_struck_by(fault) for name, fault in FAULTS.items()})


SENDER_CHECKS["slow drip"] = SENDER_CHECKS["slow answer"]  # a request that comes a byte at a time is both


@check("open and silent")
async def serves_others_beside_silent_connections() -> None:
    async with webhook() as hook, AsyncExitStack() as silent:
        for _ in range(SILENT_CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", hook.collector.port)
            silent.callback(writer.close)
        await sends_all(hook)


@check("clock skew")
async def refuses_what_seems_newer_than_now() -> None:
    async with webhook() as hook:
        for hours in (-2, 2):
            answered = await hook.post(sent(hours + 50, created_ms=NOW_MS + hours * 3_600_000))
            assert answered.status in {200, 422}
        assert all(is_publishable(found) for found in hook.signals)
        await sends_all(hook)


@check("memory under a bomb")
async def stays_small() -> None:
    bomb()
    async with webhook() as hook:
        tracemalloc.start()
        try:
            await asyncio.gather(*(FAULTS["compressed bomb"](hook) for _ in range(3)))
            assert tracemalloc.get_traced_memory()[1] < 150_000_000
        finally:
            tracemalloc.stop()


@check("connection refused")
async def waits_for_a_port_that_is_taken() -> None:
    async with webhook() as first:
        config = WebhookConfig.model_validate({"token": TOKEN, "port": first.collector.port})
        second = WebhookCollector(config, None, context(lambda: NOW_MS), ())
        for _ in range(2):
            with pytest.raises(RetryLaterError, match=r"taken.*collect\.webhook"):
                await anext(second)
        await first.collector.aclose()
        assert (await anext(second)).signals.read == 0
        await second.aclose()


@check("cancellation")
async def can_be_cancelled() -> None:
    async with webhook() as hook:
        hook.loop.cancel()
        await asyncio.gather(hook.loop, return_exceptions=True)
        for number in range(3):
            polling = asyncio.create_task(anext(hook.collector))
            await asyncio.sleep(0)
            polling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await polling
            posting = asyncio.create_task(hook.post(sent(number)))
            batch = await anext(hook.collector)
            assert [found.id for found in batch.signals.signals] == [f"forum:{number}"]
            hook.loop = asyncio.create_task(hook.run())
            assert (await posting).status == 200
            hook.loop.cancel()
            await asyncio.gather(hook.loop, return_exceptions=True)


@check("crash at every step")
async def is_sent_again_what_was_not_acknowledged() -> None:
    """The sender is the cursor: it keeps what it got no 2xx for, and sends it to the next run."""
    async with webhook(acknowledging=False) as hook:
        posts = [asyncio.create_task(hook.post(sent(number))) for number in range(ITEMS)]
        await eventually(lambda: hook.collector._deliveries.waiting_items == ITEMS)
        await hook.collector.aclose()
        assert {(await post).status for post in posts} == {503}
    async with webhook() as resumed:
        await sends_all(resumed)


async def reads_all(change: Callable[[dict[str, object]], None]) -> Webhook:
    """Send items that are all changed; each is a signal that readers accept, or refused with a reason."""
    async with webhook() as hook:
        items = [sent(number, author={"name": "somebody"}, counts={"likes": 3}) for number in range(12)]
        for item in items:
            change(item)
        for item in items:
            answered = await hook.post(json.dumps(item, allow_nan=True).encode())
            assert answered.status in {200, 422}
        assert hook.account.read == len(items)
        assert [dead for dead in hook.account.unreadable if dead.reason == "convert_failed"] == []
        assert [found for found in hook.signals if not is_publishable(found)] == []
        return hook


def is_publishable(found: signal.Signal) -> bool:
    """Return whether readers accept a signal; any error but the one for invalid signals is a fault."""
    try:
        signal.decode(signal.encode(found), NOW_MS)
    except InvalidSignalError:
        return False
    return True


@check("items without keys")
async def reads_items_without_keys() -> None:
    rng = random.Random(1)

    def drop_keys(item: dict[str, object]) -> None:
        for key in [key for key in item if rng.random() < 0.3]:
            del item[key]

    await reads_all(drop_keys)


@check("items with wrong values")
async def reads_items_with_wrong_values() -> None:
    rng = random.Random(2)

    def spoil(item: dict[str, object]) -> None:
        for key in rng.sample(sorted(item), 2):
            item[key] = rng.choice(WRONG)

    for _ in range(4):
        await reads_all(spoil)


@check("deleted items")
async def hides_deleted_items() -> None:
    hook = await reads_all(lambda item: item.update(deleted=True, text="words", url="https://a.example"))
    assert len(hook.signals) == 12
    assert [found for found in hook.signals if (found.text, found.url, found.title, found.author) != (None,) * 4] == []


@check("future dates")
async def yields_no_item_from_the_future() -> None:
    for ahead_ms in (2 * DAY_MS, 400 * 365 * DAY_MS):
        hook = await reads_all(lambda item, at=NOW_MS + ahead_ms: item.update(created_ms=at))  # type: ignore[misc]
        assert hook.signals == []


@check("duplicate items")
async def reads_duplicates() -> None:
    async with webhook() as hook:
        answered = await hook.post(ndjson(*(sent(number // 2) for number in range(ITEMS))))
        assert answered.json["accepted"] == ITEMS  # a signal is known by (id, observed_ms), so readers take one
        assert len({(found.id, found.observed_ms) for found in hook.signals}) == ITEMS // 2


@check("one item that raises in convert")
async def survives_an_error_in_convert() -> None:
    decode = signal.decode

    def explode(raw: bytes, latest_ms: int | None = None) -> signal.Signal:
        if b'"forum:7"' in raw:
            raise ZeroDivisionError("a fault of ours")
        return decode(raw, latest_ms)

    async with webhook() as hook:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ingest.platforms.webhook.convert.signal.decode", explode)
            answered = await hook.post(ndjson(*(sent(number) for number in range(ITEMS))))
        assert answered.refused == [(8, "convert_failed")]
        assert len(hook.ids) == ITEMS - 1


@check("fuzzed convert")
async def convert_never_raises() -> None:
    scalars = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(WRONG)
    )
    values = st.recursive(
        scalars, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3), max_leaves=5
    )
    items = st.builds(lambda changes: sent(1) | changes, st.dictionaries(st.sampled_from(sorted(sent(1))), values))

    @settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
    @given(items | values)
    def fuzz(raw: object) -> None:
        became = convert(raw, NOW_MS)
        assert became.read == 1
        assert "convert_failed" not in {dead.reason for dead in became.unreadable}
        assert all(is_publishable(found) for found in became.signals)

    await asyncio.to_thread(fuzz)
    for depth in (10, 900, *range(930, 1000, 7), 5_000):
        nested: object = []
        for _ in range(depth):
            nested = [nested]
        for raw in (nested, sent(1, deep=nested)):
            became = convert(raw, NOW_MS)
            assert became.read == 1
            assert "convert_failed" not in {dead.reason for dead in became.unreadable}
