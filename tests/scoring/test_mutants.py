"""The tests detect faults: each deliberate fault in ``mutants/`` makes them fail.

A fault is a patch to a copy of the package. Its first line names the tests that should catch it, and those are run. A
patch that no longer applies also fails: create it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MUTANTS = sorted((HERE / "mutants").glob("*.patch"))

NO_RECORDINGS = '''"""The recordings are not copied, and failing examples need not be shrunk."""

import pytest
from hypothesis import Phase, settings

settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutants")


@pytest.fixture(scope="session")
def shared() -> None:
    pytest.skip("runs on a copy")
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of everything that the tests of scoring need, to put faults into."""
    ignore = shutil.ignore_patterns("__pycache__", "mutants", "test_mutants.py")
    for folder in ("scoring", "ingest", "tests/scoring"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "conftest.py").write_text(NO_RECORDINGS, encoding="utf-8")
    return tmp_path


def run_tests(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Run the fast tests of the files ``names`` on the copy, up to the first failure."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-seed=0"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"tests/scoring/{name}" for name in names)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def catcher(patch: Path) -> str:
    """Return the file of tests that the patch names."""
    return patch.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("Caught by ")


def test_there_are_enough() -> None:
    assert len(MUTANTS) >= 15


@pytest.mark.parametrize("patch", MUTANTS, ids=lambda patch: patch.stem)
def test_each_fault_still_applies(patch: Path) -> None:
    tried = ["git", "apply", "--check", str(patch)]
    done = subprocess.run(tried, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"create it again: {done.stderr}"
    assert (ROOT / "tests" / "scoring" / catcher(patch)).is_file()


@pytest.mark.mutation
@pytest.mark.slow
def test_the_copy_itself_passes(copy: Path) -> None:
    done = run_tests(copy, *{catcher(patch) for patch in MUTANTS})
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.mutation
@pytest.mark.slow
@pytest.mark.parametrize("patch", MUTANTS, ids=lambda patch: patch.stem)
def test_each_fault_is_caught(copy: Path, patch: Path) -> None:
    subprocess.run(["git", "apply", "--unsafe-paths", str(patch)], cwd=copy, check=True)
    done = run_tests(copy, catcher(patch))
    assert done.returncode == 1, f"not caught: {patch.stem}\n{done.stdout[-500:]}"
