"""What the YouTube collector saves: the videos it knows, and what it has spent.

Owns the form of the cursor, and the account of the quota. Must never know a request.
"""

from __future__ import annotations

from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from ingest.batch import Cursor
from ingest.memory.allowance import Allowance, BudgetLine, Spent, day
from ingest.platforms.youtube.config import YouTubeConfig
from ingest.platforms.youtube.videos import Video

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
"""The quota begins again at midnight there."""


class Saved(msgspec.Struct):
    """``seen``: videos of the feeds, oldest first. ``read``: channels whose feeds were read."""

    spent: Spent = Spent()
    seen: list[str] = []
    read: list[str] = []
    videos: list[Video] = []


def load(cursor: Cursor | None) -> Saved:
    """Return what was saved; nothing at the first start."""
    return Saved() if cursor is None else msgspec.json.decode(cursor, type=Saved)


def quota(config: YouTubeConfig, spent: Spent) -> Allowance:
    """Return the account of the day's units."""
    return Allowance(config.units_per_day, partial(day, zone=PACIFIC), spent)


def budget(config: YouTubeConfig, cursor: Cursor | None, now_ms: int) -> list[BudgetLine]:
    """Return what is spent of the quota, by the saved cursor."""
    return [quota(config, load(cursor).spent).line("units_per_day", now_ms)]
