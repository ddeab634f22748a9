"""docs/explanation/scoring.md says what the code says."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scoring import DEFAULT
from scoring.ledger import MAX_FIGURES, MAX_ITEMS, MAX_PLATFORMS

TEXT = (Path(__file__).parents[2] / "docs" / "explanation" / "scoring.md").read_text(encoding="utf-8")


def settings_table() -> list[str]:
    return [f"| `{name}` | {shown(value)} |" for name, value in msgspec.to_builtins(DEFAULT).items()]


def shown(value: float | dict[str, float]) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {number:.10g}" for key, number in value.items())
    return f"{value:.10g}"


def test_every_setting_is_listed_with_its_default() -> None:
    listed = TEXT.split("## Settings\n", 1)[1].strip().splitlines()
    assert listed == ["| setting | default |", "|---|---|", *settings_table()]


def test_the_caps_are_those_of_the_code() -> None:
    assert f"keeps {MAX_ITEMS} items" in TEXT
    assert f"Figures past {MAX_FIGURES} and platforms past {MAX_PLATFORMS}" in TEXT


def test_every_file_named_is_there() -> None:
    folder = Path(__file__).parents[2] / "scoring"
    for row in TEXT.split("## Map\n", 1)[1].split("\n## ", 1)[0].splitlines()[3:]:
        for name in row.split("|")[1].split():
            assert (folder / name.strip("`")).exists(), name
