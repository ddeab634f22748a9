"""The router: one partition of ``signals`` on its way to stories.

Owns the order, the time and the waiting of one source: what to send where, and from which offset to resume. A signal of
a known thread passes at once. A new root post becomes a candidate and waits, with what follows in its thread, for the
matcher's decision. A reply whose root post has not been seen waits a while for it. In a replay every signal waits until
all decisions before it are known, since stories are merged.
Pure: reads no clock and sends nothing. Its caller fetches what to send and reports decisions.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ingest.signal import CLOCK_SKEW_MS, LATEST_MS, Signal
from streams.records.stories import NOWHERE
from streams.records.story_activity import Merging, RawEntry
from streams.resolve.reorder import ReorderBuffer, ResumePoint
from streams.resolve.threads import Known, ThreadIndex

Relevance = Callable[[Signal], tuple[str, ...]]
"""Returns the beats that a root post is relevant to; none if it is irrelevant."""


class Ignored(StrEnum):
    """Why a valid signal is not used. A closed list: each value is a metric label."""

    IRRELEVANT = "irrelevant"
    ORPHAN = "orphan"
    BLOCKED = "blocked"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """Limits of one partition's router.

    ``orphan_wait_ms``: how long, in event time, a reply waits for its root post. ``remember_irrelevant``: the number of
    irrelevant threads to remember, the latest seen, so that their replies need not wait. ``orphans``: the number of
    replies that may wait. ``forget_ms``: the time without a new post after which a story expires; a root post that old
    creates no story.
    """

    orphan_wait_ms: int = 60_000
    remember_irrelevant: int = 200_000
    orphans: int = 20_000
    forget_ms: int = 7 * 86_400_000


BEGINNING = ResumePoint(0, 0)
UNBOUNDED_MS = float("inf")
"""Live: no signal waits for earlier decisions."""
REPEAT_MS = 3_600_000
"""Merges of so young a decision are reported with every observation of its post. A bounded event time differs each time
a record is read, so it cannot tell whether the record is read again."""


@dataclass(slots=True)
class _Undecided:
    """A thread whose root post is a candidate, undecided since ``since`` (monotonic seconds).

    ``resume_point``: where the first of ``entries`` was read.
    """

    at_ms: int
    since: float
    resume_point: ResumePoint
    entries: list[RawEntry]


class _Orphan(NamedTuple):
    """A reply whose root post has not been seen."""

    thread: str
    since: float
    entry: RawEntry


@dataclass(slots=True)
class RoutedBatch:
    """What a router has to send, and what it ignored.

    ``stories``: signals by story. ``redirected``: the same, but another router may have sent these to a story that was
    merged into this one. ``merges``: the merges caused by decisions on this source's threads. ``candidates``: new root
    posts, each with its beats.
    """

    stories: dict[str, list[RawEntry]] = field(default_factory=lambda: defaultdict(list))
    redirected: dict[str, list[RawEntry]] = field(default_factory=lambda: defaultdict(list))
    merges: list[Merging] = field(default_factory=list)
    candidates: list[tuple[tuple[str, ...], RawEntry]] = field(default_factory=list)
    used: int = 0
    ignored: dict[Ignored, int] = field(default_factory=dict)


class Router:
    """The state of one source between two commits of its offset.

    ``stream_ms``: the time of this source, the latest observation read so far. ``position``: the offset after the last
    record read. ``latest_ms``: a record observed later does not move the time of the source beyond it. The caller sets
    it, so that no record moves event time far ahead of the clock, where windows are empty and stories end.
    """

    def __init__(
        self, relevance: Relevance, threads: ThreadIndex, config: RouterConfig, resume_point: ResumePoint = BEGINNING
    ) -> None:
        """``threads`` is kept up to date by the caller. ``resume_point``: what the previous router returned."""
        self._relevance = relevance
        self._threads = threads
        self._config = config
        self.position, self.stream_ms = resume_point
        self.latest_ms = LATEST_MS
        self._undecided: dict[str, _Undecided] = {}
        self._withdrawing: dict[str, _Undecided] = {}
        """Threads whose root post was taken back, until the decider has taken its headline from the story."""
        self._threads_waiting = (self._undecided, self._withdrawing)
        self._buffer = ReorderBuffer()
        self._until_ms = UNBOUNDED_MS
        self._orphans: OrderedDict[int, _Orphan] = OrderedDict()
        self._orphans_of: dict[str, list[int]] = {}
        self._irrelevant: OrderedDict[str, None] = OrderedDict()
        self._batch = RoutedBatch()

    @property
    def waiting(self) -> int:
        """The number of signals that wait for decisions or for their root post."""
        entries = sum(len(undecided.entries) for waiting in self._threads_waiting for undecided in waiting.values())
        return len(self._orphans) + len(self._buffer) + entries

    @property
    def resume_point(self) -> ResumePoint:
        """The first record that is not released. Its offset may be committed once everything below is acknowledged."""
        points = [undecided.resume_point for waiting in self._threads_waiting for undecided in waiting.values()]
        if self._orphans:
            first = next(iter(self._orphans.values())).entry
            points.append(ResumePoint(first.offset, first.at_ms))
        if (buffered := self._buffer.resume_point) is not None:
            points.append(buffered)
        return min(points, default=ResumePoint(self.position, self.stream_ms))

    @property
    def undecided(self) -> int:
        """The number of threads that wait for their decision, and of signals that wait for earlier decisions."""
        return len(self._undecided) + len(self._withdrawing) + len(self._buffer)

    @property
    def can_drain(self) -> bool:
        """Whether something that waits can be released before another record is read.

        It cannot while everything waits for the time of this very source to move on.
        """
        first_ms = min((next(iter(one.values())).at_ms for one in self._threads_waiting if one), default=self.stream_ms)
        buffered_ms = self._buffer.first_ms
        return first_ms < self.stream_ms or (buffered_ms is not None and buffered_ms <= self.stream_ms)

    def released_ms(self, waiting_since: float) -> int | None:
        """Return the time up to which everything is released; None if nothing that waits holds that time back.

        A post that has been waiting since before ``waiting_since`` (monotonic seconds) no longer holds it back.
        """
        recent = ((w.at_ms for w in one.values() if w.since >= waiting_since) for one in self._threads_waiting)
        firsts = [self._buffer.first_ms, *(next(times_ms, None) for times_ms in recent)]
        held = [first_ms for first_ms in firsts if first_ms is not None]
        return min(held) - 1 if held else None

    def read_ms(self, *, idle: bool) -> int:
        """Return the time up to which everything is read.

        Unless the source is ``idle``, more records with its latest time may follow, so that time is not complete.
        """
        return self.stream_ms if idle else self.stream_ms - 1

    def skip(self, offset: int) -> None:
        """Pass over a record that is not a signal."""
        self.position = offset + 1

    def read(self, offset: int, raw: bytes, signal: Signal, monotonic: float) -> None:
        """Take in the record at ``offset``: ``raw`` bytes that decode to ``signal``."""
        self.position = offset + 1
        if (observed_ms := signal.observed_ms) > self.stream_ms:
            self.stream_ms = observed_ms if observed_ms <= self.latest_ms else max(self.stream_ms, self.latest_ms)
        thread = signal.thread
        entry = RawEntry(offset, self.stream_ms, msgspec.Raw(raw))
        if signal.deleted and signal.is_root and self._withdraw(thread, entry, monotonic):
            return
        founds = signal.is_root and not signal.deleted  # what was taken back can only follow its post, as a reply does
        if (known := self._threads.known.get(thread)) is not None:
            if signal.is_root and (entry.at_ms <= known.at_ms or known.at_ms > self.latest_ms - REPEAT_MS):
                # Perhaps read again: the previous router may have stopped before it reported these merges.
                self._batch.merges += self._threads.merges_of(thread)
            self._route_known(thread, known, entry)
        elif (undecided := self._undecided.get(thread)) is not None:
            undecided.entries.append(entry)
        elif thread in self._irrelevant and not founds:
            self._irrelevant.move_to_end(thread)
            self._ignore(Ignored.IRRELEVANT)
        elif founds and signal.created_ms < entry.at_ms - self._config.forget_ms + CLOCK_SKEW_MS:
            # The thread may have been decided, and its story may have expired, so that no record of it is left.
            self._ignore(Ignored.FORGOTTEN)
        elif founds:
            self._propose(thread, entry, signal, monotonic)
        else:
            self._orphans[offset] = _Orphan(thread, monotonic, entry)
            self._orphans_of.setdefault(thread, []).append(offset)

    def decided(self, thread: str) -> None:
        """Release what waited for the decision on ``thread``, which the thread index now holds.

        A previous router may have proposed the thread, and this one may have read its replies but not the post yet.
        """
        known = self._threads.known.get(thread)
        if thread in self._threads.withdrawn or (known is not None and not known.stories):
            self._release_withdrawn(thread, known)
        if known is None:
            return
        if (undecided := self._undecided.pop(thread, None)) is not None:
            self._batch.merges += self._threads.merges_of(thread)
            for entry in undecided.entries:
                if entry.at_ms > self._until_ms:
                    self._buffer.add(thread, known.stories, entry, undecided.resume_point)
                else:
                    self._release(thread, known.stories, entry)
        for offset in self._orphans_of.pop(thread, ()):
            self._route_known(thread, known, self._orphans.pop(offset).entry)

    def release_until(self, until_ms: float) -> None:
        """Release entries up to ``until_ms``, now and from now on, and none after it."""
        self._until_ms = until_ms
        for thread, stories, entry in self._buffer.release(until_ms):
            self._release(thread, stories, entry)

    def take_batch(self, *, idle_since: float | None = None) -> RoutedBatch:
        """Return what there is to send, and start an empty batch.

        ``idle_since``: set while the source is idle and event time stands still. Replies that have waited for their
        root post since before it (monotonic seconds) are dropped.
        """
        self._drop_late_orphans(idle_since)
        batch, self._batch = self._batch, RoutedBatch()
        return batch

    def _release(self, thread: str, stories: tuple[str, ...], entry: RawEntry) -> None:
        threads, batch, at_ms = self._threads, self._batch, entry.at_ms
        is_used = is_expired = False
        for story in threads.stories_at(thread, stories, at_ms):
            into = threads.story_at(story, at_ms)
            if into in threads.stories and at_ms <= threads.expired.get(into, at_ms):
                # Live, a signal may also have been sent to another story before its merge into this one was known.
                is_redirected = into not in stories and self._until_ms == UNBOUNDED_MS
                (batch.redirected if is_redirected else batch.stories)[into].append(entry)
                is_used = True
            elif into != NOWHERE:
                is_expired = True
        if is_used:
            batch.used += 1
        elif is_expired:
            self._ignore(Ignored.FORGOTTEN)
        else:
            self._ignore(Ignored.BLOCKED if stories else Ignored.IRRELEVANT)

    def _ignore(self, reason: Ignored, count: int = 1) -> None:
        if count:
            self._batch.ignored[reason] = self._batch.ignored.get(reason, 0) + count

    def _route_known(self, thread: str, known: Known, entry: RawEntry) -> None:
        """Route a signal of a known thread. One that came too long before its root post is an orphan all the same.

        A worker that reads again what another has read meets such a signal, and must come to the same result.
        """
        read_ms = entry.at_ms
        if read_ms < known.at_ms:
            if read_ms < known.at_ms - self._config.orphan_wait_ms:
                self._ignore(Ignored.ORPHAN)
                return
            entry = RawEntry(entry.offset, known.at_ms, entry.signal)
        if entry.at_ms > self._until_ms:
            self._buffer.add(thread, known.stories, entry, ResumePoint(entry.offset, read_ms))
        else:
            self._release(thread, known.stories, entry)

    def _withdraw(self, thread: str, entry: RawEntry, monotonic: float) -> bool:
        """Take in that a root post was taken back; return whether that is all there is to do for now.

        The decider first takes its headline from the story, so that what the signal is sent with is without it.
        """
        known = self._threads.known.get(thread)
        if thread in self._withdrawing:
            self._withdrawing[thread].entries.append(entry)
            return True
        decided = thread in self._undecided if known is None else bool(known.stories)
        if thread in self._threads.withdrawn or not decided:
            return False
        point = ResumePoint(entry.offset, entry.at_ms)
        self._withdrawing[thread] = _Undecided(entry.at_ms, monotonic, point, [entry])
        self._batch.candidates.append(((), entry))
        return True

    def _release_withdrawn(self, thread: str, known: Known | None) -> None:
        withdrawing = self._withdrawing.pop(thread, None)
        for entry in withdrawing.entries if withdrawing is not None else ():
            if known is None:
                self._ignore(Ignored.FORGOTTEN)
            else:
                self._route_known(thread, known, entry)

    def _propose(self, thread: str, entry: RawEntry, signal: Signal, monotonic: float) -> None:
        """Make a new root post a candidate, with the replies that came before it, if it is relevant."""
        earlier = [self._orphans.pop(offset).entry for offset in self._orphans_of.pop(thread, ())]
        # Asked for every observation of a post: its title may change, and a later worker does not know the first one.
        beats = self._relevance(signal)
        self._irrelevant.pop(thread, None)
        if not beats:
            self._irrelevant[thread] = None
            if len(self._irrelevant) > self._config.remember_irrelevant:
                self._irrelevant.popitem(last=False)
            self._ignore(Ignored.IRRELEVANT, 1 + len(earlier))
            return
        in_time = [e for e in earlier if e.at_ms >= entry.at_ms - self._config.orphan_wait_ms]
        self._ignore(Ignored.ORPHAN, len(earlier) - len(in_time))
        in_time.append(entry)
        first = ResumePoint(in_time[0].offset, in_time[0].at_ms)
        # Replies before their root post count from its time: the time of a source never goes back.
        entries = [RawEntry(e.offset, entry.at_ms, e.signal) for e in in_time]
        self._undecided[thread] = _Undecided(entry.at_ms, monotonic, first, entries)
        self._batch.candidates.append((beats, entry))

    def _drop_late_orphans(self, idle_since: float | None) -> None:
        """Ignore the replies that waited too long, oldest first, and those beyond the limit."""
        earliest_ms = self.stream_ms - self._config.orphan_wait_ms
        while self._orphans:
            offset, orphan = next(iter(self._orphans.items()))
            late = orphan.entry.at_ms < earliest_ms or (idle_since is not None and orphan.since < idle_since)
            if not late and len(self._orphans) <= self._config.orphans:
                return
            del self._orphans[offset]
            siblings = self._orphans_of[orphan.thread]
            siblings.remove(offset)
            if not siblings:
                del self._orphans_of[orphan.thread]
            self._ignore(Ignored.ORPHAN)
