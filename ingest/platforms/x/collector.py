"""The X collector: what to ask, in which order, how far it has read, and what it has spent.

Owns the cursor: until when everything was read, the tracked posts, and the budget. Must never know HTTP, nor publish.

Whatever costs posts happens in two steps. The first yields an empty batch, whose cursor counts the posts as spent; the
loop saves it. The second asks. So a crash between the two cannot lose what was spent.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from math import inf
from typing import Final, Self

import aiohttp
import msgspec

from ingest import metrics
from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorContext
from ingest.errors import COLLECT_ERRORS
from ingest.fields import taken_back
from ingest.memory.schedule import PollSchedule
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.x.answers import Posts, posts_of_frame
from ingest.platforms.x.budget import Budget
from ingest.platforms.x.catch_up import MINUTE_MS, CatchUp
from ingest.platforms.x.client import LEAST_RESULTS, LOOKUP_IDS, MOST_RESULTS, XClient
from ingest.platforms.x.config import XConfig
from ingest.platforms.x.convert import PLATFORM, authors, convert, native_id, signal_id
from ingest.platforms.x.cursor import Saved, load
from ingest.platforms.x.rules import changes
from ingest.signal import Counts
from ingest.stream import Frame
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError
from transport.http import MAX_RETRY_AFTER_SECONDS, RequestError

STREAM_POSTS: Final = 50
"""Posts of the stream that are reserved at a time. A crash costs the budget at most so many."""


class _Known(msgspec.Struct, gc=False):
    """What is known of a tracked post, for the day that X no longer gives it."""

    created_ms: int
    counts: Counts = Counts()


STREAM_POSTS_AT_A_TIME: Final = 200
"""Posts of the stream in a batch: some 30 ms. More that came with them are in the next batches."""
DRAINED_POSTS: Final = 10_000
DRAIN_SECONDS: Final = 0.2
"""How long to read what is still in the connection before it is closed."""
MARGIN_FACTOR: Final = 2
"""The stream is closed when no more posts are left than this many times the most that came at once …"""
MARGIN_DIVISOR: Final = 4
"""… but at most this part of a day's posts, or else it could never open again."""


class XCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: XConfig, cursor: Cursor | None, context: CollectorContext) -> None:
        saved = load(cursor)
        self._config = config
        self._now_ms = context.now_ms
        self._client = XClient(config, context)
        self._budget = Budget(config, saved.spent)
        self._tracked = TrackedItems(config.watch_max_items, int(config.watch_hours * HOUR_MS))
        self._tracked.restore((signal_id(native) for native, _ in saved.watched), context.now_ms())
        self._known = {signal_id(native): _Known(created_ms) for native, created_ms in saved.watched}
        self._read_ms = saved.read_ms
        self._catch_up: CatchUp | None = None
        self._page_results = MOST_RESULTS
        polls = {"usage": config.usage_seconds, "reobserve": config.reobserve_seconds}
        # With the stream a search is due only after it was interrupted.
        polls |= {"search": inf, "stream": 0.0} if config.stream else {"search": config.search_seconds}
        self._schedule = PollSchedule(polls, context.clock, context.sleep)
        self._poll: str | None = None
        self._usage_known = False
        self._due: list[str] = []
        self._broken: RetryLaterError | None = None
        self._frames: list[Frame] = []
        """Posts of the stream that did not fit into the last batch. They are reserved."""
        self._stream_margin = config.stream_margin_posts

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while True:
            if not self._usage_known:
                poll = "usage"
            else:
                poll, self._poll = self._poll or await self._schedule.next(), None
            match poll:
                case "usage":
                    signals: Signals | None = await self._usage()
                case "stream":
                    signals = await self._stream()
                case "search":
                    signals = await self._search()
                case _:
                    signals = await self._reobserve()
            if signals is not None:
                return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def tracked_items(self) -> int:
        """How many posts are polled again for their counts."""
        return len(self._tracked)

    def _cursor(self) -> Cursor:
        now_ms = self._now_ms()
        for line in self._budget.lines(now_ms):
            metrics.BUDGET_LIMIT.labels(PLATFORM, line.option).set(line.limit)
            metrics.BUDGET_SPENT.labels(PLATFORM, line.option).set(line.spent)
        watched = [(native_id(id_), self._known[id_].created_ms) for id_ in self._tracked.ids() if id_ in self._known]
        return msgspec.json.encode(Saved(self._read_ms, self._budget.saved(now_ms), watched))

    async def _usage(self) -> Signals:
        """Compare our account with X's. It costs nothing, and comes before the first post is asked for."""
        try:
            counted = await self._client.usage()
        except NeverRetryError:
            counted = {}  # the account has no such page; our own count has to do
        self._usage_known = True
        self._schedule.put_off("usage")
        now_ms = self._now_ms()
        today = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d")
        self._budget.platform_counts(counted.get(today, 0), now_ms)
        return Signals()

    async def _stream(self) -> Signals:
        """Return what the stream has brought. A new connection makes a search for what came before it due."""
        if self._broken is not None:
            broken, self._broken = self._broken, None
            raise broken
        if not self._frames:
            if (
                self._budget.reserved + self._budget.left(self._now_ms()) < self._stream_margin
                and self._client.stream.connected
            ):
                return await self._drained()
            granted = await self._granted("stream", max(STREAM_POSTS, self._stream_margin), self._stream_margin)
            if granted is None:
                return Signals()
            if not self._client.stream.connected:
                await self._before_connecting()
            self._came(await self._client.stream.receive(granted, self._config.stream_wait_seconds))
        signals = self._streamed(STREAM_POSTS_AT_A_TIME)
        if self._broken is not None:
            await self._client.stream.aclose()
            return signals
        self._budget.reserve(max(STREAM_POSTS, self._stream_margin), self._now_ms())  # saved with this batch
        if self._frames:
            self._poll = "stream"  # before any other poll, which might use what is reserved for them
        elif self._catch_up is None:
            self._read_ms = self._now_ms()
        return signals

    async def _drained(self) -> Signals:
        """Close the stream; return what X had sent already, since it is charged."""
        self._came(await self._client.stream.receive(DRAINED_POSTS, DRAIN_SECONDS))
        signals = self._streamed(DRAINED_POSTS)
        await self._client.stream.aclose()
        return signals

    def _came(self, frames: list[Frame]) -> None:
        """Take in what the stream has brought at once."""
        self._frames = frames
        growing = min(MARGIN_FACTOR * len(frames), self._config.posts_per_day // MARGIN_DIVISOR)
        self._stream_margin = max(self._stream_margin, growing)

    def _streamed(self, most: int) -> Signals:
        """Return the next posts of the stream. A line that ends it is an error, but of the next call."""
        frames, self._frames = self._frames[:most], self._frames[most:]
        signals = Signals()
        for frame in frames:
            try:
                posts = posts_of_frame(frame)
            except RetryLaterError as error:
                self._broken, self._frames = error, []
                break
            self._charge(posts, results=1)
            signals.extend([self._convert(posts)])
        return signals

    async def _before_connecting(self) -> None:
        """See to the rules, and to what was missed since the last connection."""
        await self._client.change_rules(changes(self._config.queries, await self._client.rules()))
        minutes = self._config.stream_backfill_minutes
        if self._read_ms is not None and self._now_ms() - self._read_ms < minutes * MINUTE_MS:
            self._client.repeat_minutes(minutes)
            return
        self._client.repeat_minutes(0)
        self._begin_catch_up()
        self._schedule.hurry("search")

    def _begin_catch_up(self) -> CatchUp:
        now_ms = self._now_ms()
        first = self._read_ms is None
        since_ms = now_ms - int(self._config.backfill_hours * HOUR_MS) if self._read_ms is None else self._read_ms
        self._catch_up = CatchUp(self._config.queries, since_ms, now_ms, self._config.catch_up_max_posts, first=first)
        return self._catch_up

    async def _search(self) -> Signals | None:
        """Read one page of recent search."""
        if self._catch_up is None and self._config.stream:
            return None  # the stream has repeated what was missed
        catch_up = self._catch_up or self._begin_catch_up()
        wanted = max(LEAST_RESULTS, min(self._page_results, catch_up.wanted))
        granted = await self._granted("search", wanted, LEAST_RESULTS)
        if granted is None:
            return Signals()
        self._schedule.hurry("search")
        request = self._client.search(catch_up.query, granted, catch_up.since, catch_up.token)
        posts = await self._answer(request, results=granted)
        self._charge(posts, results=granted)
        signals = self._convert(posts)
        if catch_up.page_read(len(posts.items), posts.next_token):
            signals.gaps += catch_up.gaps
            self._read_ms, self._catch_up = catch_up.began_ms, None
            self._schedule.put_off("search")
        return signals

    async def _reobserve(self) -> Signals | None:
        """Poll tracked posts that are due. Those that were charged today cost nothing."""
        now_ms = self._now_ms()
        self._due = self._due or [native_id(id_) for id_ in self._tracked.due(now_ms, LOOKUP_IDS)]
        free = [native for native in self._due if self._budget.is_charged(native, now_ms)]
        costly = [native for native in self._due if native not in free][: self._budget.left_for_reobservation(now_ms)]
        usable = self._budget.reserved - self._margin("reobserve")
        wanted = max(0, min(len(costly), usable + self._budget.left(now_ms)))
        if wanted > max(0, usable):
            self._reserve_for("reobserve", wanted)
            return Signals()
        costly = costly[:wanted]
        self._due = []
        if not free and not costly:
            return None  # no request was made, so there is no success to report
        posts = await self._answer(self._client.lookup([*free, *costly]), results=len(costly))
        self._budget.charge_reobservation(self._charge(posts, results=len(costly)), self._now_ms())
        signals = self._convert(posts)
        for native in {*posts.gone} & {*free, *costly}:
            id_ = signal_id(native)
            known = self._forget(id_)
            if known is not None:
                signals.signals.append(taken_back(id_, id_, known.created_ms, posts.witnessed_ms, counts=known.counts))
        return signals

    def _margin(self, poll: str) -> int:
        """Return how many of the reserved results are the open stream's."""
        return self._stream_margin if self._client.stream.connected and poll != "stream" else 0

    def _reserve_for(self, poll: str, results: int) -> None:
        """Reserve results, so that ``poll`` goes on with them once the cursor is saved."""
        self._budget.reserve(results + self._margin(poll), self._now_ms())
        self._poll = poll

    async def _granted(self, poll: str, wanted: int, least: int) -> int | None:
        """Return how many results ``poll`` may ask for; None if the reservation has to be saved first.

        Raises:
            SlowDownError: the budget does not allow ``least``.
        """
        usable = self._budget.reserved - self._margin(poll)
        if usable >= least:
            return min(wanted, usable)
        possible = usable + self._budget.left(self._now_ms())
        if possible < least:
            self._schedule.hurry(poll)
            await self._client.stream.aclose()
            self._budget.release(0)
            raise _spent(self._budget, self._now_ms())
        self._reserve_for(poll, min(wanted, possible))
        return None

    async def _answer(self, request: Awaitable[Posts], results: int) -> Posts:
        """Return the answer to a request for ``results``; if it is lost, count them all."""
        try:
            posts = await request
        except COLLECT_ERRORS as error:
            if _may_be_charged(error):
                self._budget.charge_lost(results, self._now_ms())
                self._page_results = LEAST_RESULTS
            raise
        self._page_results = MOST_RESULTS
        return posts

    def _charge(self, posts: Posts, results: int) -> int:
        """Charge what came for ``results``; return how many posts were not charged before today."""
        when = posts.witnessed_ms
        ids = [_id_of(item, f"{when}-{place}") for place, item in enumerate([*posts.items, *posts.originals])]
        users = [_id_of(user, f"{when}-{place}") for place, user in enumerate(posts.users)]
        return self._budget.charge(results, ids, users, self._now_ms())

    def _convert(self, posts: Posts) -> Signals:
        """Return what becomes of the posts, originals first, and keep track of those that are roots."""
        known = authors(posts.users)
        signals = Signals()
        signals.extend(convert(raw, posts.witnessed_ms, known) for raw in (*posts.originals, *posts.items))
        for signal in signals.signals:
            if signal.deleted:
                self._forget(signal.id)
            elif signal.is_root:
                self._tracked.observe(signal)
                self._known[signal.id] = _Known(signal.created_ms, signal.counts)
        if len(self._known) > 2 * self._config.watch_max_items:
            self._known = {id_: self._known[id_] for id_ in self._tracked.ids() if id_ in self._known}
        return signals

    def _forget(self, id_: str) -> _Known | None:
        self._tracked.remove(id_)
        return self._known.pop(id_, None)


def _spent(budget: Budget, now_ms: int) -> SlowDownError:
    option, wait_ms = budget.resets_in_ms(now_ms)
    until = datetime.fromtimestamp((now_ms + wait_ms) / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    message = f"the budget of X is spent until {until}; raise the option {option} to collect more"
    return SlowDownError(message, min(wait_ms / 1000, MAX_RETRY_AFTER_SECONDS))


def _may_be_charged(error: Exception) -> bool:
    """Return whether X may have sent posts that did not arrive. A refusal has no cause, and costs nothing."""
    cause = error.__cause__
    never_sent = isinstance(cause, RequestError) and isinstance(cause.__cause__, aiohttp.ClientConnectorError)
    return cause is not None and not never_sent


def _id_of(raw: object, otherwise: str) -> str:
    """Return the id of a post or an author; what has none is charged by itself."""
    id_ = raw.get("id") if isinstance(raw, dict) else None
    return id_[:40] if isinstance(id_, str) else otherwise
