"""The contract of every collector in the registry: each fault x each platform, over real sockets.

A new platform runs through all of it without a change here. A check that a platform cannot meet is waived in
``WAIVERS``, with the reason.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import random
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub.world.servers import SIMULATORS
from hubbub.world.words import HOSTILE
from ingest import signal
from ingest.registry import PLATFORMS
from ingest.signal import InvalidSignalError, Signal
from tests.ingest.contract.platform_under_test import WAYS, PlatformUnderTest
from tests.ingest.contract.sender_checks import SENDER_CHECKS
from tests.ingest.contract.wire_faults import DATES, WIRE_FAULTS, bomb, bombard
from tests.ingest.sites import Answer, Site, hang, status

A_DELETION_IS_AN_EVENT = "a deletion is an event that names the item and holds none of its fields"
A_STREAM_HAS_NO_PAGES = "a stream has no pages: an event that is left out does not come later"
WAIVERS: dict[tuple[str, str], str] = {
    ("bluesky", "deleted items"): A_DELETION_IS_AN_EVENT,
    ("bluesky", "empty pages"): A_STREAM_HAS_NO_PAGES,
    ("bluesky_v1", "deleted items"): A_DELETION_IS_AN_EVENT,
    ("bluesky_v1", "empty pages"): A_STREAM_HAS_NO_PAGES,
    ("gdelt", "deleted items"): "a file lists what was seen then; nothing is taken back",
    ("gdelt", "empty pages"): "a file of a quarter of an hour never changes, so an empty one is not read again",
    ("gdelt_search", "deleted items"): "a search does not find what is gone, and does not say so",
    ("news", "deleted items"): "a feed does not say that an article was taken back; it only stops listing it",
    ("telegram", "deleted items"): "a deleted message is not on the page; test_telegram_collector.py",
    ("youtube", "deleted items"): "a deleted video or comment is left out of the answer; test_youtube_collector.py",
    ("youtube", "one item that raises in convert"): (
        "the comments of a video that cannot be read are not asked for; test_youtube_collector.py tests the others"
    ),
    ("stackexchange", "deleted items"): "what was deleted is left out of answers; test_stackexchange_collector.py",
}
"""(platform, check) -> why the platform cannot meet it."""

ASKS_NOTHING = "nothing is asked: senders send. What they may do is in sender_checks.py"

CONVERT_ARGUMENTS: dict[str, tuple[object, ...]] = {"hackernews": (1,), "mastodon": ("mastodon:social.example.org/1",)}
"""What ``convert`` takes after the item and its time: for Hacker News the root of the thread."""

STRUCK = (1, 2, 3)
"""Which request a fault strikes, from 1: the first may ask for a token, the next for a list, then for an item."""
DAY_MS = 86_400_000

Check = Callable[[PlatformUnderTest], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Add a check to the suite."""

    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each platform that has a simulator, and each check."""
    if metafunc.function is test_collector_keeps_the_contract:
        cases = [(platform, name) for platform in WAYS for name in CHECKS]
        metafunc.parametrize(("platform", "name"), cases, ids=[f"{platform}-{name}" for platform, name in cases])


async def test_collector_keeps_the_contract(platform: str, name: str) -> None:
    if (reason := WAIVERS.get((platform, name))) is not None:
        pytest.skip(f"waived: {reason}")
    under_test = PlatformUnderTest(platform)
    if under_test.simulator.push is not None:
        if name not in SENDER_CHECKS:
            pytest.skip(f"waived: {ASKS_NOTHING}")
        await SENDER_CHECKS[name]()
        return
    async with under_test.running():
        await CHECKS[name](under_test)


def test_every_platform_has_a_simulator_and_every_waiver_a_check() -> None:
    assert SIMULATORS.keys() == PLATFORMS.keys()
    for platform, name in WAIVERS:
        assert platform in WAYS
        assert name in CHECKS
    assert SENDER_CHECKS.keys() <= CHECKS.keys()


# Faults of the wire: the struck request fails with an error of the loop's, and afterwards nothing is missing.


def strikes(fault: Answer) -> Check:
    patience_seconds = 1 if fault is hang else 30

    async def struck(platform: PlatformUnderTest) -> None:
        expected = await platform.expected()
        for number in STRUCK:
            platform.asked_at.clear()
            platform.answers = {number: fault}
            async with platform.reading(request_timeout_seconds=patience_seconds) as reading:
                await reading.poll_until_read(expected, requests=number)
            assert all("\n" not in str(error) and str(error) for error in reading.errors)

    return struck


CHECKS.update({name: strikes(fault) for name, fault in WIRE_FAULTS.items()})


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
    expected = await platform.expected()
    async with Site() as thief:
        for code in (301, 302, 303, 307, 308):
            for number in STRUCK:
                platform.asked_at.clear()
                platform.answers = {number: status(code, {"Location": f"{thief.url}/api/v1/access_token"})}
                async with platform.reading() as reading:
                    await reading.poll_until_read(expected, requests=number)
        assert thief.requests == []


@check("connection refused")
async def waits_for_a_closed_port(platform: PlatformUnderTest) -> None:
    open_url, platform.url = platform.url, "http://127.0.0.1:9"
    async with platform.reading() as reading:
        await reading.poll(2)
        assert len(reading.errors) == 2
    platform.url = open_url


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


@check("cursor resume")
async def goes_on_from_its_cursor(platform: PlatformUnderTest) -> None:
    expected = await platform.expected()
    async with platform.reading() as reading:
        for _ in range(4):
            await reading.poll(1)
            assert json.loads(reading.cursors[-1]) is not None
            async with platform.reading(reading.cursors[-1]) as resumed:
                await resumed.poll_until_read(expected - reading.ids)
                assert not resumed.errors


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


# Faults of items: the item is a signal, ignored or a dead letter, and no other is lost.


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
