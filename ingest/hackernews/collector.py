"""The Hacker News collector: what to look at, in which order, and how far it has come.

Owns the cursor: the next id to read (ids are given out in sequence), the ids still missing, and the stories on the
watch. Must never know HTTP, nor publish.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

import msgspec

from ingest.agenda import Agenda
from ingest.batch import Batch, Cursor, Ignored, Signals, Unreadable
from ingest.collector import CollectorSpec
from ingest.hackernews.client import HackerNewsClient, Item
from ingest.hackernews.config import HackerNewsConfig
from ingest.hackernews.convert import PLATFORM, convert, parent_id, signal_id
from ingest.pace import Pace
from ingest.watch import HOUR_MS, Watch

__all__ = ["SPEC", "HackerNewsCollector"]

MAX_MISSING: Final = 2_000
"""With so many items missing the platform is ill: nothing new is read until they have come or been given up."""
RECENT_ITEMS: Final = 100
"""An item that is so far from the newest and still not given never will be."""
MAX_ROOTS: Final = 200_000
MAX_DEPTH: Final = 200
"""A comment deeper than that is an orphan."""


class _Cursor(msgspec.Struct):
    """``next_id``: everything below was read, except for ``missing``; None as long as nothing was."""

    next_id: int | None
    missing: list[int] = []
    watched: list[int] = []


@dataclass(slots=True)
class _Missing:
    tries: int
    due_at: float


class HackerNewsCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: HackerNewsConfig, cursor: Cursor | None, pace: Pace, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._now_ms = now_ms
        self._client = HackerNewsClient(config, pace, now_ms)
        self._agenda = Agenda(
            {
                "new": config.poll_seconds,
                "front_page": config.front_page_seconds,
                "updates": config.updates_seconds,
                "reobserve": config.reobserve_seconds,
            }
        )
        self._watch = Watch(config.watch_max_items, int(config.watch_hours * HOUR_MS))
        self._roots: dict[int, int] = {}
        self._missing: dict[int, _Missing] = {}
        self._next_id: int | None = None
        self._newest_id = 0
        if cursor is not None:
            saved = msgspec.json.decode(cursor, type=_Cursor)
            self._next_id = saved.next_id
            self._missing = {id_: _Missing(0, 0.0) for id_ in saved.missing}
            self._watch.restore(map(signal_id, saved.watched), now_ms())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        match await self._agenda.next():
            case "new":
                signals = await self._new()
            case "front_page":
                signals = await self._look_at((await self._client.front_page())[: self._config.front_page_items])
            case "updates":
                signals = await self._look_at(filter(self._may_count, await self._client.updated()))
            case _:
                due = self._watch.due(self._now_ms(), self._config.reobserve_max_items)
                signals = await self._look_at(_item_id(id_) for id_ in due)
        return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def watched_items(self) -> int:
        """How many stories are looked at again and again."""
        return len(self._watch)

    def _cursor(self) -> Cursor:
        watched = map(_item_id, self._watch.ids())
        return msgspec.json.encode(_Cursor(self._next_id, sorted(self._missing), sorted(watched)))

    async def _new(self) -> Signals:
        """Read the items after the last one read, and ask again for those that were missing."""
        max_items = self._config.batch_max_items
        self._newest_id = newest_id = await self._client.newest_id()
        gap = False
        if newest_id == 0:
            return Signals()  # nobody has written anything yet
        if self._next_id is None:
            self._next_id = max(1, newest_id + 1 - self._config.backfill_items)
        elif gap := self._next_id < newest_id - self._config.catch_up_max_items:
            self._next_id = newest_id - self._config.catch_up_max_items
        end_id = min(newest_id + 1, self._next_id + max(0, min(max_items, MAX_MISSING - len(self._missing))))
        again = [id_ for id_, missing in self._missing.items() if missing.due_at <= time.monotonic()]
        signals = await self._look_at([*again[:max_items], *range(self._next_id, end_id)])
        signals.gaps += gap
        self._next_id = max(self._next_id, end_id)
        if end_id <= newest_id and len(self._missing) < MAX_MISSING:
            self._agenda.hurry("new")
        return signals

    def _may_count(self, id_: int) -> bool:
        """Tell whether an item that changed is worth a look: not a known comment, which has no counts."""
        return self._next_id is not None and id_ < self._next_id and self._roots.get(id_, id_) == id_

    async def _look_at(self, ids: Iterable[int]) -> Signals:
        """Fetch items, and for comments what they hang on; return posts first, then replies, oldest first."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return Signals()
        fetched = await self._client.items(wanted)
        items = dict(fetched.items)
        failed = dict.fromkeys(fetched.failed)
        failed.update(dict.fromkeys(await self._fetch_ancestors(items)))
        signals = Signals()
        for id_, item in sorted(items.items()):
            if item.raw is not None and id_ in failed:
                continue  # its root could not be had now: it is looked at again as a whole
            root_id = self._root_id(id_, items)
            became = convert(item.raw, item.witnessed_ms, root_id)
            if became.ignored[Ignored.MISSING] or became.ignored[Ignored.ORPHAN]:
                if id_ in wanted and id_ > self._newest_id - RECENT_ITEMS and self._try_again(id_):
                    continue
            self._missing.pop(id_, None)
            if root_id is not None:
                self._remember_root(id_, root_id)
            for signal in became.signals:
                if signal.is_root:
                    self._watch.note(signal)
            if became.ignored:
                self._watch.forget(signal_id(id_))
            signals.extend([became])
        for id_ in failed:
            if not self._try_again(id_):
                detail = str(fetched.failed.get(id_, "what it hangs on could not be fetched"))
                signals.unreadable.append(Unreadable.of({"id": id_}, "not_fetched", detail))
        signals.signals.sort(key=lambda signal: (not signal.is_root, _item_id(signal.id)))
        return signals

    async def _fetch_ancestors(self, items: dict[int, Item]) -> list[int]:
        """Add to ``items`` what its comments hang on, up to their roots; return the comments for which that failed."""
        unreachable: set[int] = set()
        for _ in range(MAX_DEPTH):
            needed = {self._first_unknown(id_, items) for id_ in items} - {None} - unreachable
            ids = [id_ for id_ in needed if id_ is not None]
            if not ids:
                break
            fetched = await self._client.items(ids)
            items.update(fetched.items)
            unreachable.update(fetched.failed)
        return [id_ for id_ in items if self._first_unknown(id_, items) in unreachable]

    def _first_unknown(self, id_: int, items: dict[int, Item]) -> int | None:
        """Return the nearest thing above a comment that was not fetched, None if the way to its root is known."""
        for _ in range(MAX_DEPTH):
            if id_ in self._roots:
                return None
            if id_ not in items:
                return id_
            parent = parent_id(items[id_].raw)
            if parent is None:
                return None
            id_ = parent
        return None

    def _root_id(self, id_: int, items: dict[int, Item]) -> int | None:
        """Return the root of the thread that ``id_`` is in; None if the way to it is broken or too long."""
        for _ in range(MAX_DEPTH):
            if id_ in self._roots:
                return self._roots[id_]
            item = items.get(id_)
            if item is None or item.raw is None:
                return None
            parent = parent_id(item.raw)
            if parent is None:
                return id_
            id_ = parent
        return None

    def _remember_root(self, id_: int, root_id: int) -> None:
        self._roots.pop(id_, None)
        self._roots[id_] = root_id
        if len(self._roots) > MAX_ROOTS:
            del self._roots[next(iter(self._roots))]

    def _try_again(self, id_: int) -> bool:
        """Note that ``id_`` is missing; return False if it was asked for often enough."""
        tries = self._missing[id_].tries + 1 if id_ in self._missing else 1
        if tries >= self._config.missing_max_tries:
            self._missing.pop(id_, None)
            return False
        self._missing[id_] = _Missing(tries, time.monotonic() + self._config.missing_retry_seconds)
        return True


def _item_id(id_: str) -> int:
    return int(id_.removeprefix(f"{PLATFORM}:"))


SPEC: Final = CollectorSpec(
    name=PLATFORM,
    needs_account=False,
    needs="nothing",
    gives="stories, jobs, polls and comments, with points and numbers of comments as they grow",
    config=HackerNewsConfig,
    make=HackerNewsCollector,
)
