"""Prints the matrix of the contract suite at the end of the run: collector x check."""

from __future__ import annotations

import re

import pytest

CASE = re.compile(r"contract/test_contract\.py::test_\w+\[(\w+)-(.+)\]$")
WORDS = {"passed": "passed", "failed": "FAILED", "skipped": "waived"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one row for each check and one column for each platform."""
    cells: dict[str, dict[str, str]] = {}
    for outcome, word in WORDS.items():
        for report in terminalreporter.stats.get(outcome, []):
            if found := CASE.search(report.nodeid):
                cells.setdefault(found[2], {})[found[1]] = word
    if not cells:
        return
    platforms = sorted({platform for row in cells.values() for platform in row})
    width = max(map(len, cells))
    terminalreporter.section("contract of the collectors")
    terminalreporter.line(" " * width + "".join(f"  {platform:12}" for platform in platforms))
    for check, row in cells.items():
        terminalreporter.line(f"{check:{width}}" + "".join(f"  {row.get(platform, ''):12}" for platform in platforms))
