"""The stream of an instance's public timeline, and whether it can be relied upon.

Owns what the events mean (https://docs.joinmastodon.org/methods/streaming/#events), and how a stream is compared with
the timeline. There are instances that stream deletions and no posts. Must never know what becomes of a status.
"""

import json
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

from ingest.platforms.mastodon.client import InstanceClient
from ingest.platforms.mastodon.identity import local_id_at
from ingest.stream import EventStream, Frame

MAX_EVENTS: Final = 500
"""Most events of one batch."""
SILENT_DELETIONS: Final = 20
"""After so many deletions without a post, an instance streams no posts."""
RECEIVE_SECONDS: Final = 0.05
"""How long to wait for events that are on their way, in real seconds."""


class Event(NamedTuple):
    """``kind``: a status was posted or edited, or deleted, or the event cannot be read. ``data``: its JSON or id."""

    kind: Literal["status", "deletion", "unreadable"]
    data: object
    witnessed_ms: int


class PublicStream:
    """The stream, as far as it is connected. ``late_ms``: how late statuses may arrive."""

    def __init__(self, client: InstanceClient, late_ms: int, now_ms: Callable[[], int]) -> None:
        self._client = client
        self._now_ms = now_ms
        self._late_ms = late_ms
        self._stream: EventStream | None = None
        self._since_ms: int | None = None
        self._posted_ms: int | None = None
        self._missing: set[int] = set()
        self.deletions = 0

    @property
    def streams_no_posts(self) -> bool:
        """True if there were only deletions since it was connected."""
        return self._posted_ms is None and self.deletions >= SILENT_DELETIONS

    def is_reliable(self, read_to: int) -> bool:
        """Return whether the stream delivers all that a timeline read up to ``read_to`` would still show.

        That is so if posts have come, and if everything from before the connection was read.
        """
        return self._posted_ms is not None and self._since_ms is not None and read_to >= local_id_at(self._since_ms)

    async def receive(self) -> list[Event]:
        """Return what has come since the last call. It connects if necessary.

        Raises:
            CollectError: the stream was refused or broke; the next call connects again.
        """
        if self._stream is None:
            self._stream = await self._client.stream()
        try:
            frames = await self._stream.receive(MAX_EVENTS, RECEIVE_SECONDS)
        except BaseException:
            self._disconnected()
            raise
        events = [event for frame in frames if (event := _event(frame)) is not None]
        if not self._stream.connected:  # it broke after these events
            self._disconnected()
            return events
        if self._since_ms is None:
            self._since_ms = self._now_ms()
        self.deletions += sum(event.kind == "deletion" for event in events)
        posted = [event.witnessed_ms for event in events if event.kind == "status"]
        if posted:
            if self._posted_ms is None:
                self._since_ms = self._now_ms()  # only from here on is it proven to deliver posts
            self._posted_ms = posted[-1]
        return events

    def compare(self, ids: Iterable[int]) -> bool:
        """Compare with the newest page of the timeline; return False if the stream leaves out what that shows.

        A status may be under way in the stream, so it must be missing at two comparisons in a row.
        """
        since_ms = self._posted_ms or self._since_ms
        if since_ms is None:
            return True
        begin, end = local_id_at(since_ms), local_id_at(self._now_ms() - self._late_ms)
        before, self._missing = self._missing, {id_ for id_ in ids if begin <= id_ < end}
        if before.isdisjoint(self._missing):
            return True
        self._posted_ms = None
        return False

    def _disconnected(self) -> None:
        self._since_ms = self._posted_ms = None
        self.deletions = 0

    async def aclose(self) -> None:
        """Close the connection."""
        self._disconnected()
        if self._stream is not None:
            await self._stream.aclose()


def _event(frame: Frame) -> Event | None:
    """Return what an event means; None for those that concern an account and not its posts."""
    match frame.event:
        case "update" | "status.update":
            try:
                return Event("status", json.loads(frame.data), frame.witnessed_ms)
            except (ValueError, RecursionError):
                return Event("unreadable", frame.data.decode("utf-8", "replace"), frame.witnessed_ms)
        case "delete":
            return Event("deletion", frame.data.decode("ascii", "replace").strip(), frame.witnessed_ms)
        case _:
            return None
