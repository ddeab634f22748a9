"""Compares the coverage of the last test run with the floor of each package, in pyproject.toml.

Owns the comparison. Coverage counts code that runs in the tests' own processes, with branches. Raise a floor when the
coverage of a package has risen:

    .venv/bin/python -m tests.coverage_floors
"""

from __future__ import annotations

import io
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parents[1]


def measured(paths: Mapping[str, float]) -> dict[str, float]:
    """Return the coverage of each of ``paths`` in percent, from the data file of the last run."""
    coverage = Coverage(config_file=str(ROOT / "pyproject.toml"))
    coverage.load()
    patterns = {path: str(ROOT / path / "*" if (ROOT / path).is_dir() else ROOT / path) for path in paths}
    return {path: coverage.report(include=[pattern], file=io.StringIO()) for path, pattern in patterns.items()}


def below(coverage: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """Return the paths whose coverage is below their floor."""
    return [path for path, floor in floors.items() if coverage[path] < floor]


def main() -> int:
    """Print the coverage and the floor of each path; return 1 if any is below its floor."""
    floors = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hubbub"]["coverage_floors"]
    coverage = measured(floors)
    for path, floor in floors.items():
        sys.stdout.write(f"coverage of {path:<18} {coverage[path]:6.2f} %   floor {floor:g} %\n")
    low = below(coverage, floors)
    if low:
        sys.stdout.write(f"below the floor: {', '.join(low)}; see: .venv/bin/coverage report --show-missing\n")
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())
