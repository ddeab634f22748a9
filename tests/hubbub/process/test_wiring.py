"""What the front door makes from the settings for a role."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub.process.collect_role import relevance_to
from ingest.relevance import EVERYTHING
from ingest.signal import Signal
from streams.resolve.matching.beats import BeatError

FERRIES = """
name = "ferries"
keywords = ["ferry"]
accounts = ["harbour.example"]
"""


def post(title: str, **fields: object) -> Signal:
    made = {"id": "x:1", "kind": "post", "platform": "x", "thread": "x:1", "title": title}
    return Signal(**made, created_ms=1_704_210_000_000, observed_ms=1_704_210_000_000, **fields)  # type: ignore[arg-type]


def test_a_collector_is_asked_for_what_any_of_the_watched_beats_wants(tmp_path: Path) -> None:
    ferries = tmp_path / "ferries.toml"
    ferries.write_text(FERRIES)
    relevance = relevance_to(["ai", str(ferries)])
    wanted = [relevance.wants(post(title)) for title in ("The ferry is late", "A new language model", "A cat")]
    assert wanted == [True, True, False]
    assert {"harbour.example", "OpenAI"} <= set(relevance.accounts)


def test_the_default_beat_wants_everything() -> None:
    assert relevance_to(["general"]) is EVERYTHING
    assert relevance_to(["ai", "general"]).wants(post("A cat"))
    assert not relevance_to(["ai"]).everything


def test_a_beat_that_is_missing_is_the_operator_s_mistake() -> None:
    with pytest.raises(BeatError, match="gardening"):
        relevance_to(["gardening"])
