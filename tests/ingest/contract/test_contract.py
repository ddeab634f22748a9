"""The contract of every collector in the registry: each fault x each platform, over real sockets.

A new platform runs through all of it without a change here. A check that a platform cannot meet is waived in
``waivers.py``, with the reason.
"""

from __future__ import annotations

import pytest

from hubbub.world.servers import SIMULATORS
from ingest.registry import PLATFORMS
from tests.ingest.contract import item_checks, order_checks, wire_checks
from tests.ingest.contract.checks import CHECKS
from tests.ingest.contract.platform_under_test import WAYS, PlatformUnderTest
from tests.ingest.contract.sender_checks import SENDER_CHECKS
from tests.ingest.contract.waivers import ASKS_NOTHING, WAIVERS

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

    return add,
THEMES = (wire_checks, order_checks, item_checks)
"""The files whose checks are in ``CHECKS``."""


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
