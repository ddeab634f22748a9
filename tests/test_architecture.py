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


def broken_contracts(root: Path) -> dict[str, str]:
    """Return the import contracts of pyproject.toml that the packages under ``root`` break: id to what breaks it."""
    report = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), ROOT / "pyproject.toml", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = {contract["id"]: re.escape(contract["name"]) for contract in contracts}
    assert all(re.search(rf"^{name} (KEPT|BROKEN)", report, re.MULTILINE) for name in names.values()), report
    sections = {id_: re.search(rf"(?ms)^{name}\n-+\n(.*?)(?=^-+$|\Z)", report) for id_, name in names.items()}
    return {id_: section[1] for id_, section in sections.items() if section}


def test_no_import_breaks_a_contract() -> None:
    assert broken_contracts(ROOT) == {}


def test_the_command_line_loads_no_platform_client_stream_processor_or_web_server() -> None:
    """Else every ``hubbub`` command and every role would wait seconds for what one of them needs."""
    heavy = ("praw", "faust", "aiohttp", "numpy")
    code = f"import hubbub.cli, sys; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_no_file_is_too_long() -> None:
    assert long_files(ROOT) == []


def test_every_module_has_a_docstring() -> None:
    assert undocumented_modules(ROOT) == []


PLANTED = [
    ("one-way", "ingest/planted_up.py", "def f():\n    import hubbub.clock"),
    ("one-way", "scoring/planted_floor.py", "from transport import topics"),
    ("ingest-without-scoring", "ingest/planted_scoring.py", "from scoring import compose"),
    ("streams-know-signals-alone", "streams/planted_metrics.py", "from ingest import metrics"),
    ("pure", "scoring/planted_asyncio.py", "import asyncio"),
    ("pure", "streams/resolve/matching/planted_floor.py", "from transport import topics"),
    ("one-kafka-floor", "scoring/planted_kafka.py", "from aiokafka import TopicPartition"),
    ("platforms-apart", "ingest/platforms/reddit/planted_platform.py", "from ..hackernews import convert"),
    (
        "simulated-platforms-apart",
        "hubbub/world/platforms/reddit/planted_platform.py",
        "import hubbub.world.platforms.hackernews.server",
    ),
    ("roles-apart", "streams/serve/planted_role.py", "from streams.score import state"),
    ("no-circles", "ingest/memory/planted_circle.py", "import ingest.platforms.reddit.config"),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the contracts that are broken in a copy of the packages with every planted import."""
    root = tmp_path_factory.mktemp("planted")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "[!_]*.js"))
    _plant(root, {file: statement for _, file, statement in PLANTED})
    return broken_contracts(root)


@pytest.mark.parametrize(("contract", "file"), [(contract, file) for contract, file, _ in PLANTED])
def test_each_contract_catches_a_planted_import(planted: dict[str, str], contract: str, file: str) -> None:
    module = file.removesuffix(".py").replace("/", ".")
    shown = ".memory -> .platforms" if contract == "no-circles" else module  # a circle is reported by its folders
    assert shown in planted[contract]


def test_a_long_file_and_a_module_without_docstring_are_found(tmp_path: Path) -> None:
    _plant(tmp_path, {"hubbub/long.py": '"""Long."""\n' + "x = 1\n" * MAX_LINES, "hubbub/silent.py": "x = 1\n"})
    assert long_files(tmp_path) == [f"hubbub/long.py: {MAX_LINES + 1}"]
    assert undocumented_modules(tmp_path) == ["hubbub/silent.py"]


def _plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
