"""From pages to signals: what a watched beat wants of them.

Owns the count of what is left out: GDELT sees thousands of pages in 15 minutes, few of them wanted. Must never fetch.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from ingest.batch import Ignored, Signals
from ingest.platforms.gdelt.convert import convert
from ingest.relevance import Relevance

PAGES_AT_A_TIME: Final = 50
"""Pages that are converted before other tasks get their turn."""


async def selected(pages: Iterable[object], witnessed_ms: int, relevance: Relevance) -> Signals:
    """Return what becomes of pages, each once: a signal if a beat wants it, else counted as irrelevant."""
    signals = Signals()
    ids: set[str] = set()
    for number, raw in enumerate(pages):
        if number % PAGES_AT_A_TIME == 0:
            await asyncio.sleep(0)
        became = convert(raw, witnessed_ms)
        if became.signals and became.signals[0].id in ids:
            continue
        ids.update(found.id for found in became.signals)
        if became.signals and not relevance.wants(became.signals[0]):
            signals.ignored[Ignored.IRRELEVANT] += 1
            continue
        signals.extend([became])
    return signals
