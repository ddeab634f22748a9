"""docs/how-to/write-a-collector.md works: its code, in a copy of the project, is a platform that keeps the contract."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "write-a-collector.md").read_text()
COPIED = ("hubbub", "ingest", "scoring", "streams", "transport", "tests", "deploy", "pyproject.toml", "README.md")
SUITE = tuple(f"tests/ingest/contract/test_{theme}_contract.py" for theme in ("wire", "order", "item"))
FOLDERS = ("ingest/platforms/lobsters/", "hubbub/world/platforms/lobsters/")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with the platform of the guide: its folders, and one line in the registry."""
    copy = tmp_path_factory.mktemp("project")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    files = re.findall(r'^```python title="([\w/.]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    assert len(files) == 5
    for path, code in files:
        assert path.startswith(FOLDERS)
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(code)
    ((before, added),) = re.findall(r"^```diff\n.*?^ ( *\S+)\n\+( *\S+)$", PAGE, re.MULTILINE | re.DOTALL)
    registry = copy / "ingest" / "registry.py"
    lines = registry.read_text().splitlines(keepends=True)
    lines.insert(lines.index(f"{before}\n") + 1, f"{added}\n")
    registry.write_text("".join(lines))
    return copy


def run(project: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_platform_is_known_everywhere(project: Path) -> None:
    listed = run(project, "hubbub", "collectors", "--json", HUBBUB_COLLECT__LOBSTERS__POLL_SECONDS="5")
    assert listed.returncode == 0, listed.stderr
    rows = {row["name"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert (rows["lobsters"]["display_name"], rows["lobsters"]["on"]) == ("Lobsters", True)
    wrong = run(project, "hubbub", "collectors", HUBBUB_COLLECT__LOBSTERS__POLL_SECONDS="0")
    assert "collect.lobsters.poll_seconds" in wrong.stderr


def test_the_code_is_clean(project: Path) -> None:
    for command in (("ruff", "check", *FOLDERS), ("ruff", "format", "--check", *FOLDERS)):
        checked = run(project, *command)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_platform_keeps_the_contract(project: Path) -> None:
    suite = run(project, "pytest", "-q", "-p", "no:cacheprovider", *SUITE, "-k", "lobsters")
    assert suite.returncode == 0, suite.stdout[-5_000:]
    assert re.search(r"^passed by all of them .*\bfuzzed convert\b", suite.stdout, re.MULTILINE | re.DOTALL)
