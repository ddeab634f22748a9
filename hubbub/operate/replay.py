"""Publishing recorded signals as a collector would have, at their own speed or faster.

Owns the way from a recording to the topic ``signals``, and the progress that a publisher reports to the stages behind
it. So a replay of days in seconds gives the same stories and scores as the days did.
"""

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hubbub.clock import wall_clock
from hubbub.operate.decoding import UnreadableRecordError, readable
from ingest.signal import Signal, key
from streams.records import encode
from streams.records.progress import Progress, PublishProgress, ResolveProgress, ScoreProgress, decode_progress
from streams.resolve.publishers import PUBLISH
from transport.errors import UserError
from transport.kafka import ConsumerRecord, Producer, RecordMetadata
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

UNACKNOWLEDGED = 5_000
"""Records in flight to the broker."""
JOIN_SECONDS = 10.0
"""How long to wait until every reader of ``signals`` knows this publisher. Then the replay begins anyway."""
ALIVE_MS = 5_000
"""A reader that has reported nothing for this long is not running."""
REPORT_SECONDS = 0.2
"""How often the publisher reports its progress."""


@dataclass(slots=True)
class Replayed:
    """What a replay did. Times in UTC epoch ms; ``token``: the name by which the stages know it."""

    token: str = ""
    published: int = 0
    first_ms: int = 0
    last_ms: int = 0
    seconds: float = 0.0


async def replay(
    recordings: Iterator[tuple[Signal, bytes]],
    *,
    kafka: Mapping[str, object],
    prefix: str,
    speed: float | None,
    on_progress: Callable[[Replayed], None] = lambda _: None,
) -> Replayed:
    """Publish ``recordings`` to ``signals``; return when the broker has all of them.

    ``speed``: times as fast as recorded; None: as fast as possible.

    Raises:
        KafkaError: the broker cannot be reached, or refuses.
    """
    topic = name("signals", prefix)
    done = Replayed()
    async with open_producer(kafka, linger_ms=5) as producer:
        publisher = _Publisher(producer, prefix, await _end_offsets(kafka, topic))
        await publisher.report(0)
        await _wait_until_known(publisher.instance, kafka, prefix)
        started_at = reported_at = time.monotonic()
        for signal, raw in recordings:
            if speed is not None and done.published:
                due = started_at + (signal.observed_ms - done.first_ms) / 1000 / speed
                while (wait := due - time.monotonic()) > 0:
                    await publisher.note_acknowledged(wait=True)
                    await publisher.report(done.last_ms)
                    await asyncio.sleep(min(wait, REPORT_SECONDS))
            future = await producer.send(topic, raw, key(signal))
            publisher.in_flight.append((signal.observed_ms, future))
            done.first_ms = done.first_ms or signal.observed_ms
            done.last_ms = max(done.last_ms, signal.observed_ms)
            done.published += 1
            if len(publisher.in_flight) >= UNACKNOWLEDGED:
                await publisher.in_flight[len(publisher.in_flight) // 2][1]
            if time.monotonic() - reported_at >= REPORT_SECONDS:
                reported_at = time.monotonic()
                await publisher.note_acknowledged(wait=False)
                # More signals of the newest time may follow. Everything up to the time before it is published.
                await publisher.report(publisher.reached_ms - 1)
                done.seconds = reported_at - started_at
                on_progress(done)
        await publisher.note_acknowledged(wait=True)
        await publisher.report(done.last_ms, ended=True)
        done.token = publisher.instance
        done.seconds = time.monotonic() - started_at
        on_progress(done)
    return done


class _Publisher:
    """Reports in ``progress`` how far this publisher has come."""

    def __init__(self, producer: Producer, prefix: str, offsets: dict[int, int]) -> None:
        self._producer = producer
        self._topic = name("progress", prefix)
        self._offsets = offsets
        self.instance = uuid.uuid4().hex[:12]
        self.in_flight: deque[tuple[int, asyncio.Future[RecordMetadata]]] = deque()
        self.reached_ms = 0

    async def note_acknowledged(self, *, wait: bool) -> None:
        """Note the offsets of acknowledged records, in the order they were published. ``wait``: for all of them."""
        while self.in_flight and (wait or self.in_flight[0][1].done()):
            observed_ms, future = self.in_flight.popleft()
            metadata = await future
            self._offsets[metadata.partition] = max(self._offsets.get(metadata.partition, 0), metadata.offset + 1)
            self.reached_ms = max(self.reached_ms, observed_ms)

    async def report(self, mark_ms: int, *, ended: bool = False) -> None:
        """Report that everything up to ``mark_ms`` is in the log, below the noted offsets."""
        record = PublishProgress(self.instance, mark_ms, wall_clock(), active=not ended, offsets=self._offsets)
        running = f"{PUBLISH}/{self.instance}".encode()
        if ended:
            # One key for the end of all replays: readers that come later need only the last.
            await self._producer.send_and_wait(self._topic, encode(record), f"{PUBLISH}/ended".encode(), 0)
            await self._producer.send_and_wait(self._topic, None, running, 0)
        else:
            await self._producer.send_and_wait(self._topic, encode(record), running, 0)


async def _wait_until_known(instance: str, kafka: Mapping[str, object], prefix: str) -> None:
    """Return when every running reader of ``signals`` knows this publisher, and takes no silence of it for the end."""
    sources: dict[str, ResolveProgress] = {}
    deadline = time.monotonic() + JOIN_SECONDS
    async with TopicReader(name("progress", prefix), kafka) as reader:
        records = await reader.read_to_end()
        while True:
            for record in records:
                if isinstance(progress := _progress(record), ResolveProgress):
                    sources[progress.instance] = progress
            alive_ms = wall_clock() - ALIVE_MS
            if time.monotonic() > deadline or all(
                s.updated_ms <= alive_ms or instance in s.heard for s in sources.values()
            ):
                return
            records = await reader.poll(100)


def _progress(record: ConsumerRecord[bytes, bytes]) -> Progress | None:
    """Return what a stage reports; None for a tombstone, and for a record of another program."""
    with contextlib.suppress(UnreadableRecordError), readable(record):
        return None if record.value is None else decode_progress(record.value)
    return None


async def _end_offsets(kafka: Mapping[str, object], topic: str) -> dict[int, int]:
    async with TopicReader(topic, kafka) as reader:
        return {place.partition: offset for place, offset in reader.end_offsets.items()}


async def wait_until_scored(
    token: str,
    *,
    kafka: Mapping[str, object],
    prefix: str,
    idle_timeout_seconds: float = 60.0,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:
    """Return when every partition of stories has been scored to the end of the replay ``token``.

    ``idle_timeout_seconds``: give up when no scorer makes progress for this long.

    Raises:
        UserError: no scorer makes progress.
    """
    partitions = len(await _end_offsets(kafka, name("story-activity", prefix)))
    scored: set[str] = set()
    reached: dict[str, tuple[int, str]] = {}
    moved_at = time.monotonic()
    async with TopicReader(name("progress", prefix), kafka) as reader:
        while len(scored) < partitions:
            for record in await reader.poll(200):
                if not isinstance(progress := _progress(record), ScoreProgress):
                    continue
                # A scorer that only repeats itself makes no progress.
                if reached.get(progress.instance) != (now := (progress.mark_ms, progress.settled)):
                    reached[progress.instance], moved_at = now, time.monotonic()
                if progress.settled == token:
                    scored.add(progress.instance)
            on_progress(len(scored), partitions)
            if time.monotonic() - moved_at > idle_timeout_seconds:
                raise UserError(
                    f"published, but scores have not moved for {idle_timeout_seconds:.0f} s; are the roles running? "
                    "Start them with: hubbub up --no-collect, or see what is stuck: hubbub doctor"
                )
