"""A package whose coverage falls below its floor fails the run."""

from __future__ import annotations

import tomllib

from tests.coverage_floors import ROOT, below


def test_coverage_below_the_floor_is_found() -> None:
    assert below({"scoring": 99.9, "hubbub": 80.0}, {"scoring": 100, "hubbub": 80}) == ["scoring"]


def test_every_package_has_a_floor() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(settings["coverage"]["run"]["source"]) <= set(settings["hubbub"]["coverage_floors"])
