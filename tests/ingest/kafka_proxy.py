"""A TCP proxy in front of a broker that can refuse or hold chosen produce requests, and lose or falsify their answers.

It speaks just enough of Kafka's protocol (https://kafka.apache.org/protocol) to find the end and the kind of a request.
It puts its own port in place of the broker's, so that clients keep coming through it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from enum import Enum
from typing import Self

PRODUCE = 0
TOPIC_AUTHORIZATION_FAILED = 29


class Fault(Enum):
    """What happens to a produce request for a topic."""

    REFUSE = "refuse"  # it never reaches the broker, and the connection is closed once all before it is answered
    HOLD = "hold"  # it reaches the broker once the fault is taken away
    LOSE_ANSWER = "lose answer"  # the broker writes it, but its answer is lost
    DENY = "deny"  # the broker writes it, but answers that it has not, and that trying again is of no use


class KafkaProxy:
    """``faults``: by topic, to be changed at any time. ``struck`` counts. ``open``: whether connections are taken."""

    def __init__(self, bootstrap_servers: str) -> None:
        host, _, port = bootstrap_servers.rpartition(":")
        self._host, self._port = host, int(port)
        self.faults: dict[str, Fault] = {}
        self.struck: Counter[str] = Counter()
        self.open = True
        self.bootstrap_servers = ""
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.bootstrap_servers = f"127.0.0.1:{port}"
        host = self._host.encode()
        self._theirs, self._ours = host + self._port.to_bytes(4, "big"), host + port.to_bytes(4, "big")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self.open:
                there, back = await asyncio.open_connection(self._host, self._port)
                denied: dict[bytes, str] = {}
                lost = asyncio.Event()
                unanswered: set[bytes] = set()
                pumps = [
                    asyncio.create_task(self._requests(reader, back, lost, denied, unanswered)),
                    asyncio.create_task(self._responses(there, writer, lost, denied, unanswered)),
                ]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
                    back.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._connections.discard(task)

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        lost: asyncio.Event,
        denied: dict[bytes, str],
        unanswered: set[bytes],
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                frame = await _frame(reader)
                topic = self._faulty_topic(frame)
                if topic is not None:
                    self.struck[topic] += 1
                    match self.faults[topic]:
                        case Fault.REFUSE:
                            while unanswered:
                                await asyncio.sleep(0.005)
                            return
                        case Fault.HOLD:
                            while self.faults.get(topic) is Fault.HOLD:
                                await asyncio.sleep(0.01)
                        case Fault.LOSE_ANSWER:
                            lost.set()
                        case Fault.DENY:
                            assert int.from_bytes(frame[6:8], "big") in {5, 6, 7}, "another form of the answer"
                            denied[frame[8:12]] = topic  # by correlation id
                unanswered.add(frame[8:12])  # the correlation id
                back.write(frame)
                await back.drain()

    async def _responses(
        self,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        lost: asyncio.Event,
        denied: dict[bytes, str],
        unanswered: set[bytes],
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                frame = await _frame(there)
                if lost.is_set():
                    return
                if (topic := denied.pop(frame[4:8], None)) is not None:
                    frame = _with_errors(frame, topic.encode())
                writer.write(frame.replace(self._theirs, self._ours))
                await writer.drain()
                unanswered.discard(frame[4:8])

    def _faulty_topic(self, frame: bytes) -> str | None:
        if int.from_bytes(frame[4:6], "big") != PRODUCE:
            return None
        return next((topic for topic in self.faults if topic.encode() in frame), None)


def _with_errors(frame: bytes, topic: bytes) -> bytes:
    """Put an error for every partition of ``topic`` into a produce response of version 5 to 7."""
    place = frame.index(len(topic).to_bytes(2, "big") + topic) + 2 + len(topic)
    changed = bytearray(frame)
    for partition in range(int.from_bytes(frame[place : place + 4], "big")):
        # partition 4 bytes, error 2, offset 8, timestamp 8, log start offset 8
        error = place + 4 + partition * 30 + 4
        changed[error : error + 2] = TOPIC_AUTHORIZATION_FAILED.to_bytes(2, "big")
    return bytes(changed)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(int.from_bytes(size, "big"))
