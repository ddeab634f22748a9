"""The page on scoring agrees with the code."""

from __future__ import annotations

from scoring.ledger import MAX_FIGURES, MAX_ITEMS, MAX_PLATFORMS
from tests.docs.tables import ROOT


def test_the_caps_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "explanation" / "scoring.md").read_text()
    assert f"keeps {MAX_ITEMS} items" in text
    assert f"Figures past {MAX_FIGURES} and platforms past {MAX_PLATFORMS}" in text
