"""The documentation agrees with the code: links, commands, generated tables, files, settings, log lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from hubbub.cli import app
from ingest.signal import decode
from tests.docs.tables import PREFIX, ROOT, TABLES, metrics, pages, render, settings

TEXT = {"", ".css", ".html", ".js", ".json", ".lock", ".md", ".py", ".sh", ".svg", ".toml", ".xml", ".yaml", ".yml"}
CODE = ("hubbub", "ingest", "scoring", "streams", "transport")
NOT_OURS = {"build", "dist", "htmlcov", "node_modules", "target", "__pycache__"}
OURS_THOUGH_HIDDEN = {".ci", ".gitignore", ".github", ".dockerignore"}

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(?:console|bash|sh|shell)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`((?:make|hubbub) [^`\n]+)`")
NAMED_FILE = re.compile(r"`((?:hubbub|ingest|streams|scoring|transport|deploy|tests|benchmarks)/[\w/]+\.[a-z]+)`")
VARIABLE = re.compile(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b")

# Written in two parts, so that this file does not contain the names it rejects.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "repo1" + ".maven", "repo.maven" + ".apache")
PRIVATE = re.compile(
    r"(?<![\w.~$/}])/(?:" + "|".join(("root", "home/\\w", "work", "Users/\\w")) + r")/" + f"|{'|'.join(REGISTRIES)}"
)


def _tree(folder: Path = ROOT) -> Iterator[Path]:
    """Yield the text files of the project, without generated ones."""
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.name.startswith(".") and path.name not in OURS_THOUGH_HIDDEN:
            continue
        if path.is_dir():
            yield from _tree(path)
        elif path.suffix in TEXT:
            yield path


def _commands(page: str) -> Iterator[list[str]]:
    """Yield every command a page tells the reader to type, as words."""
    shown = [line for block in BLOCK.findall(page) for line in block.replace("\\\n", " ").splitlines()]
    prompts = any(line.startswith("$ ") for line in shown)
    lines = [line.removeprefix("$ ") for line in shown if line.startswith("$ ") or not prompts]
    for line in [*lines, *INLINE.findall(page)]:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        command: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&"):
                if command:
                    yield command
                command = []
            elif command or not re.fullmatch(r"\w+=.*", word):  # settings before a command are not the command
                command.append(word)


def _anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def wrong_links(page: Path) -> list[str]:
    """Return the relative links of ``page`` that lead nowhere."""
    wrong = []
    for found in LINK.finditer(page.read_text()):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target) if target else page
        if not file.exists() or (anchor and anchor not in _anchors(file.read_text())):
            wrong.append(link)
    return wrong


def wrong_commands(page: str, makefile: str) -> list[str]:
    """Return the commands of ``page`` that do not exist, or have unknown options."""
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    wrong = []
    for command in _commands(page):
        program, *words = command
        if program == "make":
            named = [word for word in words if "=" not in word and not word.startswith("-")]
            wrong += [" ".join(command) for word in named if word not in targets]
        elif Path(program).name == "hubbub":
            fault = _fault(words)
            wrong += [f"{' '.join(command)}: {fault}"] if fault else []
    return wrong


def _fault(words: list[str]) -> str | None:
    """Return the unknown command or option in ``words``. Arguments and values are not checked."""
    command = typer.main.get_command(app)
    while (inner := getattr(command, "commands", None)) and words and not words[0].startswith("-"):
        name, *words = words
        if name not in inner:
            return f"there is no {name}"
        command = inner[name]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known = options | {"--help", "-h"}
    return next((word for word in words if word.startswith("--") and word.partition("=")[0] not in known), None)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert wrong_links(page) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    assert wrong_commands(page.read_text(), (ROOT / "Makefile").read_text()) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_generated_parts_are_up_to_date(page: Path) -> None:
    assert page.read_text() == render(page.read_text()), "run: make docs"


def test_files_that_are_named_exist() -> None:
    wrong = [
        f"{page.relative_to(ROOT)}: {path}"
        for page in pages()
        for path in NAMED_FILE.findall(page.read_text())
        if not (ROOT / path).exists()
    ]
    assert wrong == []


def test_every_generated_part_is_on_a_page() -> None:
    everything = "".join(page.read_text() for page in pages())
    assert [table for table in TABLES if f"<!-- table: {table} -->" not in everything] == []


def test_every_row_of_a_generated_table_has_a_description() -> None:
    rows = [(name, row) for name, make in TABLES.items() for row in make().splitlines()]
    assert [f"{name}: {row}" for name, row in rows if re.search(r"\|\s*\|$", row)] == []


def test_the_signals_of_the_tutorial_are_valid() -> None:
    page = (ROOT / "docs" / "tutorial" / "first-story.md").read_text()
    signals = [decode(line.encode()) for line in re.findall(r'^\{"v":1.*$', page, re.MULTILINE)]
    assert [signal.thread for signal in signals] == ["reddit:t3_a1", "hackernews:42", "reddit:t3_a1"]


def _symptoms() -> list[str]:
    """Return the sections of the runbook, one for each symptom."""
    return (ROOT / "docs" / "runbook.md").read_text().split("\n### ")[1:]


def test_each_symptom_has_a_sign_a_meaning_and_numbered_steps() -> None:
    parts = ("\n\n**Shows as** ", "\n\n**Means** ", "\n\n1. ")
    assert [symptom.partition("\n")[0] for symptom in _symptoms() if not all(part in symptom for part in parts)] == []


def test_the_runbook_quotes_metrics_and_log_lines_of_the_code() -> None:
    code = "".join(path.read_text() for package in CODE for path in (ROOT / package).rglob("*.py"))
    texts = re.sub(r'"\s*f?"', "", code)  # joins texts that span several lines
    signs = "".join(symptom.partition("**Shows as** ")[2].partition("\n\n")[0] for symptom in _symptoms())
    quoted = re.findall("`([^`]+)`", signs)
    assert len(quoted) > 40
    known = {metric._name + ("_total" if metric._type == "counter" else "") for metric in metrics()}
    shown = [quote.partition("{")[0] for quote in quoted if quote.startswith("hubbub_")]
    assert [metric for metric in shown if metric not in known] == []
    lines = [quote for quote in quoted if not quote.startswith(("hubbub_", "Timeout ("))]  # Python's own line
    parts = [part.strip() for line in lines for part in re.split("…|60 s|, partition", line)]
    assert [part for part in parts if part not in texts] == []


def test_settings_that_are_named_in_the_tree_exist() -> None:
    variables = {variable: definition for variable, definition, _ in settings()}
    known = variables.keys() | {f"{name}_FILE" for name, one in variables.items() if "SecretStr" in str(one.annotation)}
    sections = {
        "__".join(parts[:end]) for parts in (name.split("__") for name in known) for end in range(1, len(parts))
    }
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in _tree()
        if path.relative_to(ROOT).parts[0] != "tests"
        for name in VARIABLE.findall(path.read_text())
        if not {name, name.removesuffix("_FILE")} & (known | sections)  # a file may hold a secret
    ]
    assert wrong == []


def test_nothing_in_the_tree_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}" for path in _tree() for match in PRIVATE.finditer(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```console\n$ make demo\nmake nonsense is printed\n```", []),
        ("```console\n$ make nonsense\n```", ["make nonsense"]),
        ("```sh\nFOO=1 make test ARGS=-x && hubbub scores --top 3 | head\n```", []),
        ("Try `hubbub scroes`.", ["hubbub scroes: there is no scroes"]),
        ("```sh\n.venv/bin/hubbub topics create --force\n```", [".venv/bin/hubbub topics create --force: --force"]),
        ("```python\nmake = 1\n```", []),
    ],
)
def test_a_planted_command_is_found(page: str, wrong: list[str]) -> None:
    assert wrong_commands(page, "demo: setup\ntest:\n") == wrong


def test_a_planted_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# There, now\n")
    page = tmp_path / "a.md"
    page.write_text("[x](b.md) [y](b.md#there-now) [z](https://example.org/q) [p](c.md) ![q](d.svg) [r](b.md#gone)")
    assert wrong_links(page) == ["c.md", "d.svg", "b.md#gone"]


@pytest.mark.parametrize("text", ["see /ro" + "ot/x", "at /wo" + "rk/main", "index https://py" + "pi.org/simple"])
def test_a_planted_path_or_registry_is_found(text: str) -> None:
    assert PRIVATE.search(text)
    assert not PRIVATE.search("https://example.org/home/page and ../work/x and a/root/b")
