"""Reading GDELT file by file, from the cursor up to the newest.

Owns which file is next, how far an outage is caught up on, and when a file is given up. Must never know its columns.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from ingest.batch import Cursor, Signals
from ingest.collector import CollectorContext
from ingest.http import Page, PageClient
from ingest.platforms.gdelt.config import GdeltConfig
from ingest.platforms.gdelt.convert import PLATFORM
from ingest.platforms.gdelt.files import INTERVAL, UnpackError, file_name, file_time, newest_file, pages_in
from ingest.platforms.gdelt.selection import selected
from transport.errors import NeverRetryError, RetryLaterError

log = structlog.get_logger(__name__, collector=PLATFORM)

MAX_FILE_BYTES: Final = 25_165_824
"""Largest file, packed. They have some 5 MB."""
MAX_AHEAD: Final = timedelta(hours=1)
"""A newest file further in the future is a false answer, after which the collector would wait until then."""


class _Cursor(msgspec.Struct):
    """``next_file``: the digits of its name; None before the first poll."""

    next_file: str | None = None


class FileSource:
    """The files, oldest first. ``has_more``: another poll has something at once."""

    def __init__(self, config: GdeltConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._next = file_time(saved.next_file) if saved.next_file else None
        self._tries = 0
        self._config = config
        self._context = context
        self._folder = f"{str(config.files_url).rstrip('/')}/gdeltv2/"
        self._pages = PageClient(config, context, [self._folder], max_body_bytes=MAX_FILE_BYTES)
        self.has_more = False

    def cursor(self) -> Cursor:
        """Return which file is next."""
        return msgspec.json.encode(_Cursor(f"{self._next:%Y%m%d%H%M%S}" if self._next else None))

    async def poll(self) -> Signals:
        """Read the next file that has any page; empty files are passed on the way.

        Raises:
            CollectError: a file cannot be had now.
        """
        newest = await self._newest()
        reach = INTERVAL * (self._config.backfill_files if self._next is None else self._config.catch_up_max_files)
        first = newest + INTERVAL - reach
        if self._next is not None and self._next < first:
            self._next, self._tries = first, 0
            self.has_more = True
            return Signals(gaps=1)
        time = first if self._next is None else self._next
        while time <= newest:
            signals = await self._read(time)
            # Nothing may fail from here on: the state would be ahead of the signals.
            time = self._next = time + INTERVAL
            self._tries = 0
            if signals.read or signals.gaps:
                self.has_more = time <= newest
                return signals
        self.has_more = False
        return Signals()

    async def close(self) -> None:
        """Close the connections."""
        await self._pages.close()

    async def _newest(self) -> datetime:
        listing = f"lastupdate{'-translation' if self._config.translated else ''}.txt"
        try:
            newest = newest_file((await self._fetch(listing)).body)
        except NeverRetryError as error:  # without it there is nothing to go on with
            raise RetryLaterError(str(error)) from error
        if newest > datetime.fromtimestamp(self._context.now_ms() / 1000, UTC) + MAX_AHEAD:
            raise RetryLaterError(f"{listing} names a file of the future, {newest}; is this machine's clock right?")
        return newest

    async def _read(self, time: datetime) -> Signals:
        """Return what becomes of the pages of a file; after several tries without one, a gap.

        Raises:
            CollectError: the file is not there yet, or cannot be had now.
        """
        name = file_name(time, translated=self._config.translated)
        try:
            page = await self._fetch(name)
            found = await asyncio.to_thread(pages_in, page.body)
        except (NeverRetryError, UnpackError) as error:
            self._tries += 1
            if self._tries < self._config.file_max_tries:
                raise RetryLaterError(str(error)) from error
            log.warning("file skipped; its pages are missing", file=name, problem=str(error))
            return Signals(gaps=1)
        return await selected(found, page.witnessed_ms, self._context.relevance)

    async def _fetch(self, name: str) -> Page:
        page = await self._pages.fetch(self._folder + name)
        if page.status in {404, 410}:
            raise NeverRetryError(f"{name} answered with HTTP status {page.status}")
        if not 200 <= page.status < 300:
            raise RetryLaterError(f"{name} answered with HTTP status {page.status}; a redirect is not followed")
        return page
