"""Prints the matrix of the contract suite at the end of the run: collector x check.

The first paragraph names the checks that all collectors passed. Each further one is of the checks that failed, or are
waived, for the same collectors; ``waivers.py`` has the reasons.
"""

from __future__ import annotations

import re
import textwrap

import pytest

CASE = re.compile(r"contract/test_\w+_contract\.py::test_\w+\[(\w+)-(.+)\]$")
WORDS = {"failed": "FAILED", "error": "FAILED", "skipped": "waived", "passed": "passed"}
WIDTH = 120


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the outcome of every check on every platform."""
    cells: dict[str, dict[str, str]] = {}
    for outcome, word in WORDS.items():
        for report in terminalreporter.stats.get(outcome, []):
            if found := CASE.search(report.nodeid):
                cells.setdefault(found[2], {}).setdefault(found[1], word)
    if not cells:
        return
    terminalreporter.section("contract of the collectors")
    for line in matrix(cells):
        terminalreporter.line(line)


def matrix(cells: dict[str, dict[str, str]]) -> list[str]:
    """Return the lines for ``cells``: an outcome by check and platform."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for check, row in cells.items():
        others = tuple(sorted((word, platform) for platform, word in row.items() if word != "passed"))
        alike.setdefault(others, []).append(check)
    platforms = sorted({platform for row in cells.values() for platform in row})
    lines = _paragraph("collectors", platforms)
    lines += _paragraph("passed by all of them", alike.pop((), []))
    for others, checks in sorted(alike.items()):
        words = sorted({word for word, _ in others})
        title = "; ".join(f"{word} {', '.join(name for one, name in others if one == word)}" for word in words)
        lines += _paragraph(title, checks)
    return lines


def _paragraph(title: str, names: list[str]) -> list[str]:
    return textwrap.wrap(f"{title} ({len(names)}): {', '.join(names)}", WIDTH, subsequent_indent="    ")
