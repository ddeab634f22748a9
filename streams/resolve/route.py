"""One partition of ``signals`` on its way to stories: what to send where, and how far it is done.

Owns the order, the time and the waiting of one source. Known threads pass straight through; a new root post becomes a
candidate and waits, with what follows in its thread, for the matcher's decision; a reply whose root has not been seen
waits a while for it. In a replay, everything waits until what was decided before it is known, since stories are merged.
Pure: reads no clock, sends nothing. The worker asks it what to send, and tells it of decisions.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ingest.signal import CLOCK_SKEW_MS, Signal
from streams.records.stories import NOWHERE
from streams.records.story_activity import Merging, RawEntry
from streams.resolve.reorder import Hold, Owner, Place
from streams.resolve.threads import Known, ThreadIndex

__all__ = ["AT_ONCE", "Ignored", "Place", "RoutedBatch", "Router", "RouterConfig"]

Relevance = Callable[[Signal], tuple[str, ...]]
"""The beats a root post is relevant to; none: it is irrelevant."""


class Ignored(StrEnum):
    """Why a good signal is not used. A closed list: each value is a metric label."""

    IRRELEVANT = "irrelevant"
    ORPHAN = "orphan"
    BLOCKED = "blocked"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """Limits of one partition's router.

    ``orphan_wait_ms``: how long, in event time, a reply waits for its root post. ``remember_irrelevant``: how many
    irrelevant threads are remembered, the latest seen, so that their replies need not wait. ``orphans``: how many
    signals may wait. ``forget_ms``: after how long without a new post stories are forgotten; a post that old is no
    new one.
    """

    orphan_wait_ms: int = 60_000
    remember_irrelevant: int = 200_000
    orphans: int = 20_000
    forget_ms: int = 7 * 86_400_000


BEGINNING = Place(0, 0)
AT_ONCE = float("inf")


@dataclass(slots=True)
class _Pending:
    """A thread whose root post is a candidate, undecided since ``since`` (monotonic seconds).

    ``place``: of the first of ``entries``, as it was read.
    """

    at_ms: int
    since: float
    place: Place
    entries: list[RawEntry]


class _Orphan(NamedTuple):
    """A reply whose root post has not been seen."""

    thread: str
    since: float
    entry: RawEntry


@dataclass(slots=True)
class RoutedBatch:
    """What a router has to send: signals by story, candidates as (beats, time, signal), and what it ignored.

    ``redirected``: signals by story, too, that another router may have sent to a story that was merged into it.
    ``merges``: those that decisions on threads of this source brought about.
    """

    stories: dict[str, list[RawEntry]] = field(default_factory=dict)
    redirected: dict[str, list[RawEntry]] = field(default_factory=dict)
    merges: list[Merging] = field(default_factory=list)
    candidates: list[tuple[tuple[str, ...], int, Signal]] = field(default_factory=list)
    used: int = 0
    ignored: dict[Ignored, int] = field(default_factory=dict)


class Router:
    """The state of one source between two commits of its offset."""

    def __init__(
        self, relevance: Relevance, threads: ThreadIndex, config: RouterConfig, place: Place = BEGINNING
    ) -> None:
        """``threads``: kept by the caller. ``place``: where reading begins, as the router before this one said."""
        self._relevance = relevance
        self._threads = threads
        self._config = config
        self._position, self._stream_ms = place
        self._pending: dict[str, _Pending] = {}
        self._hold = Hold()
        self._until_ms = AT_ONCE
        self._orphans: OrderedDict[int, _Orphan] = OrderedDict()
        self._orphans_of: dict[str, list[int]] = {}
        self._irrelevant: OrderedDict[str, None] = OrderedDict()
        self._batch = RoutedBatch()

    @property
    def stream_ms(self) -> int:
        """The time of this source: the latest observation read so far."""
        return self._stream_ms

    @property
    def position(self) -> int:
        """The offset after the last record read."""
        return self._position

    @property
    def waiting(self) -> int:
        """How many signals wait for decisions or for their root post."""
        return len(self._orphans) + len(self._hold) + sum(len(waiting.entries) for waiting in self._pending.values())

    @property
    def place(self) -> Place:
        """The first record that is not handed out; everything below it is, and may be committed once acknowledged."""
        places = [waiting.place for waiting in self._pending.values()]
        if self._orphans:
            first = next(iter(self._orphans.values())).entry
            places.append(Place(first.offset, first.at_ms))
        if (held := self._hold.place) is not None:
            places.append(held)
        return min(places, default=Place(self._position, self._stream_ms))

    @property
    def undecided(self) -> int:
        """How many threads wait for a decision, and signals for decisions before them."""
        return len(self._pending) + len(self._hold)

    @property
    def drains(self) -> bool:
        """Say whether something that waits can be handed out without another record being read.

        Not while it waits for time to pass in this very source.
        """
        first_ms = next((waiting.at_ms for waiting in self._pending.values()), self._stream_ms)
        held_ms = self._hold.first_ms
        return first_ms < self._stream_ms or (held_ms is not None and held_ms <= self._stream_ms)

    def held_ms(self, waited_since: float) -> int | None:
        """Return the time up to which everything has been handed out, or None if nothing that waits holds it back.

        Posts that have been waiting since before ``waited_since`` (monotonic seconds) hold it back no longer.
        """
        pending = (waiting.at_ms for waiting in self._pending.values() if waiting.since >= waited_since)
        firsts = [first_ms for first_ms in (next(pending, None), self._hold.first_ms) if first_ms is not None]
        return min(firsts) - 1 if firsts else None

    def read_ms(self, *, idle: bool) -> int:
        """Return the time up to which everything has been read.

        While the source is not ``idle``, more records with its latest time may follow, so that time is not complete.
        """
        return self._stream_ms if idle else self._stream_ms - 1

    def skip(self, offset: int) -> None:
        """Pass over a record that is no signal."""
        self._position = offset + 1

    def read(self, offset: int, raw: bytes, signal: Signal, monotonic: float) -> None:
        """Take in the record at ``offset``: ``raw`` bytes, which decode to ``signal``."""
        self._position = offset + 1
        self._stream_ms = max(self._stream_ms, signal.observed_ms)
        thread = signal.thread
        entry = RawEntry(offset, self._stream_ms, msgspec.Raw(raw))
        if (known := self._threads.lookup(thread)) is not None:
            if entry.at_ms <= known.at_ms and signal.is_root:
                # Read again: the router before this one may not have come to tell of them.
                self._batch.merges += self._threads.merges(thread)
            self._pass(thread, known, entry)
        elif (waiting := self._pending.get(thread)) is not None:
            waiting.entries.append(entry)
        elif thread in self._irrelevant and not signal.is_root:
            self._irrelevant.move_to_end(thread)
            self._ignore(Ignored.IRRELEVANT)
        elif signal.is_root and signal.created_ms < entry.at_ms - self._config.forget_ms + CLOCK_SKEW_MS:
            # Its thread may have been decided and forgotten, and nobody can know.
            self._ignore(Ignored.FORGOTTEN)
        elif signal.is_root:
            self._new_thread(thread, entry, signal, monotonic)
        else:
            self._orphans[offset] = _Orphan(thread, monotonic, entry)
            self._orphans_of.setdefault(thread, []).append(offset)

    def decided(self, thread: str) -> None:
        """Hand out what waited for the decision on ``thread``, which ``lookup`` now knows.

        The decision may have been asked for by a router before this one, which has read replies but not the post yet.
        """
        known = self._threads.lookup(thread)
        if known is None:
            return
        if (waiting := self._pending.pop(thread, None)) is not None:
            self._batch.merges += self._threads.merges(thread)
            for entry in waiting.entries:
                self._hold_or_hand_out((thread, known.stories), entry, waiting.place)
        for offset in self._orphans_of.pop(thread, ()):
            self._pass(thread, known, self._orphans.pop(offset).entry)

    def allow(self, until_ms: float) -> None:
        """Let what is seen up to ``until_ms`` be handed out, now and from now on, and nothing after it."""
        self._until_ms = until_ms
        for owner, entry in self._hold.release(until_ms):
            self._hand_out(owner, entry)

    def take(self, *, silent_since: float | None = None) -> RoutedBatch:
        """Return what there is to send, and forget it.

        ``silent_since``: set while the source is idle and event time stands still; replies that have waited for their
        root since before it (monotonic seconds) are given up then.
        """
        self._give_up_orphans(silent_since)
        batch, self._batch = self._batch, RoutedBatch()
        return batch

    def _hold_or_hand_out(self, owner: Owner, entry: RawEntry, place: Place) -> None:
        if entry.at_ms > self._until_ms:
            self._hold.add(owner, entry, place)
        else:
            self._hand_out(owner, entry)

    def _hand_out(self, owner: Owner, entry: RawEntry) -> None:
        thread, stories = owner
        threads, at_ms = self._threads, entry.at_ms
        reason: Ignored | None = Ignored.BLOCKED if stories else Ignored.IRRELEVANT
        for story in threads.of(thread, stories, at_ms):
            into = threads.at(story, at_ms)
            if threads.is_used(into, at_ms):
                # What did not wait may have been sent to another story, too, before it was known to belong here.
                is_redirected = into not in stories and self._until_ms == AT_ONCE
                batch = self._batch.redirected if is_redirected else self._batch.stories
                batch.setdefault(into, []).append(entry)
                reason = None
            elif reason is not None and into != NOWHERE:
                reason = Ignored.FORGOTTEN
        if reason is None:
            self._batch.used += 1
        else:
            self._ignore(reason)

    def _ignore(self, reason: Ignored, count: int = 1) -> None:
        if count:
            self._batch.ignored[reason] = self._batch.ignored.get(reason, 0) + count

    def _pass(self, thread: str, known: Known, entry: RawEntry) -> None:
        """Hand out a signal of a known thread; one from too long before its root is an orphan even so.

        That happens when a worker reads again what another had read before: it must come to the same result.
        """
        if entry.at_ms < known.at_ms - self._config.orphan_wait_ms:
            self._ignore(Ignored.ORPHAN)
            return
        read_ms = entry.at_ms
        if read_ms < known.at_ms:
            entry = RawEntry(entry.offset, known.at_ms, entry.signal)
        if entry.at_ms > self._until_ms:
            self._hold.add((thread, known.stories), entry, Place(entry.offset, read_ms))
        else:
            self._hand_out((thread, known.stories), entry)

    def _new_thread(self, thread: str, entry: RawEntry, signal: Signal, monotonic: float) -> None:
        earlier = [self._orphans.pop(offset).entry for offset in self._orphans_of.pop(thread, ())]
        # Asked at each look at a post: its title may have been changed, and who began later does not know the first.
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
        first = Place(in_time[0].offset, in_time[0].at_ms)
        # Replies that came before their root count from when it came: the time of a source never goes back.
        entries = [RawEntry(e.offset, entry.at_ms, e.signal) for e in in_time]
        self._pending[thread] = _Pending(entry.at_ms, monotonic, first, entries)
        self._batch.candidates.append((beats, entry.at_ms, signal))

    def _give_up_orphans(self, silent_since: float | None) -> None:
        """Ignore the replies that waited too long, oldest first, and those that are too many."""
        earliest_ms = self._stream_ms - self._config.orphan_wait_ms
        while self._orphans:
            offset, orphan = next(iter(self._orphans.items()))
            late = orphan.entry.at_ms < earliest_ms or (silent_since is not None and orphan.since < silent_since)
            if not late and len(self._orphans) <= self._config.orphans:
                return
            del self._orphans[offset]
            siblings = self._orphans_of[orphan.thread]
            siblings.remove(offset)
            if not siblings:
                del self._orphans_of[orphan.thread]
            self._ignore(Ignored.ORPHAN)
