"""The house rules that a machine can hold: who may import whom, how long a file may be, and that it says what it is.

Each rule is shown to bite on a small tree with the fault planted.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("hubbub", "ingest", "streams", "scoring")
MAY_IMPORT = {
    "hubbub": ("hubbub", "ingest", "streams"),
    "streams": ("streams", "scoring", "ingest.signal"),
    "ingest": ("ingest",),
    "scoring": ("scoring",),
}
MAX_LINES = 400
CODE = {".py", ".js", ".css", ".html", ".sh"}
NOT_OURS = {"build", "dist", "htmlcov", "node_modules", "target", "__pycache__"}


def _sources(root: Path) -> Iterator[Path]:
    """Yield the code that somebody wrote, without hidden folders and what tools made."""
    for path in sorted(root.iterdir()):
        if path.name in NOT_OURS or path.name.startswith(".") or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in CODE or path.name == "Makefile":
            yield path


def _imports(source: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of everything ``source`` imports, wherever in the file it does."""
    package = source.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module) if node.module else base)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _is_within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def forbidden_imports(root: Path) -> list[str]:
    """Return every import under ``root`` that the rules forbid, as ``file:line imports name``."""
    platforms = tuple(f"ingest.{init.parent.name}" for init in root.glob("ingest/*/__init__.py"))
    faults = []
    for package in PACKAGES:
        for source in sorted((root / package).rglob("*.py")):
            here = ".".join(source.relative_to(root).with_suffix("").parts)
            others = tuple(platform for platform in platforms if not _is_within(here, (platform,)))
            is_platform = len(others) < len(platforms)
            for line, name in _imports(source, root):
                ours = _is_within(name, PACKAGES)
                if (ours and not _is_within(name, MAY_IMPORT[package])) or (is_platform and _is_within(name, others)):
                    faults.append(f"{source.relative_to(root)}:{line} imports {name}")
    return faults


def long_files(root: Path) -> list[str]:
    """Return the files longer than the limit, with their length."""
    lengths = {source: len(source.read_text().splitlines()) for source in _sources(root)}
    return [f"{source.relative_to(root)}: {lines}" for source, lines in lengths.items() if lines > MAX_LINES]


def silent_modules(root: Path) -> list[str]:
    """Return the Python files that do not begin by saying what they are."""
    sources = (source for source in _sources(root) if source.suffix == ".py")
    return [
        str(source.relative_to(root))
        for source in sources
        if source.read_text().strip() and not ast.get_docstring(ast.parse(source.read_text()))
    ]


def test_imports_run_one_way() -> None:
    assert forbidden_imports(ROOT) == []


def test_no_file_is_longer_than_a_reader_has_patience_for() -> None:
    assert long_files(ROOT) == []


def test_every_module_says_what_it_is() -> None:
    assert silent_modules(ROOT) == []


@pytest.mark.parametrize(
    ("file", "statement", "fault"),
    [
        ("scoring/decay.py", "import ingest.signal", "scoring/decay.py:1 imports ingest.signal"),
        ("scoring/decay.py", "from streams import topics", "scoring/decay.py:1 imports streams.topics"),
        ("ingest/loop.py", "from scoring import compose", "ingest/loop.py:1 imports scoring.compose"),
        ("ingest/loop.py", "def f():\n    import hubbub.clock", "ingest/loop.py:2 imports hubbub.clock"),
        ("streams/window.py", "from ingest.metrics import GAPS", "streams/window.py:1 imports ingest.metrics.GAPS"),
        ("streams/window.py", "from ingest import metrics", "streams/window.py:1 imports ingest.metrics"),
        ("streams/window.py", "import ingest", "streams/window.py:1 imports ingest"),
        ("streams/window.py", "import hubbub", "streams/window.py:1 imports hubbub"),
        ("hubbub/demo.py", "import scoring", "hubbub/demo.py:1 imports scoring"),
        ("ingest/reddit/client.py", "import ingest.lemmy", "ingest/reddit/client.py:1 imports ingest.lemmy"),
        ("ingest/reddit/client.py", "from ..lemmy import x", "ingest/reddit/client.py:1 imports ingest.lemmy.x"),
        ("ingest/lemmy/client.py", "from ingest import reddit", "ingest/lemmy/client.py:1 imports ingest.reddit"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, statement: str, fault: str) -> None:
    _plant(tmp_path, {file: statement})
    assert forbidden_imports(tmp_path) == [fault]


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("hubbub/demo.py", "import ingest.reddit, streams.topics, hubbub.clock, asyncio"),
        ("streams/window.py", "from ingest.signal import Signal\nfrom ingest import signal\nimport scoring.decay"),
        ("ingest/reddit/client.py", "from ingest.loop import run\nfrom . import config\nfrom .convert import convert"),
        ("ingest/registry.py", "from ingest import lemmy, reddit"),
        ("scoring/decay.py", "import math\nfrom scoring.bands import band"),
    ],
)
def test_what_the_rules_allow_is_not_found(tmp_path: Path, file: str, statement: str) -> None:
    _plant(tmp_path, {file: statement})
    assert forbidden_imports(tmp_path) == []


def test_a_long_file_and_a_silent_module_are_found(tmp_path: Path) -> None:
    _plant(tmp_path, {"hubbub/long.py": '"""Long."""\n' + "x = 1\n" * MAX_LINES, "hubbub/silent.py": "x = 1\n"})
    assert long_files(tmp_path) == [f"hubbub/long.py: {MAX_LINES + 1}"]
    assert silent_modules(tmp_path) == ["hubbub/silent.py"]


def _plant(root: Path, files: dict[str, str]) -> None:
    for platform in ("reddit", "lemmy"):
        (root / "ingest" / platform).mkdir(parents=True)
        (root / "ingest" / platform / "__init__.py").write_text("")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
