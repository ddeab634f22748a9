"""The subscribers of the read model, and what each has still to be sent.

Owns the queue of every subscriber and its bounds. Must never know what a socket is. For a slow subscriber, story *ids*
wait, not messages: ten changes of one story are sent as its newest state. So the size of the read model bounds the
memory that a subscriber takes, however slow it is.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from streams.serve import metrics
from streams.serve.query import EVERYTHING, StoryFilter
from streams.serve.read_model import ReadModel, StoredEvent, StoryChange

MAX_QUEUED_EVENTS: Final = 200


class Subscriber:
    """Receives every story that passes ``wanted``; or one ``story``, as whole records."""

    def __init__(self, wanted: StoryFilter, story: str | None = None) -> None:
        self.wake = asyncio.Event()
        self._changed: dict[str, None] = {}
        self._events: deque[StoredEvent] = deque(maxlen=MAX_QUEUED_EVENTS)
        self._missed = 0
        self._status: bytes | None = None
        self._wanted = wanted
        self._story = story

    def select(self, wanted: StoryFilter, story: str | None) -> None:
        """Receive other stories from now on. Drop the queue."""
        self._wanted, self._story = wanted, story
        self._clear()

    def queue_change(self, id_: str, change: StoryChange) -> None:
        """Queue a changed story if it passes the filter, or did before the change."""
        if self._story is not None:
            if id_ != self._story:
                return
        elif not any(row is not None and self._wanted.matches(row) for row in (change.after, change.before)):
            return
        self._changed[id_] = None
        self.wake.set()

    def queue_event(self, stored: StoredEvent, read_model: ReadModel) -> None:
        """Queue an event if its story passes the filter. If the queue is full, drop and count its oldest event."""
        if self._story is not None:
            if stored.event.story != self._story:
                return
        elif self._wanted != EVERYTHING:
            story = read_model.get(stored.event.story)
            if story is None or not self._wanted.matches(story.row):
                return
        if len(self._events) == MAX_QUEUED_EVENTS:
            self._missed += 1
            metrics.EVENTS_MISSED.inc()
        self._events.append(stored)
        self.wake.set()

    def queue_status(self, message: bytes) -> None:
        """Queue a status message; it replaces the one that waits."""
        self._status = message
        self.wake.set()

    def drain(self, read_model: ReadModel, now_ms: int) -> Iterator[tuple[str, bytes]]:
        """Yield the type and the JSON of each message that is due, and empty the queue."""
        self.wake.clear()
        status, self._status = self._status, None
        if status is not None:
            yield "status", status
        if self._changed or self._events:
            yield "update", self._update(read_model, now_ms)

    def _update(self, read_model: ReadModel, now_ms: int) -> bytes:
        scores: list[bytes] = []
        gone: list[bytes] = []
        for id_ in self._changed:
            story = read_model.get(id_)
            if story is None or (self._story is None and not self._wanted.matches(story.row)):
                gone.append(msgspec.json.encode(id_))
            else:
                scores.append(story.encoded_row() if self._story is None else story.record)
        message = b'{"type":"update","now_ms":%d,"scores":[%b],"gone":[%b],"events":[%b],"missed_events":%d}' % (
            now_ms,
            b",".join(scores),
            b",".join(gone),
            b",".join(stored.record for stored in self._events),
            self._missed,
        )
        self._clear()
        return message

    def _clear(self) -> None:
        self._changed.clear()
        self._events.clear()
        self._missed = 0


class Subscribers:
    """All subscribers. ``limit``: how many there may be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._subscribers: set[Subscriber] = set()

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return len(self._subscribers) >= self._limit

    @contextmanager
    def subscribed(self, subscriber: Subscriber) -> Iterator[None]:
        """Keep ``subscriber`` subscribed while the block runs."""
        self._subscribers.add(subscriber)
        metrics.CLIENTS.set(len(self._subscribers))
        try:
            yield
        finally:
            self._subscribers.discard(subscriber)
            metrics.CLIENTS.set(len(self._subscribers))

    def publish_change(self, id_: str, change: StoryChange) -> None:
        """Queue a changed story for every subscriber."""
        for subscriber in self._subscribers:
            subscriber.queue_change(id_, change)

    def publish_event(self, stored: StoredEvent, read_model: ReadModel) -> None:
        """Queue an event for every subscriber."""
        for subscriber in self._subscribers:
            subscriber.queue_event(stored, read_model)

    def publish_status(self, message: bytes) -> None:
        """Queue a status message for every subscriber."""
        for subscriber in self._subscribers:
            subscriber.queue_status(message)
