"""docs/reference/platforms has a page for each platform, and its tables of fields agree with the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import dropwhile, islice, takewhile
from pathlib import Path

import msgspec
import pytest

from ingest.registry import PLATFORMS
from ingest.signal import Author, Community, Counts, Signal
from tests.docs.tables import ROOT

PAGES = ROOT / "docs" / "reference" / "platforms"
PARTS: dict[str, type[msgspec.Struct]] = {"author": Author, "community": Community, "counts": Counts}
SECTIONS = (
    "Options",
    "How it is collected",
    "Fields",
    "Ignored items and dead letters",
    "Identity and time",
    "Deletions",
    "Known traps",
    "What is missed",
)


def fields() -> Iterator[str]:
    """Yield each field of a signal that says something of an item, in its order; those of a part with its name."""
    for field in msgspec.structs.fields(Signal):
        if (part := PARTS.get(field.name)) is not None:
            yield from (f"{field.name}.{inner.name}" for inner in msgspec.structs.fields(part))
        elif field.name not in {"v", "platform"}:
            yield field.name


def mapping(page: str) -> dict[str, list[str]]:
    """Return the table below the heading "Fields": the platform's fields by the signal's."""
    below = page.partition("\n## Fields\n")[2].splitlines()
    table = takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), below))
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in islice(table, 2, None)]
    return {row[0].strip("`"): row[1:] for row in rows}


def written(folder: Path) -> set[str]:
    """Return the fields of a signal that the code in ``folder`` writes."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            names = {word.arg for word in node.keywords if word.arg is not None}
            if node.func.id == "Signal":
                found |= names - PARTS.keys()
            elif node.func.id == "taken_back":
                found.add("deleted")
            elif (part := node.func.id.lower()) in PARTS:
                found |= {f"{part}.{name}" for name in names}
    return found - {"platform"}


def test_each_platform_has_a_page_and_no_other_has_one() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(PLATFORMS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_page_has_its_generated_head_and_all_sections(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text()
    assert page.startswith(f"# {PLATFORMS[name].display_name}\n")
    assert f"<!-- table: platform_{name} -->" in page
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_page_says_of_every_field_what_it_is_made_of(name: str) -> None:
    assert list(mapping((PAGES / f"{name}.md").read_text())) == list(fields())


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_page_says_none_of_exactly_those_fields_that_the_code_leaves_out(name: str) -> None:
    filled = {field for field, cells in mapping((PAGES / f"{name}.md").read_text()).items() if set(cells) != {"none"}}
    assert filled == (written(ROOT / "ingest" / "platforms" / name) or set(fields()))
