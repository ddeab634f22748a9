"""Publishing recorded signals, as a collector would have, at their own pace or faster.

Owns the way from files to the topic ``signals``, and what a publisher tells the stages behind it: how far in time it
has come, so that a replay of days in seconds gives the same stories and scores as the days did.
"""

from __future__ import annotations

import asyncio
import gzip
import heapq
import io
import time
import uuid
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from ingest.signal import InvalidSignalError, Signal, decode, key
from streams.records import encode
from streams.records.progress import PublishProgress, ResolveProgress, ScoreProgress, decode_progress
from streams.resolve.publishers import PUBLISH
from transport.errors import UserError
from transport.kafka import Producer, RecordMetadata
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["Replayed", "read_recordings", "replay", "wait_until_scored"]

UNACKNOWLEDGED = 5_000
"""Records on their way to the broker at one time."""
RESOLVE = "resolve"
HEARD_SECONDS = 10.0
"""How long to wait for those who read ``signals`` to reckon with a publisher; then it begins all the same."""
ALIVE_MS = 5_000
"""A reader that has told nothing for so long is not running."""
TELL_SECONDS = 0.2
"""How often the publisher says how far it has come."""


@dataclass(slots=True)
class Replayed:
    """What a replay did. Times in UTC epoch ms; ``token``: by what name the stages know it."""

    token: str = ""
    published: int = 0
    first_ms: int = 0
    last_ms: int = 0
    seconds: float = 0.0


def read_recordings(
    files: Sequence[Path], refused: Callable[[Path, int, InvalidSignalError], None]
) -> Iterator[tuple[Signal, bytes]]:
    """Yield the signals of several recordings, merged in the order they were observed, with their bytes.

    Files are NDJSON, plain or compressed (.gz, .zst); each must be in order by itself. ``refused`` is told of lines
    that are no signal, by file and line number from 1.

    Raises:
        UserError: a file cannot be read.
    """

    def lines(order: int, file: Path, stream: BinaryIO) -> Iterator[tuple[int, int, int, Signal, bytes]]:
        for number, line in enumerate(stream, 1):
            raw = line.strip()
            if not raw:
                continue
            try:
                signal = decode(raw)
            except InvalidSignalError as error:
                refused(file, number, error)
                continue
            yield signal.observed_ms, order, number, signal, raw

    with ExitStack() as stack:
        streams = [lines(order, file, stack.enter_context(_open(file))) for order, file in enumerate(files)]
        try:
            for _, _, _, signal, raw in heapq.merge(*streams, key=lambda item: item[:3]):
                yield signal, raw
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            raise UserError(f"a recording cannot be read to its end: {error}") from None


def _open(file: Path) -> BinaryIO:
    try:
        if file.suffix == ".gz":
            return io.BufferedReader(gzip.open(file, "rb"))
        if file.suffix == ".zst":
            return io.BufferedReader(zstandard.open(file, "rb"))
        return file.open("rb")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror or error}") from None


async def replay(
    recordings: Iterator[tuple[Signal, bytes]],
    *,
    kafka: Mapping[str, object],
    prefix: str,
    speed: float | None,
    on_progress: Callable[[Replayed], None] = lambda _: None,
) -> Replayed:
    """Publish ``recordings`` to ``signals`` and return what was done, once the broker has all of it.

    ``speed``: times as fast as recorded; None: as fast as it goes.

    Raises:
        KafkaError: the broker cannot be reached, or refuses.
    """
    topic = name("signals", prefix)
    done = Replayed()
    async with open_producer(kafka, linger_ms=5) as producer:
        teller = _Teller(producer, prefix, await _end_offsets(kafka, topic))
        await teller.tell(0)
        await _until_heard(teller.instance, kafka, prefix)
        on_the_way: deque[tuple[int, asyncio.Future[RecordMetadata]]] = deque()
        began = told = time.monotonic()
        for signal, raw in recordings:
            if speed is not None and done.published:
                due = began + (signal.observed_ms - done.first_ms) / 1000 / speed
                while (wait := due - time.monotonic()) > 0:
                    await teller.settle_acknowledged(on_the_way, everything=True)
                    await teller.tell(done.last_ms)
                    await asyncio.sleep(min(wait, TELL_SECONDS))
            future = await producer.send(topic, raw, key(signal))
            on_the_way.append((signal.observed_ms, future))
            done.first_ms = done.first_ms or signal.observed_ms
            done.last_ms = max(done.last_ms, signal.observed_ms)
            done.published += 1
            if len(on_the_way) >= UNACKNOWLEDGED:
                await on_the_way[len(on_the_way) // 2][1]
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                await teller.settle_acknowledged(on_the_way, everything=False)
                # More signals of the newest time may follow; up to the time before it, everything is out.
                await teller.tell(teller.reached_ms - 1)
                done.seconds = told - began
                on_progress(done)
        await teller.settle_acknowledged(on_the_way, everything=True)
        await teller.tell(done.last_ms, ended=True)
        done.token = teller.instance
        done.seconds = time.monotonic() - began
        on_progress(done)
    return done


class _Teller:
    """Says in ``progress`` how far this publisher has come."""

    def __init__(self, producer: Producer, prefix: str, offsets: dict[int, int]) -> None:
        self._producer = producer
        self._topic = name("progress", prefix)
        self.instance = uuid.uuid4().hex[:12]
        self._offsets = offsets
        self.reached_ms = 0

    async def settle_acknowledged(
        self, on_the_way: deque[tuple[int, asyncio.Future[RecordMetadata]]], *, everything: bool
    ) -> None:
        """Note the offsets of what the broker has, in the order it was published."""
        while on_the_way and (everything or on_the_way[0][1].done()):
            observed_ms, future = on_the_way.popleft()
            metadata = await future
            self._offsets[metadata.partition] = max(self._offsets.get(metadata.partition, 0), metadata.offset + 1)
            self.reached_ms = max(self.reached_ms, observed_ms)

    async def tell(self, mark_ms: int, *, ended: bool = False) -> None:
        """Publish that everything up to ``mark_ms`` is in the log below the offsets noted."""
        record = PublishProgress(
            self.instance,
            mark_ms,
            time.time_ns() // 1_000_000,
            active=not ended,
            offsets=self._offsets,
        )
        running = f"{PUBLISH}/{self.instance}".encode()
        if ended:
            # One key for the end of all replays: only the last of them is of interest to who comes later.
            await self._producer.send_and_wait(self._topic, encode(record), f"{PUBLISH}/ended".encode(), 0)
            await self._producer.send_and_wait(self._topic, None, running, 0)
        else:
            await self._producer.send_and_wait(self._topic, encode(record), running, 0)


async def _until_heard(instance: str, kafka: Mapping[str, object], prefix: str) -> None:
    """Return when all who read ``signals`` reckon with this publisher, so that none takes silence for the end.

    Nobody who reads: nobody to wait for.
    """
    sources: dict[str, ResolveProgress] = {}
    deadline = time.monotonic() + HEARD_SECONDS
    async with TopicReader(name("progress", prefix), kafka) as tail:
        records = await tail.read_to_end()
        while True:
            for record in records:
                progress = decode_progress(record.value) if record.value is not None else None
                if isinstance(progress, ResolveProgress):
                    sources[progress.instance] = progress
            alive_ms = time.time_ns() // 1_000_000 - ALIVE_MS
            deaf = [s for s in sources.values() if s.updated_ms > alive_ms and instance not in s.heard]
            if not deaf or time.monotonic() > deadline:
                return
            records = await tail.poll(100)


async def _end_offsets(kafka: Mapping[str, object], topic: str) -> dict[int, int]:
    async with TopicReader(topic, kafka) as tail:
        return {place.partition: offset for place, offset in tail.end_offsets.items()}


async def wait_until_scored(
    token: str,
    *,
    kafka: Mapping[str, object],
    prefix: str,
    silence_seconds: float = 60.0,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:
    """Return when every partition of stories has been scored at the end of the replay ``token``.

    ``silence_seconds``: give up when nothing at all moves for so long.

    Raises:
        UserError: nobody scores.
    """
    async with TopicReader(name("story-activity", prefix), kafka) as activity:
        partitions = len(activity.end_offsets)
    settled: set[str] = set()
    reached: dict[str, tuple[int, str]] = {}
    moved = time.monotonic()
    async with TopicReader(name("progress", prefix), kafka) as tail:
        while len(settled) < partitions:
            for record in await tail.poll(200):
                progress = decode_progress(record.value) if record.value is not None else None
                if not isinstance(progress, ScoreProgress):
                    continue
                # Who only says again what it has said may say so for ever.
                if reached.get(progress.instance) != (now := (progress.mark_ms, progress.settled)):
                    reached[progress.instance], moved = now, time.monotonic()
                if progress.settled == token:
                    settled.add(progress.instance)
            on_progress(len(settled), partitions)
            if time.monotonic() - moved > silence_seconds:
                raise UserError(
                    f"published, but scores have not moved for {silence_seconds:.0f} s; are the roles running? "
                    "Start them with: hubbub up --no-collect, or see what is stuck: hubbub doctor"
                )
