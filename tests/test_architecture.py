"""Rules for the code that a machine can check: imports, the length of files, and a docstring in each module.

Each rule is tested on a small tree with a planted violation.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("hubbub", "ingest", "streams", "scoring", "transport")
MAX_LINES = 400
CODE = {".py", ".js", ".css", ".html", ".sh"}
NOT_OURS = {"build", "dist", "htmlcov", "node_modules", "target", "__pycache__"}


def _sources(root: Path) -> Iterator[Path]:
    """Yield the source files, without hidden folders and generated ones."""
    for path in sorted(root.iterdir()):
        if path.name in NOT_OURS or path.name.startswith(".") or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in CODE or path.name == "Makefile":
            yield path


def long_files(root: Path) -> list[str]:
    """Return the files that are too long, with their length."""
    lengths = {source: len(source.read_text().splitlines()) for source in _sources(root)}
    return [f"{source.relative_to(root)}: {lines}" for source, lines in lengths.items() if lines > MAX_LINES]


def undocumented_modules(root: Path) -> list[str]:
    """Return the Python files without a docstring."""
    sources = (source for source in _sources(root) if source.suffix == ".py")
    return [
        str(source.relative_to(root))
        for source in sources
        if source.read_text().strip() and not ast.get_docstring(ast.parse(source.read_text()))
    ]


def broken_contracts(root: Path) -> set[str]:
    """Return the ids of the import contracts in pyproject.toml that the packages under ``root`` break."""
    report = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    results = {c["id"]: re.search(rf"^{re.escape(c['name'])} (KEPT|BROKEN)", report, re.MULTILINE) for c in contracts}
    assert all(results.values()), report
    return {id_ for id_, result in results.items() if result and result[1] == "BROKEN"}


def test_no_import_breaks_a_contract() -> None:
    assert broken_contracts(ROOT) == set()


def test_no_file_is_too_long() -> None:
    assert long_files(ROOT) == []


def test_every_module_has_a_docstring() -> None:
    assert undocumented_modules(ROOT) == []


@pytest.mark.parametrize(
    ("contract", "file", "statement"),
    [
        ("one-way", "ingest/planted.py", "def f():\n    import hubbub.clock"),
        ("one-way", "scoring/planted.py", "from transport import topics"),
        ("ingest-without-scoring", "ingest/planted.py", "from scoring import compose"),
        ("streams-know-signals-alone", "streams/planted.py", "from ingest import metrics"),
        ("pure", "scoring/planted.py", "import asyncio"),
        ("pure", "streams/resolve/matching/planted.py", "from transport import topics"),
        ("one-kafka-floor", "scoring/planted.py", "from aiokafka import TopicPartition"),
        ("platforms-apart", "ingest/platforms/reddit/planted.py", "from ..hackernews import convert"),
        (
            "simulated-platforms-apart",
            "hubbub/world/platforms/reddit/planted.py",
            "import hubbub.world.platforms.hackernews.server",
        ),
        ("roles-apart", "streams/serve/planted.py", "from streams.score import state"),
        ("no-circles", "ingest/memory/planted.py", "import ingest.platforms.reddit.config"),
    ],
)
def test_each_contract_catches_a_planted_import(tmp_path: Path, contract: str, file: str, statement: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "[!_]*.js"))
    (tmp_path / file).write_text(statement)
    assert contract in broken_contracts(tmp_path)


def test_a_long_file_and_a_module_without_docstring_are_found(tmp_path: Path) -> None:
    _plant(tmp_path, {"hubbub/long.py": '"""Long."""\n' + "x = 1\n" * MAX_LINES, "hubbub/silent.py": "x = 1\n"})
    assert long_files(tmp_path) == [f"hubbub/long.py: {MAX_LINES + 1}"]
    assert undocumented_modules(tmp_path) == ["hubbub/silent.py"]


def _plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
