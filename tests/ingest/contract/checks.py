"""The registry of the contract's checks. Each file of checks adds its own; suite.py runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.ingest.contract.platform_under_test import PlatformUnderTest

__all__ = ["CHECKS", "STRUCK", "Check", "check"]

Check = Callable[[PlatformUnderTest], Awaitable[None]]
CHECKS: dict[str, Check] = {}

STRUCK = (1, 2, 3)
"""Which request a fault strikes, from 1: the first may ask for a token, the next for a list, then for an item."""


def check(name: str) -> Callable[[Check], Check]:
    """Add a check to the suite."""

    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add
