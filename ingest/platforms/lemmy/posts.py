"""Posts to ask for one by one: tracked ones that no listing shows any more, and unknown ones that comments answer.

Owns which post to ask for next, and the instance to ask: the post's number is valid only there. Must never know how a
post is fetched.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from ingest.batch import Ignored, Signals
from ingest.fields import taken_back
from ingest.memory.seen import Seen
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.platforms.lemmy.owners import is_home
from ingest.signal import Counts, Signal

MAX_WANTED: Final = 300
"""Posts to ask for at once: as many as comments on a few pages can answer."""
MAX_CHECKED: Final = 5_000
"""Posts that were asked for once because they were missing; each is asked for once only."""


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """A tracked post in the cursor. ``number``: the post's, on the instance ``host``."""

    id: str
    host: str
    number: int
    created_ms: int


class Target(NamedTuple):
    """A post to ask for."""

    id: str
    host: str
    number: int


class _Known(NamedTuple):
    target: Target
    created_ms: int
    community: str | None
    counts: Counts


class Posts:
    """Tracked and wanted posts, both bounded."""

    def __init__(self, config: LemmyConfig, saved: Iterable[Saved], now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._tracked = TrackedItems(config.watch_max_items, int(config.watch_hours * HOUR_MS))
        self._known = {
            one.id: _Known(Target(one.id, one.host, one.number), one.created_ms, None, Counts()) for one in saved
        }
        self._tracked.restore(self._known, now_ms())
        self._wanted: dict[str, Target] = {}
        self._checked = Seen(MAX_CHECKED)
        self._max_known = 2 * config.watch_max_items

    def __len__(self) -> int:
        return len(self._tracked)

    def saved(self) -> list[Saved]:
        """Return the tracked posts for the cursor."""
        known = sorted(self._known[id_] for id_ in self._tracked.ids() if id_ in self._known)
        return [Saved(*one.target, one.created_ms) for one in known]

    def observe(self, signal: Signal, host: str, number: int | None) -> None:
        """Record an observation of a post. ``number``: on ``host``; a post without one cannot be asked for."""
        self._wanted.pop(signal.id, None)
        if signal.deleted or number is None:
            self._forget(signal.id)
            return
        community = signal.community.name if signal.community else None
        target = Target(signal.id, host, number)
        self._known[signal.id] = _Known(target, signal.created_ms, community, signal.counts)
        self._tracked.observe(signal)
        if len(self._known) > self._max_known:
            self._known = {id_: self._known[id_] for id_ in self._tracked.ids() if id_ in self._known}

    def want(self, target: Target) -> None:
        """Ask for a post once, soon: it is unknown, or may have been taken back."""
        if target.id not in self._checked and len(self._wanted) < MAX_WANTED:
            self._wanted[target.id] = target

    def want_missing(self, host: str, community: str | None, since_ms: float, numbers: Collection[int]) -> None:
        """Ask for tracked posts younger than ``since_ms`` that a listing of new posts should show, and does not.

        ``numbers``: of the posts that it does show. ``community``: whose listing it is; None if of all.
        """
        for known in self._known.values():
            here = known.target.host == host and community in {None, known.community}
            if here and known.created_ms > since_ms and known.target.number not in numbers:
                self.want(known.target)

    def next(self) -> Target | None:
        """Return the post to ask for next; None if none is due."""
        if self._wanted:
            id_ = next(iter(self._wanted))
            self._checked.add(id_)
            return self._wanted.pop(id_)
        for id_ in self._tracked.due(self._now_ms(), 1):
            if id_ in self._known:
                return self._known[id_].target
        return None

    def gone(self, target: Target, witnessed_ms: int) -> Signals:
        """Return what it means that an instance does not show a post any more.

        An instance removes what it likes, so only the post's own one or the one that is asked for it is believed.
        """
        id_, known = target.id, self._known.get(target.id)
        if known is None or not (known.target.host == target.host or is_home(id_, target.host)):
            return Signals(ignored=Counter([Ignored.MISSING]))
        self._forget(id_)
        return Signals([taken_back(id_, id_, known.created_ms, witnessed_ms, counts=known.counts)])

    def _forget(self, id_: str) -> None:
        self._known.pop(id_, None)
        self._tracked.remove(id_)
