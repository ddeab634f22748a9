"""The contract of every collector in the registry: each fault x each platform, over real sockets.

A new platform runs through all of it without a change here. A check that a platform cannot meet is waived in
``waivers.py``, with the reason. Each theme has a file of checks and a file that runs them, so that processes share the
work.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.ingest.contract.checks import CHECKS
from tests.ingest.contract.platform_under_test import WAYS, PlatformUnderTest
from tests.ingest.contract.sender_checks import SENDER_CHECKS
from tests.ingest.contract.waivers import ASKS_NOTHING, WAIVERS

__all__ = ["cases", "keep_the_contract"]


def cases(theme: ModuleType) -> pytest.MarkDecorator:
    """Return the parameters ``platform`` and ``name``: each way to read a platform x each check of ``theme``."""
    names = [name for name, function in CHECKS.items() if function.__module__ == theme.__name__]
    pairs = [(platform, name) for platform in WAYS for name in names]
    return pytest.mark.parametrize(("platform", "name"), pairs, ids=[f"{platform}-{name}" for platform, name in pairs])


async def keep_the_contract(platform: str, name: str) -> None:
    """Run one check against one platform, or skip it with the reason for its waiver."""
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
