"""Reads one instance: which poll is due, and what it asks for.

Owns the place in its timelines, the threads to read and the tracked posts of one instance. Must never know the other
instances, nor publish.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
import structlog

from ingest.batch import Signals, Unreadable
from ingest.collector import CollectorContext
from ingest.errors import COLLECT_ERRORS
from ingest.memory.schedule import PollSchedule
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.mastodon.admission import Admission
from ingest.platforms.mastodon.client import (
    PUBLIC,
    SINGLE_READS,
    GoneError,
    InstanceClient,
    RefusedError,
    Statuses,
    tag_timelines,
)
from ingest.platforms.mastodon.config import Instance, MastodonConfig
from ingest.platforms.mastodon.convert import local_id
from ingest.platforms.mastodon.identity import PLATFORM, created_at, local_id_at
from ingest.platforms.mastodon.known import KnownStatus, KnownStatuses
from ingest.platforms.mastodon.public_stream import Event, PublicStream
from ingest.platforms.mastodon.threads import ThreadQueue
from ingest.platforms.mastodon.timeline import Timeline
from ingest.signal import EARLIEST_MS, Counts
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError, UserError

REFUSED_SECONDS: Final = 600.0
"""How long to leave alone a timeline that is refused, while others are shown; and all threads, if one is refused."""
STREAM_RETRY_SECONDS: Final = 30.0
"""How long to poll the timeline before connecting again to a stream that broke."""
EMPTY_PAGES: Final = 3
"""After so many empty pages in a row a timeline is taken for one that the instance has disabled."""
CONFIRMED_DELETIONS: Final = 5
"""Most posts that are asked for once more in a poll, because the instance did not give them."""

log = structlog.get_logger(__name__, collector=PLATFORM)


class Place(msgspec.Struct):
    """How far an instance was read. ``read_to``: by timeline. ``waiting``: local ids of replies without a root yet.

    ``tracked``: local ids by signal id.
    """

    read_to: dict[str, int] = {}
    waiting: list[str] = []
    tracked: dict[str, str] = {}


class Read(NamedTuple):
    """What a poll gave, and the place after it."""

    signals: Signals
    place: Place


class InstanceReader:
    """Reads the instance ``host`` from ``place`` on."""

    def __init__(
        self,
        host: str,
        instance: Instance,
        place: Place | None,
        *,
        config: MastodonConfig,
        context: CollectorContext,
        known: KnownStatuses,
    ) -> None:
        self._host = host
        self._config = config
        self._context = context
        self._known = known
        self._client = InstanceClient(host, instance, config, context)
        late_ms = int(config.late_seconds * 1000)
        now_ms = context.now_ms()
        first = local_id_at(now_ms - int(config.backfill_hours * HOUR_MS))
        saved = place or Place()
        paths = [PUBLIC] * config.public_timeline + tag_timelines(config.tags)
        self._timelines = {path: Timeline(path, saved.read_to.get(path, first), late_ms) for path in paths}
        self._stream: PublicStream | None = None
        if instance.access_token is not None and config.public_timeline:
            self._stream = PublicStream(self._client, late_ms, context.now_ms)
        self._queue = ThreadQueue()
        max_tracked = max(1, config.watch_max_items // len(config.instances))
        self._tracked = TrackedItems(max_tracked, int(config.watch_hours * HOUR_MS))
        self._admission = Admission(host, known, self._queue, self._tracked, context.relevance)
        self._restore(saved.tracked, now_ms)
        self._unread = list(saved.waiting)
        self._not_before: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._compared_at = -math.inf
        self._gaps = 0
        every_seconds = {path: config.poll_seconds if path == PUBLIC else config.tags_poll_seconds for path in paths}
        every_seconds |= {
            "catch up": config.catch_up_seconds,
            "threads": config.threads_seconds,
            "reobserve": config.reobserve_seconds,
        }
        if self._stream is not None:
            every_seconds["stream"] = config.stream_seconds
        self._schedule = PollSchedule(every_seconds, context.clock, context.sleep)

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return len(self._tracked)

    async def next(self) -> Read:
        """Wait until a poll is due, and return what it gave.

        Raises:
            CollectError: the instance cannot be read now; the next call goes on where the last one ended.
        """
        while True:
            poll = await self._schedule.next()
            if self._context.clock() < self._not_before.get(poll, 0.0):
                continue
            match poll:
                case "stream" if self._stream is not None:
                    signals = await self._take_streamed(self._stream)
                case "catch up":
                    signals = await self._catch_up()
                case "threads":
                    signals = await self._read_thread()
                case "reobserve":
                    signals = await self._reobserve()
                case path:
                    signals = await self._newest(self._timelines[path])
            if signals is not None:  # else no request was made, so there is no success to report
                return Read(signals, self._place())

    async def aclose(self) -> None:
        """Close the connections."""
        if self._stream is not None:
            await self._stream.aclose()
        await self._client.close()

    def _place(self) -> Place:
        read_to = {path: timeline.read_to for path, timeline in self._timelines.items()}
        tracked = {status.id: status.local_id for status in map(self._ours, sorted(self._tracked.ids())) if status}
        return Place(read_to, [*self._unread, *self._queue.waiting()], tracked)

    def _restore(self, tracked: Mapping[str, str], now_ms: int) -> None:
        for id_, local in tracked.items():
            if self._known.get(id_) is None:
                created_ms = max(EARLIEST_MS, min(now_ms, created_at(int(local))))  # not all ids are times
                self._known.add(KnownStatus(id_, id_, "post", created_ms, Counts(), self._host, local))
            self._known.name(self._host, local, id_)
        self._tracked.restore(tracked, now_ms)

    def _ours(self, id_: str) -> KnownStatus | None:
        """Return a tracked post; None, and track it no longer, if another instance is asked for it."""
        status = self._known.get(id_)
        if status is not None and status.source == self._host:
            return status
        self._tracked.remove(id_)
        return None

    # Timelines

    async def _newest(self, timeline: Timeline) -> Signals | None:
        """Read the newest page, unless a reliable stream makes that unnecessary."""
        stream = self._stream if timeline.path == PUBLIC else None
        if stream is not None and stream.is_reliable(timeline.read_to):
            if self._context.clock() - self._compared_at < self._config.stream_check_seconds:
                return None
            self._compared_at = self._context.clock()
        try:
            page = await self._client.timeline(timeline.path)
        except RefusedError as error:
            self._without(timeline.path, error)
            return None
        now_ms, ids = self._context.now_ms(), _local_ids(page)
        if stream is not None and not stream.compare(ids):
            self._report_silence(stream)
        signals = self._admit(page)
        timeline.newest(ids, now_ms)
        if timeline.empty_pages < EMPTY_PAGES:
            self._problems.pop(timeline.path, None)
        elif len(self._timelines) > 1:
            self._not_before[timeline.path] = self._context.clock() + REFUSED_SECONDS
            self._report(timeline.path, f"{timeline.path} is empty; the instance seems to have disabled it")
        return signals

    async def _catch_up(self) -> Signals | None:
        """Read a page of a timeline that is behind."""
        timeline = next((timeline for timeline in self._timelines.values() if timeline.is_behind), None)
        if timeline is None:
            return None
        now_ms = self._context.now_ms()
        self._gaps += timeline.limit(now_ms - int(self._config.catch_up_hours * HOUR_MS))
        min_id, max_id = timeline.next_page(now_ms)
        page = await self._client.timeline(timeline.path, min_id=min_id, max_id=max_id)
        signals = self._admit(page)
        signals.gaps, self._gaps = self._gaps, 0
        timeline.caught_up(_local_ids(page), max_id)
        return signals

    def _admit(self, page: Statuses) -> Signals:
        """Return what becomes of a page, oldest first: a status goes before the answers to it."""
        return self._admission.statuses(sorted(page.items, key=_order), page.witnessed_ms)

    def _without(self, path: str, error: RefusedError) -> None:
        """Go on without a timeline that is refused.

        Raises:
            RefusedError: there is no other.
        """
        self._report(path, str(error))
        if all(path in self._problems for path in self._timelines):
            raise error
        self._not_before[path] = self._context.clock() + REFUSED_SECONDS

    # The stream

    async def _take_streamed(self, stream: PublicStream) -> Signals | None:
        """Return what was streamed. A stream that fails is left alone for a while: the timeline is polled instead."""
        timeline = self._timelines[PUBLIC]
        now_ms = self._context.now_ms()
        try:
            events = await stream.receive()
        except SlowDownError:
            raise
        except COLLECT_ERRORS as error:
            self._not_before["stream"] = self._context.clock() + STREAM_RETRY_SECONDS
            self._report("stream", f"the public timeline cannot be streamed and is polled instead: {error}")
            return None
        signals = Signals()
        signals.extend(map(self._happened, events))
        if stream.streams_no_posts:
            self._report_silence(stream)
        elif stream.is_reliable(timeline.read_to):
            self._problems.pop("stream", None)
            timeline.complete(now_ms)
        return signals if events else None

    def _happened(self, event: Event) -> Signals:
        match event.kind:
            case "status":
                return self._admission.statuses([event.data], event.witnessed_ms)
            case "deletion":
                return self._admission.deletion(self._known.at(self._host, str(event.data)), event.witnessed_ms)
            case _:
                return Signals(unreadable=[Unreadable.of(event.data, "not_json", "an event of the stream is not JSON")])

    # Threads and counts

    async def _read_thread(self) -> Signals | None:
        """Read the thread of a reply without a root, or of a post with new replies."""
        if self._unread:  # replies that waited before a restart
            ids = self._unread[:SINGLE_READS]
            page = await self._client.statuses(ids)
            self._unread = self._unread[len(ids) :]
            return self._admit(page)
        if (id_ := self._queue.next()) is None:
            return None
        try:
            thread = await self._client.thread(id_)
        except GoneError:
            return self._admission.no_thread(id_)
        except (NeverRetryError, UserError) as error:  # perhaps of all threads: one try must not follow the other
            self._not_before["threads"] = self._context.clock() + REFUSED_SECONDS
            self._report("threads", str(error))
            return self._admission.no_thread(id_)
        except RetryLaterError:
            if (signals := self._admission.no_thread(id_)) is None:
                raise
            return signals
        self._problems.pop("threads", None)
        return self._admission.thread(id_, thread)

    async def _reobserve(self) -> Signals | None:
        """Poll tracked posts again. A post that the instance does not give, asked for twice, was deleted."""
        max_items = self._config.reobserve_max_items if self._client.reads_batches else SINGLE_READS
        due = self._tracked.due(self._context.now_ms(), max_items)
        posts = {status.local_id: status for status in map(self._ours, due) if status}
        if not posts:
            return None
        page = await self._client.statuses(list(posts))
        shown = {id_: raw for raw in page.items if (id_ := local_id(raw)) in posts}
        for id_ in [id_ for id_ in posts if id_ not in shown][:CONFIRMED_DELETIONS]:
            status = await self._client.status(id_)
            shown[id_] = None if status is None else status.json
        witnessed_ms = self._context.now_ms()
        signals = Signals()
        for id_, raw in shown.items():
            if raw is None:
                signals.extend([self._admission.deletion(posts[id_], witnessed_ms)])
            else:
                signals.extend([self._admission.observed(posts[id_], raw, witnessed_ms)])
        return signals

    # What the operator must know

    def _report_silence(self, stream: PublicStream) -> None:
        advice = (
            f"streams no posts ({stream.deletions} deletions since it was connected); its timeline is polled instead"
        )
        self._report("stream", advice)

    def _report(self, about: str, problem: str) -> None:
        """Report what keeps a part of the instance from being read, once."""
        if about not in self._problems:
            log.warning("part of an instance cannot be read", instance=self._host, problem=problem)
        self._problems[about] = problem


def _local_ids(page: Statuses) -> list[int]:
    return [int(id_) for raw in page.items if (id_ := local_id(raw)) is not None]


def _order(raw: object) -> int:
    return int(local_id(raw) or 0)
