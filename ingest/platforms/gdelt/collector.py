"""The GDELT collector: it reads the files as they appear, or searches.

Owns when to poll; what a poll gives is up to the source of the settings. Must never publish.
"""

from typing import Self

from ingest.batch import Batch, Cursor
from ingest.collector import CollectorContext
from ingest.memory.schedule import PollSchedule
from ingest.platforms.gdelt.config import GdeltConfig
from ingest.platforms.gdelt.file_source import FileSource
from ingest.platforms.gdelt.search_source import SearchSource


class GdeltCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: GdeltConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        self._source = (FileSource if config.source == "files" else SearchSource)(config, cursor, context)
        self._schedule = PollSchedule({"pages": config.poll_seconds}, context.clock, context.sleep)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        await self._schedule.next()
        signals = await self._source.poll()
        if self._source.has_more:
            self._schedule.hurry("pages")
        return Batch(signals, self._source.cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._source.close()

    @property
    def tracked_items(self) -> int:
        """None: GDELT keeps no counts."""
        return 0
