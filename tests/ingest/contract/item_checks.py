"""Faults of items: the item is a signal, ignored or a dead letter, and no other is lost."""

from __future__ import annotations

import asyncio
import importlib
import json
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub.world.words import HOSTILE
from ingest import signal
from ingest.signal import InvalidSignalError, Signal
from tests.ingest.contract.checks import check
from tests.ingest.contract.platform_under_test import PlatformUnderTest

CONVERT_ARGUMENTS: dict[str, tuple[object, ...]] = {"hackernews": (1,), "mastodon": ("mastodon:social.example.org/1",)}
"""What ``convert`` takes after the item and its time: for Hacker News the root of the thread."""
DAY_MS = 86_400_000


def is_publishable(found: Signal, now_ms: int) -> bool:
    """Return whether readers accept a signal; any error but the one for invalid signals is a fault."""
    try:
        signal.decode(signal.encode(found), now_ms)
    except InvalidSignalError:
        return False
    return True


async def reads_all(platform: PlatformUnderTest, change: Callable[[dict[str, object]], None]) -> list[Signal]:
    """Read a platform whose items are all changed; return the signals that are publishable."""
    platform.rewrite = platform.on_each_item(change)
    async with platform.reading() as reading:
        await reading.poll(8)
    platform.rewrite = None
    assert reading.errors == []
    assert reading.account.read > 5
    assert [dead for dead in reading.account.unreadable if dead.reason == "convert_failed"] == []
    return [found for found in reading.signals if is_publishable(found, platform.now_ms())]


@check("items without keys")
async def reads_items_without_keys(platform: PlatformUnderTest) -> None:
    for seed in range(8):
        rng = random.Random(seed)

        def drop_keys(fields: dict[str, object], rng: random.Random = rng) -> None:
            for key in [key for key in fields if rng.random() < 0.3]:
                del fields[key]

        await reads_all(platform, drop_keys)


WRONG: tuple[object, ...] = (
    None, True, -1, 0, 10**18, 10**400, 1e308, float("inf"), float("nan"), "", "0", "\ud800", "x" * 5_000,
    "&#" + "9" * 5_000 + ";", [], [[]], {}, {"a": None}, *(text for pair in HOSTILE for text in pair),
)  # fmt: skip
"""Values that a field may hold in place of its own."""


@check("items with wrong values")
async def reads_items_with_wrong_values(platform: PlatformUnderTest) -> None:
    for seed in range(12):
        rng = random.Random(seed)

        def spoil(fields: dict[str, object], rng: random.Random = rng) -> None:
            for key in rng.sample(sorted(fields), min(len(fields), 5)):
                fields[key] = rng.choice(WRONG)

        await reads_all(platform, spoil)


@check("deleted items")
async def hides_deleted_items(platform: PlatformUnderTest) -> None:
    platform.rewrite = platform.on_each_item(lambda fields: fields.update(platform.simulator.shape.deleted))
    async with platform.reading() as reading:
        await reading.poll()
    assert reading.account.read > 5
    assert reading.account.unreadable == []
    assert [found for found in reading.signals if found.text is not None or found.author is not None] == []


@check("future dates")
async def yields_no_item_from_the_future(platform: PlatformUnderTest) -> None:
    shape = platform.simulator.shape
    for ahead_ms in (2 * DAY_MS, 400 * 365 * DAY_MS):
        future = shape.write_time(platform.now_ms() + ahead_ms)
        publishable = await reads_all(platform, lambda fields, at=future: fields.update({shape.created: at}))  # type: ignore[misc]
        assert [found for found in publishable if found.created_ms > found.observed_ms] == []


@check("one item that raises in convert")
async def survives_an_error_in_convert(platform: PlatformUnderTest) -> None:
    expected = await platform.expected()
    victim = min(expected)

    def explode(**fields: object) -> Signal:
        if fields["id"] == victim:
            raise ZeroDivisionError("a fault of ours")
        return Signal(**fields)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"ingest.platforms.{platform.name}.convert.Signal", explode)
        async with platform.reading() as reading:
            await reading.poll_until_read(expected - {victim})
            while not reading.account.unreadable:
                await reading.poll(1)
    assert victim not in reading.ids
    assert {dead.reason for dead in reading.account.unreadable} == {"convert_failed"}


@check("fuzzed convert")
async def convert_never_raises(platform: PlatformUnderTest) -> None:
    convert = importlib.import_module(f"ingest.platforms.{platform.name}.convert").convert
    arguments = (platform.now_ms(), *CONVERT_ARGUMENTS.get(platform.name, ()))
    items = await platform.items()

    @settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
    @given(fuzzed_items(platform, items))
    def fuzz(raw: object) -> None:
        became = convert(raw, *arguments)
        assert became.read == 1
        assert "convert_failed" not in {dead.reason for dead in became.unreadable}  # a fault of ours
        for found in became.signals:
            is_publishable(found, platform.now_ms())

    await asyncio.to_thread(fuzz)
    for raw in nested_without_end(platform, items):
        became = convert(raw, *arguments)
        assert became.read == 1
        assert "convert_failed" not in {dead.reason for dead in became.unreadable}


def fuzzed_items(platform: PlatformUnderTest, items: list[object]) -> st.SearchStrategy[object]:
    """Items of the platform with some fields replaced or dropped, and JSON of any other shape."""
    scalars = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(WRONG)
    )
    values = st.recursive(
        scalars, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3), max_leaves=5
    )

    @st.composite
    def spoiled(draw: st.DrawFn) -> object:
        raw = json.loads(json.dumps(draw(st.sampled_from(items))))
        fields = platform.simulator.shape.fields(raw)
        assert fields is not None
        for key in draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=6, unique=True)):
            if draw(st.booleans()):
                fields[key] = draw(values)
            else:
                del fields[key]
        return raw

    return spoiled() | values


def nested_without_end(platform: PlatformUnderTest, items: list[object]) -> Iterator[object]:
    """JSON that is just not too deep for the parser may be too deep a few calls further down."""
    for depth in (10, 900, *range(930, 1000, 7), 5_000):
        nested: object = []
        for _ in range(depth):
            nested = [nested]
        raw = dict(items[0])  # type: ignore[call-overload]
        fields = platform.simulator.shape.fields(raw)
        assert fields is not None
        fields["deep"] = nested
        yield raw
        yield nested
