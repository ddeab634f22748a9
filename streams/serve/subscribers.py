"""Who is watching the board, and what each has still to be told.

Owns the outbox of every watcher and its bounds. Must never know what a socket is. What is waiting for a slow watcher
is story *ids*, looked up on the board when they are sent: ten changes of one story are sent as its newest state, and
the memory a watcher can take is bounded by the board, not by its slowness.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from streams.serve import metrics
from streams.serve.query import StoryFilter
from streams.serve.read_model import Board, Change, KeptEvent

__all__ = ["Watcher", "Watchers"]

MAX_WAITING_EVENTS: Final = 200


class Watcher:
    """One who watches: everything that passes ``wanted``, or one ``story``, whose whole record it is sent."""

    def __init__(self, wanted: StoryFilter, story: str | None = None) -> None:
        self.wake = asyncio.Event()
        self._changed: dict[str, None] = {}
        self._events: deque[KeptEvent] = deque(maxlen=MAX_WAITING_EVENTS)
        self._missed = 0
        self._status: bytes | None = None
        self._wanted = wanted
        self._story = story

    def watch(self, wanted: StoryFilter, story: str | None) -> None:
        """Watch something else from now on. What is waiting is forgotten."""
        self._wanted, self._story = wanted, story
        self._changed.clear()
        self._events.clear()
        self._missed = 0

    def note_change(self, id_: str, change: Change) -> None:
        """Take note of a changed story, if it is or was one of those watched."""
        if self._story is not None:
            if id_ != self._story:
                return
        elif not any(row is not None and self._wanted.matches(row) for row in (change.after, change.before)):
            return
        self._changed[id_] = None
        self.wake.set()

    def note_event(self, kept: KeptEvent, board: Board) -> None:
        """Take note of an event, if it is of a story watched. Of too many, the oldest are counted and let go."""
        if self._story is not None:
            if kept.event.story != self._story:
                return
        elif self._wanted != _EVERYTHING:
            story = board.get(kept.event.story)
            if story is None or not self._wanted.matches(story.row):
                return
        if len(self._events) == MAX_WAITING_EVENTS:
            self._missed += 1
            metrics.EVENTS_MISSED.inc()
        self._events.append(kept)
        self.wake.set()

    def note_status(self, message: bytes) -> None:
        """Take note of how serve is doing; only the newest waits."""
        self._status = message
        self.wake.set()

    def take(self, board: Board, now_ms: int) -> Iterator[tuple[str, bytes]]:
        """Yield the type and the JSON of each message now due, and forget what was waiting."""
        self.wake.clear()
        status, self._status = self._status, None
        if status is not None:
            yield "status", status
        if self._changed or self._events:
            yield "update", self._update(board, now_ms)

    def _update(self, board: Board, now_ms: int) -> bytes:
        scores: list[bytes] = []
        gone: list[bytes] = []
        for id_ in self._changed:
            story = board.get(id_)
            if story is None or (self._story is None and not self._wanted.matches(story.row)):
                gone.append(_encode(id_))
            else:
                scores.append(story.encoded_row() if self._story is None else story.record)
        message = b'{"type":"update","now_ms":%d,"scores":[%b],"gone":[%b],"events":[%b],"missed_events":%d}' % (
            now_ms,
            b",".join(scores),
            b",".join(gone),
            b",".join(kept.record for kept in self._events),
            self._missed,
        )
        self._changed.clear()
        self._events.clear()
        self._missed = 0
        return message


class Watchers:
    """All who watch. ``limit``: how many there may be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._watchers: set[Watcher] = set()

    def __len__(self) -> int:
        return len(self._watchers)

    @property
    def full(self) -> bool:
        """Whether nobody else may watch."""
        return len(self._watchers) >= self._limit

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        """Let ``watcher`` watch while the block runs."""
        self._watchers.add(watcher)
        metrics.CLIENTS.set(len(self._watchers))
        try:
            yield
        finally:
            self._watchers.discard(watcher)
            metrics.CLIENTS.set(len(self._watchers))

    def note_change(self, id_: str, change: Change) -> None:
        """Tell all of a changed story."""
        for watcher in self._watchers:
            watcher.note_change(id_, change)

    def note_event(self, kept: KeptEvent, board: Board) -> None:
        """Tell all of an event."""
        for watcher in self._watchers:
            watcher.note_event(kept, board)

    def note_status(self, message: bytes) -> None:
        """Tell all how serve is doing."""
        for watcher in self._watchers:
            watcher.note_status(message)


_EVERYTHING = StoryFilter()
_encode = msgspec.json.Encoder().encode
