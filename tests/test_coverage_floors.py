"""A package whose coverage falls below its floor fails the run."""

from __future__ import annotations

from tests.coverage_floors import below


def test_coverage_below_the_floor_is_found() -> None:
    assert below({"scoring": 99.9, "hubbub": 80.0}, {"scoring": 100, "hubbub": 80}) == ["scoring"]
