"""Headlines with their labels: impact 0 to 100, category, then the text or the id of a recorded signal."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
RECORDINGS = (
    "recordings/ai-beat",
    "recordings/hacker-news-scores",
    "recordings/reddit-front-page",
    "labelled/news-stories",
)


class Headline(NamedTuple):
    """A headline and what a reader says of it."""

    impact: float
    category: str
    text: str


def labelled(name: str, titles: dict[str, str] | None = None) -> list[Headline]:
    """Return the headlines of the file ``name``. ``titles``: those of recorded signals, if it holds ids."""
    rows = [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    return [Headline(float(impact), category, titles[text] if titles else text) for impact, category, text in rows]


def recorded_titles(shared: Path) -> dict[str, str]:
    """Return the first title of each recorded signal, by its id."""
    found: dict[str, str] = {}
    for name in RECORDINGS:
        with gzip.open(shared / f"{name}.ndjson.gz") as lines:
            for signal in map(json.loads, lines):
                if signal["title"]:
                    found.setdefault(signal["id"], signal["title"])
    return found
