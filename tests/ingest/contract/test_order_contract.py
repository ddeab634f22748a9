"""Runs the checks of ``order_checks.py`` on every collector."""

from __future__ import annotations

from tests.ingest.contract import order_checks
from tests.ingest.contract.suite import cases, keep_the_contract


@cases(order_checks)
async def test_collector_keeps_the_contract(platform: str, name: str) -> None:
    await keep_the_contract(platform, name)
