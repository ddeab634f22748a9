"""Admission: what becomes of the statuses that one instance shows.

Owns which statuses are new, which thread a reply is in, which are relevant, and which wait for a root. Must never
fetch.

An instance shows a status again and again, and other instances show it too. It is published once, and again when it
was edited. A root post is published if the watched beats want it; a reply or a boost, if the status above it was.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from cachetools import LRUCache

from ingest.batch import Ignored, Signals, as_json
from ingest.memory.seen import Seen
from ingest.memory.tracked import TrackedItems
from ingest.platforms.mastodon.client import Thread
from ingest.platforms.mastodon.convert import convert, edited_at, local_id, parent_id, parts
from ingest.platforms.mastodon.known import KnownStatus, KnownStatuses
from ingest.platforms.mastodon.threads import ThreadQueue
from ingest.relevance import Relevance
from ingest.signal import Signal

MAX_SEEN: Final = 20_000
"""Statuses of an instance that are recognised when they are shown again: more than several hundred pages."""
MAX_DISMISSED: Final = 20_000
"""Statuses of an instance that were not published, so that answers to them need no request."""


class Admission:
    """Decides for the instance ``host``.

    ``known`` is shared by all instances. ``queue`` takes what waits for a root, and posts with new replies; ``tracked``
    takes published posts.
    """

    def __init__(
        self, host: str, known: KnownStatuses, queue: ThreadQueue, tracked: TrackedItems, relevance: Relevance
    ) -> None:
        self._host = host
        self._known = known
        self._queue = queue
        self._tracked = tracked
        self._relevance = relevance
        self._seen = Seen(MAX_SEEN)
        self._dismissed: LRUCache[str, Ignored] = LRUCache(MAX_DISMISSED)

    def statuses(self, raws: Iterable[object], witnessed_ms: int, *, may_wait: bool = True) -> Signals:
        """Return what becomes of statuses, in the given order: a status goes before the answers to it.

        ``may_wait``: whether a reply whose root is unknown waits for it; otherwise it is an orphan.
        """
        signals = Signals()
        for raw in (part for whole in raws for part in parts(whole)):
            if self._is_new(raw):
                signals.extend([self._one(raw, witnessed_ms, may_wait=may_wait)])
        signals.extend(self._released())
        return signals

    def thread(self, local_id_: str, thread: Thread) -> Signals:
        """Return what becomes of a thread that the queue asked for."""
        signals = self.statuses(thread.above, thread.witnessed_ms, may_wait=False)
        if (reply := self._queue.done(local_id_)) is not None:
            signals.extend([self._one(reply.raw, reply.witnessed_ms, may_wait=False)])
        signals.extend([self.statuses(thread.below, thread.witnessed_ms, may_wait=False)])
        return signals

    def no_thread(self, local_id_: str) -> Signals | None:
        """Record that a thread cannot be read now; return what becomes of its reply after the last try."""
        reply = self._queue.failed(local_id_)
        return None if reply is None else self._one(reply.raw, reply.witnessed_ms, may_wait=False)

    def observed(self, status: KnownStatus, raw: object, witnessed_ms: int) -> Signals:
        """Return a tracked post with its counts as they are now."""
        became = convert(raw, witnessed_ms)
        if [signal.id for signal in became.signals] != [status.id]:
            self._tracked.remove(status.id)
            # The instance gives its id to another status, which has to pass as any other.
            return self._one(raw, witnessed_ms, may_wait=False) if became.signals else became
        self._remember(became.signals[0], raw)
        return became

    def deletion(self, status: KnownStatus | None, witnessed_ms: int) -> Signals:
        """Return the deletion of a status that was published and for which this instance speaks; else nothing."""
        if status is None or status.deleted or not self._speaks_for(status):
            return Signals()
        status.deleted = True
        self._tracked.remove(status.id)
        return Signals([status.deletion(witnessed_ms)])

    def _released(self) -> Iterator[Signals]:
        """Yield the replies whose parent has become known while they waited."""
        for id_, reply in self._queue.waiting().items():
            parent = parent_id(reply.raw)
            if parent in self._dismissed or (parent and self._known.at(self._host, parent)):
                self._queue.done(id_)
                yield self._one(reply.raw, reply.witnessed_ms, may_wait=False)

    def _is_new(self, raw: object) -> bool:
        """Return whether this version of a status is shown for the first time."""
        id_ = local_id(raw) or sha256(as_json(raw)).hexdigest()[:16]
        return self._seen.add(f"{id_} {edited_at(raw)}")

    def _one(self, raw: object, witnessed_ms: int, *, may_wait: bool) -> Signals:
        id_, parent = local_id(raw), parent_id(raw)
        above = None if parent is None else self._known.at(self._host, parent)
        if parent is not None and above is None:
            if (why := self._dismissed.get(parent)) is not None:
                return self._dismiss(id_, why)
            if may_wait and id_ is not None and self._queue.wait(id_, raw, witnessed_ms):
                return Signals()
        became = convert(raw, witnessed_ms, None if above is None else above.thread)
        if not became.signals:
            for why in became.ignored:
                self._dismiss(id_, why)
            return became
        (signal,) = became.signals
        if (status := self._known.get(signal.id)) is not None and (
            status.deleted or edited_at(raw) <= status.edited_at or not self._speaks_for(status)
        ):
            self._shown_again(status, signal, raw)
            return Signals()
        if status is None and not self._is_wanted(signal):
            return self._dismiss(id_, Ignored.IRRELEVANT)
        self._remember(signal, raw)
        return became

    def _speaks_for(self, status: KnownStatus) -> bool:
        """Return whether to believe this instance that a status was edited or deleted.

        Its own instance is believed and, until that shows the status, the one that showed it first.
        """
        return self._host in {status.home, status.source}

    def _is_wanted(self, signal: Signal) -> bool:
        if signal.is_root:
            return self._relevance.wants(signal)
        return signal.kind == "reply" or self._known.get(signal.thread) is not None

    def _remember(self, signal: Signal, raw: object) -> None:
        id_ = local_id(raw)
        before = self._known.get(signal.id)
        self._known.add(KnownStatus.of(signal, self._host, id_ or "", edited_at(raw)))
        if id_ is None:
            return
        self._known.name(self._host, id_, signal.id)
        if signal.kind == "post":
            self._tracked.observe(signal)
            if (signal.counts.replies or 0) > (0 if before is None else before.counts.replies or 0):
                self._queue.expand(id_)

    def _shown_again(self, status: KnownStatus, signal: Signal, raw: object) -> None:
        """Learn another local id. The author's own instance knows the counts best, so that one is asked from now on."""
        id_ = local_id(raw)
        if id_ is None:
            return
        self._known.name(self._host, id_, status.id)
        if status.home == self._host and status.source != self._host and not status.deleted:
            status.source, status.local_id, status.edited_at = self._host, id_, edited_at(raw)
            if signal.kind == "post":
                self._tracked.observe(signal)

    def _dismiss(self, id_: str | None, why: Ignored) -> Signals:
        if id_ is not None:
            self._dismissed[id_] = why
        return Signals(ignored=Counter([why]))
