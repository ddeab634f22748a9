"""The Mastodon collector: several instances side by side. None holds up another.

Owns the cursor, which has a place for each instance, and what happens when some instances fail. Must never know HTTP,
nor publish.

Each instance has one poll under way. Its place goes into the cursor together with its signals, not before: while they
wait here for their turn, the cursor is behind them.
"""

import asyncio
import random
from typing import Self

import msgspec
import structlog

from ingest.batch import Batch, Cursor
from ingest.collector import CollectorContext
from ingest.errors import COLLECT_ERRORS, CollectError
from ingest.platforms.mastodon.config import MastodonConfig
from ingest.platforms.mastodon.identity import PLATFORM
from ingest.platforms.mastodon.known import KnownStatuses
from ingest.platforms.mastodon.reader import InstanceReader, Place, Read
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.retry import Backoff

log = structlog.get_logger(__name__, collector=PLATFORM)


class _Cursor(msgspec.Struct):
    """By host."""

    instances: dict[str, Place] = {}


class MastodonCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: MastodonConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._sleep = context.sleep
        self._places = {host: place for host, place in saved.instances.items() if host in config.instances}
        known = KnownStatuses()
        self._readers = {
            host: InstanceReader(host, instance, self._places.get(host), config=config, context=context, known=known)
            for host, instance in config.instances.items()
        }
        self._backoffs = {
            host: Backoff(1.0, config.retry_max_seconds, random.Random(f"mastodon:{host}")) for host in self._readers
        }
        self._polls: dict[str, asyncio.Task[Read]] = {}
        self._failures: dict[str, CollectError] = {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            for host in [host for host in self._readers if host not in self._polls]:
                self._polls[host] = asyncio.create_task(self._poll(host))
            await asyncio.wait(self._polls.values(), return_when=asyncio.FIRST_COMPLETED)
            # A poll that was begun longer ago comes first, so that each has its turn.
            host = next(host for host, poll in self._polls.items() if poll.done())
            try:
                read = self._polls.pop(host).result()
            except COLLECT_ERRORS as error:
                self._failed(host, error)
                continue
            self._worked(host)
            self._places[host] = read.place
            return Batch(read.signals, msgspec.json.encode(_Cursor(self._places)))

    async def aclose(self) -> None:
        """End the polls that are under way, and close the connections."""
        for poll in self._polls.values():
            poll.cancel()
        await asyncio.gather(*self._polls.values(), return_exceptions=True)
        for reader in self._readers.values():
            await reader.aclose()

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return sum(reader.tracked_items for reader in self._readers.values())

    async def _poll(self, host: str) -> Read:
        """Return what the instance gives next; first wait, if it failed while others worked."""
        if (error := self._failures.get(host)) is not None and len(self._failures) < len(self._readers):
            seconds = self._backoffs[host].next_seconds()
            if isinstance(error, SlowDownError) and error.after_seconds is not None:
                seconds = error.after_seconds
            await self._sleep(seconds)
        return await self._readers[host].next()

    def _worked(self, host: str) -> None:
        self._backoffs[host].reset()
        if self._failures.pop(host, None) is not None and self._failures:
            log.info("an instance can be read again", instance=host)

    def _failed(self, host: str, error: CollectError) -> None:
        """Go on with the other instances, and report the failure once.

        Raises:
            CollectError: no instance can be read. Only if none of them may come back by itself, a UserError.
        """
        is_new = type(self._failures.get(host)) is not type(error)
        self._failures[host] = error
        if len(self._failures) == len(self._readers):
            if isinstance(error, UserError) and not all(isinstance(e, UserError) for e in self._failures.values()):
                raise RetryLaterError(str(error)) from error
            raise error
        if is_new:
            log.warning("an instance cannot be read", instance=host, problem=str(error))
