"""The listener: the events of one Jetstream host after another.

Owns the connection and what was read from it but not handed on. Must never know what becomes of an event.
"""

from typing import Final, NamedTuple

import msgspec

from ingest.batch import Unreadable
from ingest.collector import CollectorContext
from ingest.errors import COLLECT_ERRORS
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.hosts import Hosts, Place
from ingest.platforms.bluesky.wire import SUBPROTOCOL, Event, read, repaired
from ingest.stream import Frame, WebSocketStream
from transport.errors import RetryLaterError
from transport.http import url_name

WAIT_SECONDS: Final = 1.0
"""Longest wait for a first event."""
GATHER_SECONDS: Final = 0.05
"""How long to gather what follows."""


class Heard(NamedTuple):
    """An event, the JSON and the time of its arrival, and where to go on from it."""

    event: Event
    data: bytes
    witnessed_ms: int
    place: Place


class Listener:
    """Reads the hosts in ``config``, from ``saved`` on."""

    def __init__(self, config: BlueskyConfig, saved: Place | None, context: CollectorContext) -> None:
        self.hosts = Hosts(config, saved, context.now_ms, context.clock)
        urls = [*config.hosts, *config.v1_hosts]
        self._stream = WebSocketStream(
            config,
            context,
            urls[0],
            urls,
            {"Sec-WebSocket-Protocol": SUBPROTOCOL},
            silence_seconds=config.silence_seconds,
        )
        self._max_items = config.batch_max_items
        self._frames: list[Frame] = []
        self._failure: Exception | None = None

    async def listen(self) -> tuple[list[Heard], list[Unreadable]]:
        """Return the events that came since the last call, and the frames that hold none.

        It may be cancelled, and loses nothing by that.

        Raises:
            CollectError: the host cannot be read; events before that were returned.
        """
        try:
            await self._receive()
        except COLLECT_ERRORS:
            await self._stream.aclose()
            self.hosts.failed()
            raise
        frames, self._frames = self._frames, []
        heard: list[Heard] = []
        unreadable: list[Unreadable] = []
        for frame in frames:
            try:
                event, data = self._read(frame.data)
            except RetryLaterError as error:
                self._failure = error
                break
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                unreadable.append(Unreadable("wrong_shape", str(error), frame.data))
                continue
            if event is not None:
                self.hosts.read(event)
                heard.append(Heard(event, data, frame.witnessed_ms, self.hosts.place))
        return heard, unreadable

    async def close(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    def _read(self, data: bytes) -> tuple[Event | None, bytes]:
        """Return the event in a frame, and the frame, repaired if need be."""
        wire = self.hosts.current.wire
        try:
            return read(wire, data), data
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            data = repaired(data)
            return read(wire, data), data

    async def _receive(self) -> None:
        """Add what came to the frames; a failure after some frames waits for the next call."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._stream.connected and self.hosts.is_stale():
            raise RetryLaterError(f"{url_name(self._stream.url)} is behind and does not catch up")
        if not self._stream.connected:
            self._stream.url = self.hosts.url()
        if not self._frames:
            self._frames += await self._stream.receive(1, WAIT_SECONDS)
        if self._frames and len(self._frames) < self._max_items:
            try:
                self._frames += await self._stream.receive(self._max_items - len(self._frames), GATHER_SECONDS)
            except COLLECT_ERRORS as error:
                self._failure = error
