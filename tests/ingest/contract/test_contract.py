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
