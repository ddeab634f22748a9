"""Hostile texts: what platforms really carry and what breaks readers.

Owns titles and texts meant to break readers that trust them (``words/hostile.json``: TOML cannot hold half a surrogate
pair). Reddit takes 300 characters in a title and 40 000 in a text.
"""

import json

from hubbub.world.words import text

HOSTILE: tuple[tuple[str, str], ...] = tuple(
    (row.get("title", "") * row.get("title_times", 1), row.get("text", "") * row.get("text_times", 1))
    for row in json.loads(text("hostile.json"))
)
"""Pairs of title and text. The one with half a surrogate pair is valid JSON on the wire, but not valid Unicode."""
