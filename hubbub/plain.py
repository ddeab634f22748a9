"""Strangers' words on a terminal.

Owns what of them is shown. Must never know where they are shown, nor load anything: every command may need it.
"""

from __future__ import annotations

import unicodedata

__all__ = ["plain"]


def plain(text: str) -> str:
    """Return ``text`` without what would move the cursor, turn the line around or hide characters."""
    return "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"})
