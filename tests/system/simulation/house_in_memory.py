"""The workers of resolve and score on a Kafka in memory: recordings published, processes killed, and the result."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import NamedTuple, cast

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.signal import Signal, key
from ingest.signal import encode as encode_signal
from scoring import Lifecycle
from streams.records import encode
from streams.records.progress import PublishProgress, ResolveProgress, ScoreProgress, decode_progress
from streams.records.stories import ORDER_KEY, OperatorCommand
from streams.resolve import connections, worker
from streams.resolve.config import ResolveConfig
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.matcher import Matcher
from streams.resolve.threads import ThreadIndex
from streams.resolve.worker import Resolver
from streams.score import changelog
from streams.score import processor as score_processor
from streams.score import worker as score_worker
from streams.score.assigned_partition import InputRecord, MissingInputError
from streams.score.changelog import RestoredPartition
from streams.score.config import ScoreConfig
from streams.score.processor import Processor
from streams.score.scored_story import ScoredStory
from streams.score.worker import ScoreWorker
from tests.streams.examples.activity import Unread
from tests.system.simulation.kafka_in_memory import (
    Consumer,
    Kafka,
    Process,
    Producer,
    Record,
    TopicReader,
    describe,
    observe_membership,
)
from tests.system.simulation.matcher_by_subject import BySubject
from transport import fencing, incarnations

SOURCES, STORIES = 3, 2
PARTITIONS = {
    "signals": SOURCES,
    "candidates": 1,
    "stories": 1,
    "story-activity": STORIES,
    changelog.TOPIC: STORIES,
    "noise-scores": STORIES,
    "noise-events": STORIES,
    "dead-letters": 1,
    "progress": 1,
}
RESOLVE = ResolveConfig(
    flush_seconds=1e-9,  # slept in real time; nothing else here takes any
    forget_hours=1,
    heartbeat_seconds=0.05,
    commit_seconds=0.03,
    session_seconds=600,
)
SCORE = ScoreConfig(assessor="none", session_seconds=600)
PROGRESS = TopicPartition("progress", 0)
LATER_MS = 4_000_000_000_000
"""The clock. The recordings are so long ago that this is a replay."""


class InMemoryInput:
    """The input of a score worker. It hands out records as badly as an input may: again, from before, with gaps."""

    def __init__(self, processor: Processor, kafka: Mapping[str, object], _: ScoreConfig) -> None:
        process = cast(Process, kafka["process"])
        self._kafka = process.kafka
        self._processor = processor
        self._consumer = Consumer(process=process, group_id=processor.group)
        self._consumer.subscribe([processor.topic], self)
        processor.lease.renew_by(cast(AIOKafkaConsumer, self._consumer))
        self._assigned: set[TopicPartition] | None = None
        self.taken_over: dict[int, int] = {}
        """How many records of ``progress`` there were when each partition was taken over."""

    async def on_partitions_revoked(self, _: set[TopicPartition]) -> None:
        self._assigned = None
        self.taken_over = {}
        await self._processor.revoke()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._processor.assign(self._consumer.generation)
        self._assigned = assigned

    async def run(self) -> None:
        await self._consumer.start()
        while True:
            if self._assigned is not None:
                await self._take_over(self._assigned)
                continue
            batches = await self._consumer.getmany(timeout_ms=0)
            records = [
                InputRecord(one.partition, one.offset, self._consumer.generation, one.value or b"", lambda: None)
                for batch in batches.values()
                for one in self._handed_out(batch)
            ]
            await self._processor.process(records, lambda _: None)

    async def _take_over(self, assigned: set[TopicPartition]) -> None:
        await self._processor.take_over(sorted(place.partition for place in assigned))
        if self._assigned is assigned:
            self._assigned = None
            for partition, offset in self._processor.next_offsets().items():
                self._consumer.seek(TopicPartition(self._processor.topic, partition), offset)
                self.taken_over[partition] = len(self._kafka.logs[PROGRESS])

    async def stop(self) -> None:
        await self._consumer.stop()

    def _handed_out(self, records: list[Record]) -> list[Record]:
        chance = self._kafka.chance
        if chance.random() < 0.97:
            return records
        whim = chance.randrange(3)
        if whim == 0:
            return records[chance.randrange(len(records)) :]
        log, first = self._kafka.logs[TopicPartition("story-activity", records[0].partition)], records[0].offset
        return [*log[max(0, first - 20) : first if whim == 1 else first - 10], *records]


class Result(NamedTuple):
    """The result of a run, which must not depend on its disturbances."""

    threads: dict[str, tuple[str, ...]]
    forgotten: dict[str, int]
    noise: dict[str, float]
    lifecycles: dict[str, Lifecycle]
    events: frozenset[bytes]


@dataclass
class House:
    """The processes, and the disturbances."""

    kafka: Kafka
    resolve: ResolveConfig
    processes: dict[str, Process] = field(default_factory=dict)
    inputs: dict[str, InMemoryInput] = field(default_factory=dict)
    restarts: int = 0

    def start(self, name: str) -> None:
        process = self.processes[name] = Process(self.kafka)
        if name.startswith("resolve"):
            resolver = Resolver(
                kafka={"process": process},
                prefix="",
                config=self.resolve,
                beats={"beat": Beat(name="beat")},
                now_ms=lambda: LATER_MS,
                monotonic=self.kafka.monotonic,
                make_matcher=cast(Callable[[Beat, MatcherConfig], Matcher], BySubject),
            )
            process.task = asyncio.create_task(resolver.run(asyncio.Event()))
        else:
            scorer = ScoreWorker(
                kafka={"process": process},
                prefix="",
                config=SCORE,
                reader=Unread(),
                now_ms=lambda: LATER_MS,
                monotonic=self.kafka.monotonic,
                make_input=partial(self._make_input, name),
            )
            process.task = asyncio.create_task(scorer.run(asyncio.Event()))

    def _make_input(
        self, name: str, processor: Processor, kafka: Mapping[str, object], config: ScoreConfig
    ) -> InMemoryInput:
        input_ = self.inputs[name] = InMemoryInput(processor, kafka, config)
        return input_

    async def disturb(self, times: int) -> None:
        """Kill processes at random and start them again; have the group drop some that are alive."""
        chance = self.kafka.chance
        for _ in range(times):
            for _ in range(chance.randrange(5, 60)):
                await self.kafka.pause()
            name = chance.choice(sorted(self.processes))
            process = self.processes[name]
            readers = [consumer for consumer in process.consumers if consumer.reads("signals")]
            if readers and chance.random() < 0.3:
                await readers[0].stand_still()
            else:
                await self._replace(name)

    async def _replace(self, name: str) -> None:
        process = self.processes[name]
        await process.kill()
        if self.processes[name] is process:  # no other task has replaced it
            self.start(name)

    async def publish(self, signals: Sequence[Signal]) -> str:
        """Publish a recording, not quite in order, as ``hubbub replay`` does; return its token."""
        token, offsets = f"replay{len(signals)}", dict[int, int]()
        complete_ms = list(accumulate((signal.observed_ms - 1 for signal in reversed(signals)), min))[::-1]

        def report(mark_ms: int, *, ended: bool = False) -> None:
            progress = PublishProgress(token, mark_ms, 0, active=not ended, offsets=dict(offsets))
            self.kafka.append("progress", encode(progress), b"publish", 0)

        report(0)
        while not self._all_readers_know(token):
            await self.kafka.pause()
        for number, signal in enumerate(signals):
            if number % 5 == 0:
                report(complete_ms[number])
            place = self.kafka.append("signals", encode_signal(signal), key(signal), None)
            offsets[place] = len(self.kafka.logs[TopicPartition("signals", place)])
            if self.kafka.chance.random() < 0.5:
                await self.kafka.pause()
        report(max(signal.observed_ms for signal in signals), ended=True)
        return token

    def _all_readers_know(self, token: str) -> bool:
        known: dict[str, bool] = {}
        for record in self.kafka.read("progress"):
            progress = decode_progress(record.value or b"")
            if isinstance(progress, ResolveProgress):
                known[progress.instance] = token in progress.heard
        return len(known) == SOURCES and all(known.values())

    async def settled(self, token: str) -> None:
        """Wait until every partition of stories is scored to the end by its owner, who may not have seen all of it."""
        read, settled = 0, dict[int, int]()
        while len(self._owned_by(settled)) < STORIES:
            for name, process in list(self.processes.items()):
                if process.task is not None and process.task.done() and not process.task.cancelled():
                    with suppress(MissingInputError):  # it is restarted
                        process.task.result()
                    await self._replace(name)
                    self.restarts += 1
            await self.kafka.pause()
            assert self.kafka.seconds < 1_000 + 200, "nothing moves any more"
            for record in self.kafka.logs[PROGRESS][read:]:
                progress = decode_progress(record.value or b"")
                if isinstance(progress, ScoreProgress) and progress.settled == token:
                    settled[int(progress.instance)] = record.offset
            read = len(self.kafka.logs[PROGRESS])

    def _owned_by(self, settled: Mapping[int, int]) -> set[int]:
        """Return the partitions whose owner has written a record of ``settled``: an offset in ``progress`` for each."""
        return {
            partition
            for input_ in self.inputs.values()
            for partition, since in input_.taken_over.items()
            if settled.get(partition, -1) >= since
        }

    def accounts(self) -> dict[int, dict[str, int]]:
        """Return the last report on each source's records."""
        reports = [decode_progress(record.value or b"") for record in self.kafka.read("progress")]
        return {
            int(progress.instance): progress.counts for progress in reports if isinstance(progress, ResolveProgress)
        }

    def result(self) -> Result:
        for source, counts in self.accounts().items():
            read = counts["read"]
            assert read == sum(counts.values()) - read >= len(self.kafka.logs[TopicPartition("signals", source)])
        index = ThreadIndex()
        for record in self.kafka.read("stories"):
            index.apply(record.key, record.value)
        threads = {thread: index.current_stories(thread) for thread in index.known}
        scores = {name: msgspec.json.decode(value) for name, value in self._latest("noise-scores").items()}
        remembered = RestoredPartition()
        for record in self.kafka.read(changelog.TOPIC):
            remembered.apply(record.key, record.value)
        stored = {name.decode(): ScoredStory.decode(value) for name, value in remembered.states.items()}
        states = {name: story for name, story in stored.items() if story.into is None}
        gone = {name for name, story in stored.items() if story.into is not None}
        assert states.keys() == scores.keys()
        assert gone == {info.id for info in index.stories.values() if info.into is not None}
        return Result(
            threads,
            index.expired,
            {story: score["noise"] for story, score in scores.items()},
            {story: state.scoring.lifecycle for story, state in states.items()},
            frozenset(
                r.value or b"" for r in self.kafka.read("noise-events") if b'"noise_update"' not in (r.value or b"")
            ),
        )

    def _latest(self, topic: str) -> dict[str, bytes]:
        """Return the last record of each key, as compaction leaves them."""
        latest = {record.key.decode(): record.value for record in self.kafka.read(topic)}
        return {name: value for name, value in latest.items() if value is not None}

    async def close(self) -> None:
        for process in self.processes.values():
            process.die()
        await asyncio.gather(*(p.task for p in self.processes.values() if p.task is not None), return_exceptions=True)


@asynccontextmanager
async def _producer(kafka: dict[str, Process]) -> AsyncIterator[Producer]:
    producer = Producer(kafka["process"])
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def _open_consumer(*, process: Process, group_id: str, **_: object) -> AsyncIterator[Consumer]:
    yield Consumer(process=process, group_id=group_id)


async def _end_offsets(kafka: Mapping[str, Process], partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    return {place: len(kafka["process"].kafka.logs[place]) for place in partitions}


async def _in_this_thread(call: Callable[..., object], *arguments: object) -> object:
    return call(*arguments)


def _consumer(kafka: dict[str, Process], group: str, _: float) -> Consumer:
    return Consumer(process=kafka["process"], group_id=group)


async def run(
    seed: int,
    signals: Sequence[Signal],
    *,
    disturbances: int,
    resolvers: int = 2,
    orders: Sequence[OperatorCommand] = (),
    strays: Sequence[Signal] = (),
    keep_forgotten_seconds: float = 600,
) -> Result:
    """Publish a recording to the house, after ``orders`` and ``strays``; return the result."""
    kafka = Kafka(random.Random(seed), PARTITIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "to_thread", _in_this_thread)  # a thread takes real time, so a run would not be its seed
        patch.setattr(connections, "group_consumer", _consumer)
        patch.setattr(connections, "TopicReader", TopicReader)
        patch.setattr(worker, "open_producer", _producer)
        patch.setattr(fencing, "observe_membership", observe_membership)
        patch.setattr(incarnations, "describe", describe)
        patch.setattr(
            fencing, "check_before_producing", lambda *_: None
        )  # a process that stands still here is dropped by its group
        patch.setattr(worker, "abandoned_on_failure", nullcontext)
        patch.setattr(score_worker, "open_producer", _producer)
        patch.setattr(score_processor, "TopicReader", TopicReader)
        patch.setattr(score_processor, "open_consumer", _open_consumer)
        patch.setattr(score_processor, "end_offsets", _end_offsets)
        for stray in strays:
            kafka.append("signals", encode_signal(stray), key(stray), None, stray.observed_ms)
        for order in orders:
            kafka.append("stories", encode(order), ORDER_KEY + f"{order.kind}:{order.subject}".encode(), 0)
        house = House(kafka, RESOLVE.model_copy(update={"keep_forgotten_seconds": keep_forgotten_seconds}))
        for name in [*(f"resolve-{number}" for number in range(resolvers)), "score-0", "score-1"]:
            house.start(name)
        try:
            disturbing = asyncio.create_task(house.disturb(disturbances))
            token = await house.publish(signals)
            await asyncio.gather(disturbing, house.settled(token))
            await house.settled(token)  # again, since the last disturbance may have undone it
            return house.result()
        finally:
            await house.close()
