"""What the X collector saves: until when it has read, what it tracks, and what it has spent.

Owns the form of the cursor. Must never know a request.
"""

from __future__ import annotations

import msgspec

from ingest.batch import Cursor
from ingest.memory.allowance import BudgetLine
from ingest.platforms.x.budget import Budget, Spending
from ingest.platforms.x.config import XConfig


class Saved(msgspec.Struct):
    """``read_ms``: everything up to then was read; None before that. ``watched``: tracked posts, and when created."""

    read_ms: int | None = None
    spent: Spending = Spending()
    watched: list[tuple[str, int]] = []


def load(cursor: Cursor | None) -> Saved:
    """Return what was saved; nothing at the first start."""
    return Saved() if cursor is None else msgspec.json.decode(cursor, type=Saved)


def budget(config: XConfig, cursor: Cursor | None, now_ms: int) -> list[BudgetLine]:
    """Return what is spent of the budget, by the saved cursor."""
    return list(Budget(config, load(cursor).spent).lines(now_ms))
