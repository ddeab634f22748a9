"""Budgets: what collectors have spent where requests cost money or a daily quota.

Owns how the saved cursor of a collector is asked for that. Must never know a platform, nor how it is shown.
"""

from collections.abc import Sequence

import msgspec

from hubbub.settings import Settings, SettingsError
from ingest.cursors import CursorRecord
from ingest.memory.allowance import BudgetLine
from ingest.registry import PLATFORMS


def budget_of(record: CursorRecord, settings: Settings, now_ms: int) -> Sequence[BudgetLine]:
    """Return the limits of a collector and what is spent of them, by its cursor; nothing if it has no budget.

    A collector that is not set up here, or whose cursor is damaged, has no budget to show.
    """
    spec = PLATFORMS.get(record.collector)
    if spec is None or spec.budget is None:
        return ()
    try:
        config = settings.collect.configs([record.collector])[record.collector]
        return spec.budget(config, bytes(record.cursor), now_ms)
    except (SettingsError, msgspec.MsgspecError):
        return ()
