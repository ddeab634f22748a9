"""The questions of one site: how far its listing was read, which are tracked, and what is below them.

Owns the watermark of the listing and the tracked questions, both saved in the cursor. Must never know how they are
fetched.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

import msgspec

from ingest.fields import taken_back
from ingest.memory.tracked import HOUR_MS
from ingest.platforms.stackexchange.client import PAGE_ITEMS
from ingest.platforms.stackexchange.config import StackExchangeConfig
from ingest.platforms.stackexchange.convert import active_s, number, signal_id
from ingest.platforms.stackexchange.cursor import SavedSite
from ingest.signal import Counts, Signal

MAX_REPLIES: Final = 200
"""Replies of a question that are remembered; what is taken back beyond them is not noticed."""


class _Tracked(msgspec.Struct):
    created_ms: int
    active_s: int = 0
    checked: bool = False
    counts: Counts = Counts()
    replies: dict[str, int] = {}


class Questions:
    """One site's questions. ``tags``: which of them; empty: all."""

    def __init__(
        self, name: str, tags: tuple[str, ...], config: StackExchangeConfig, saved: SavedSite, now_ms: Callable[[], int]
    ) -> None:
        self.name = name
        self.tags = tags
        self._now_ms = now_ms
        self._max_items = config.watch_max_items
        self._max_age_ms = int(config.watch_hours * HOUR_MS)
        self._active_s = saved.active_s
        self._tracked = {id_: _Tracked(created_ms) for id_, created_ms in saved.tracked.items()}
        self._listed: set[int] = set()

    def __len__(self) -> int:
        return len(self._tracked)

    def saved(self) -> SavedSite:
        """Return what to save."""
        return SavedSite(self._active_s, {id_: one.created_ms for id_, one in sorted(self._tracked.items())})

    @property
    def is_new(self) -> bool:
        """True until the listing was read once."""
        return not self._active_s

    def is_known(self, question: object) -> bool:
        """Return whether the listing was read down to a question's activity before."""
        return 0 < active_s(question) <= self._active_s

    def observe(self, question: object, signals: Iterable[Signal]) -> list[Signal]:
        """Remember a question and what is below it; return signals for replies that were taken back.

        ``signals``: of the question and its replies. An answer lists all replies of a question, or names none.
        """
        found = {one.id: one for one in signals}
        id_ = number(question)
        root = None if id_ is None else found.pop(signal_id(self.name, id_), None)
        if id_ is None or root is None:
            return []
        tracked = self._tracked.pop(id_, _Tracked(root.created_ms))
        gone: list[Signal] = []
        if root.counts.replies == len(found):
            gone = [
                taken_back(reply, root.id, created_ms, root.observed_ms)
                for reply, created_ms in tracked.replies.items()
                if reply not in found
            ]
        if self._now_ms() - root.created_ms < self._max_age_ms:
            replies = {one.id: one.created_ms for one in list(found.values())[:MAX_REPLIES]}
            self._tracked[id_] = _Tracked(root.created_ms, active_s(question), False, root.counts, replies)
            if len(self._tracked) > self._max_items:
                del self._tracked[next(iter(self._tracked))]
        return gone

    def read(self, questions: Collection[object], *, whole: bool) -> bool:
        """Record what the listing shows now, the latest activity first; return whether some are missing from it.

        ``whole``: it was read to its end, so it shows every question of the site.
        """
        self._listed = {id_ for one in questions if (id_ := number(one)) is not None}
        latest = [min(at_s, self._now_ms() // 1000) for one in questions if (at_s := active_s(one)) > 0]
        self._active_s = max([self._active_s, *latest])
        since_s = 0 if whole else min(latest, default=self._active_s)
        return any(
            one.active_s > since_s and not one.checked and id_ not in self._listed for id_, one in self._tracked.items()
        )

    def unlisted(self) -> list[int]:
        """Return up to a page of tracked questions that the listing does not show, those seen least lately first."""
        now_ms = self._now_ms()
        self._tracked = {id_: one for id_, one in self._tracked.items() if now_ms - one.created_ms < self._max_age_ms}
        return [id_ for id_ in self._tracked if id_ not in self._listed][:PAGE_ITEMS]

    def check(self, asked: Iterable[int], questions: Collection[object], witnessed_ms: int) -> list[Signal]:
        """Return signals for those ``asked`` for that are not among the ``questions`` that exist, and forget them."""
        there = {number(one) for one in questions}
        gone: list[Signal] = []
        for id_ in asked:
            if (one := self._tracked.get(id_)) is None:
                continue
            if id_ in there:
                one.checked = True
                continue
            del self._tracked[id_]
            root = signal_id(self.name, id_)
            gone.append(taken_back(root, root, one.created_ms, witnessed_ms, counts=one.counts))
        return gone
