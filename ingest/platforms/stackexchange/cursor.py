"""The cursor of the Stack Exchange collector, and what it says of the daily requests.

Owns its form. Must never know how it is used, nor load an HTTP client: ``hubbub doctor`` reads it too.
"""

import msgspec

from ingest.batch import Cursor
from ingest.memory.allowance import BudgetLine
from ingest.platforms.stackexchange.config import StackExchangeConfig
from ingest.platforms.stackexchange.daily_requests import DailyRequests

OPTION = "requests_per_day"


class SavedSite(msgspec.Struct, frozen=True):
    """A site. ``active_s``: the latest activity that was read. ``tracked``: numbers of questions, with creation."""

    active_s: int = 0
    tracked: dict[int, int] = {}


class SavedCursor(msgspec.Struct):
    """``requests``: sent in the last 24 hours, by hour. ``filter``: the id of the one that was created."""

    requests: dict[str, int] = {}
    filter: str | None = None
    sites: dict[str, SavedSite] = {}


def load(cursor: Cursor | None) -> SavedCursor:
    """Return what was saved; an empty one at the first start."""
    return SavedCursor() if cursor is None else msgspec.json.decode(cursor, type=SavedCursor)


def budget(config: StackExchangeConfig, cursor: Cursor | None, now_ms: int) -> list[BudgetLine]:
    """Return how many requests of the last 24 hours count, those included that are reserved for a crash."""
    requests = DailyRequests(config.requests_per_day, load(cursor).requests)
    return [BudgetLine(OPTION, requests.limit, requests.spent(now_ms))]
