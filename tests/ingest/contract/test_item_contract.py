"""Runs the checks of ``item_checks.py`` on every collector."""

from __future__ import annotations

from tests.ingest.contract import item_checks
from tests.ingest.contract.suite import cases, keep_the_contract


@cases(item_checks)
async def test_collector_keeps_the_contract(platform: str, name: str) -> None:
    await keep_the_contract(platform, name)
