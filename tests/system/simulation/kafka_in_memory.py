"""A Kafka in memory with seeded whims, under the real workers of ``resolve`` and ``score``.

Not a broker: it has what the workers use of aiokafka, in one event loop without I/O, so that a run is its seed. Whims
are where real brokers have them. How much does a fetch bring? When, and in which order, do partitions get what was
sent? What was in flight when a process died? What is fetched during a rebalance, and when does each member learn of it?
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from transport.fencing import FENCING_KEY
from transport.partitioning import partition_of
from transport.private import Described


@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


class Listener(Protocol):
    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> Coroutine[object, object, None]: ...

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> Coroutine[object, object, None]: ...


@dataclass
class Kafka:
    """The logs, the groups, and the only source of chance and time."""

    chance: random.Random
    partitions: Mapping[str, int]
    seconds: float = 1_000.0
    logs: defaultdict[TopicPartition, list[Record]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[str, Group] = field(default_factory=dict)

    def monotonic(self) -> float:
        return self.seconds

    async def pause(self) -> None:
        """Let other tasks run for a while, and sometimes for a long while."""
        for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3)) if self.chance.random() < 0.98 else 40):
            self.seconds += 0.001
            await asyncio.sleep(0)

    def append(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int | None, timestamp: int = 0
    ) -> int:
        where = partition if partition is not None else partition_of(key or b"", self.partitions[topic])
        log = self.logs[TopicPartition(topic, where)]
        log.append(Record(topic, where, len(log), key or b"", value, timestamp))
        return where

    def read(self, topic: str) -> list[Record]:
        """Return everything in a topic."""
        return [
            record
            for number in range(self.partitions[topic])
            for record in self.logs.get(TopicPartition(topic, number), ())
        ]

    def shown(self, place: TopicPartition) -> list[Record]:
        """Return what a broker shows of a log: all up to a fencing record, but not always the last records."""
        log = self.logs[place]
        unseen = self.chance.randrange(5) if self.chance.random() < 0.3 else 0
        fenced = next((number for number in range(len(log), 0, -1) if log[number - 1].key == FENCING_KEY), 0)
        return log[: max(fenced, len(log) - unseen)]

    def group(self, name: str, topic: str) -> Group:
        return self.groups.setdefault(name, Group(self, topic))


@dataclass
class Process:
    """A process: its producers and consumers die together."""

    kafka: Kafka
    task: asyncio.Task[None] | None = None
    producers: list[Producer] = field(default_factory=list)
    consumers: list[Consumer] = field(default_factory=list)
    listening: set[asyncio.Task[None]] = field(default_factory=set)
    dead: bool = False

    async def listen(self, listening: Coroutine[object, object, None]) -> None:
        """Wait until the process has handled a rebalance; do not wait once it is dead."""
        if self.dead:
            listening.close()
            return
        task = asyncio.create_task(listening)
        self.listening.add(task)
        await asyncio.wait({task})
        self.listening.discard(task)
        if not task.cancelled():
            task.result()

    def die(self) -> None:
        """``kill -9``: what was in flight may arrive in part."""
        self.dead = True
        for producer in self.producers:
            producer.die()
        for consumer in self.consumers:
            consumer.alive = False
        for task in (self.task, *self.listening):
            if task is not None:
                task.cancel()

    async def kill(self) -> None:
        """Let it die; its groups drop it after a while."""
        self.die()
        for _ in range(self.kafka.chance.randrange(20)):
            await self.kafka.pause()
        for consumer in self.consumers:
            await consumer.group.leave(consumer)


class Producer:
    """A producer. It keeps the order within a partition only."""

    def __init__(self, process: Process) -> None:
        self._kafka = process.kafka
        self._queues: dict[tuple[str, int], list[tuple[bytes | None, bytes | None, asyncio.Future[None]]]] = {}
        self._dead = False
        self.client = None
        self._task = asyncio.create_task(self._deliver())
        process.producers.append(self)

    async def send(
        self, topic: str, value: bytes | None, key: bytes | None = None, partition: int | None = None
    ) -> asyncio.Future[None]:
        if partition is None:
            partition = partition_of(key or b"", self._kafka.partitions[topic])
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._dead:
            sent.cancel()
        self._queues.setdefault((topic, partition), []).append((value, key, sent))
        if self._kafka.chance.random() < 0.1:
            await self._kafka.pause()
        return sent

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(self._kafka.partitions[topic]))

    async def stop(self) -> None:
        while self._queues and not self._dead:
            await self._kafka.pause()
        self._task.cancel()

    def die(self) -> None:
        self._dead = True
        self._task.cancel()
        while self._queues and self._kafka.chance.random() < 0.7:
            self._deliver_some()
        for queue in self._queues.values():
            for *_, sent in queue:
                sent.cancel()

    async def _deliver(self) -> None:
        while True:
            await self._kafka.pause()
            if self._queues:
                self._deliver_some()

    def _deliver_some(self) -> None:
        place = self._kafka.chance.choice(list(self._queues))
        queue = self._queues[place]
        for _ in range(self._kafka.chance.randrange(1, 1 + len(queue))):
            value, key, sent = queue.pop(0)
            self._kafka.append(place[0], value, key, place[1])
            if not sent.done():
                sent.set_result(None)
        if not queue:
            del self._queues[place]


class Group:
    """Consumers that share the partitions of one topic; it rebalances whenever one joins or leaves."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._forming = asyncio.Lock()
        self.members: list[Consumer] = []
        self.generation = 0
        self.committed: dict[TopicPartition, int] = {}

    async def join(self, consumer: Consumer) -> None:
        if consumer not in self.members:
            self.members.append(consumer)
        await self.form()

    async def leave(self, consumer: Consumer) -> None:
        if consumer in self.members:
            self.members.remove(consumer)
            await self.form()

    async def form(self) -> None:
        """Rebalance; the caller may die meanwhile."""
        await asyncio.shield(asyncio.create_task(self._form()))

    async def _form(self) -> None:
        async with self._forming:
            for member in self._alive():
                await member.process.listen(member.revoke())
            self.generation += 1
            members = self._alive()
            self._kafka.chance.shuffle(members)
            for number, member in enumerate(members):
                share = range(number, self._kafka.partitions[self._topic], len(members))
                member.assign({TopicPartition(self._topic, partition) for partition in share}, self.generation)
            for member in members:
                await self._kafka.pause()
                member.confirm()
                await member.process.listen(member.listener.on_partitions_assigned(set(member.positions)))

    def _alive(self) -> list[Consumer]:
        return [member for member in self.members if member.alive]


class Consumer:
    """A member of a group. It also hands out what it fetched before it learnt of its partitions."""

    listener: Listener

    def __init__(self, *, process: Process, group_id: str, **_: object) -> None:
        self.process = process
        self._kafka = process.kafka
        self._name = group_id
        self._paused: set[TopicPartition] = set()
        self._assigned = asyncio.Event()
        self.generation = 0
        self.positions: dict[TopicPartition, int] = {}
        self.alive = True
        self.confirm: Callable[[], None] = lambda: None

    def subscribe(self, topics: Iterable[str], listener: Listener) -> None:
        (topic,) = topics
        self.listener = listener
        self.group = self._kafka.group(self._name, topic)
        self.process.consumers.append(self)
        self._joining = asyncio.create_task(self._join())

    def reads(self, topic: str) -> bool:
        """Return whether it has partitions of ``topic`` now."""
        return any(place.topic == topic for place in self.positions)

    async def start(self) -> None: ...

    async def _join(self) -> None:
        if self.alive:
            await self.group.join(self)

    async def stop(self) -> None:
        if self.alive:
            self.alive = False
            await self.group.leave(self)

    async def revoke(self) -> None:
        self._assigned.clear()
        await self.listener.on_partitions_revoked(set(self.positions))

    def assign(self, partitions: set[TopicPartition], generation: int) -> None:
        self.positions = {place: self.group.committed.get(place, 0) for place in sorted(partitions)}
        self._paused.clear()
        self.generation = generation
        self._assigned.set()

    async def getmany(self, *, timeout_ms: int, max_records: int | None = None) -> dict[TopicPartition, list[Record]]:
        del timeout_ms, max_records
        await self._kafka.pause()
        await self._joining
        await self._assigned.wait()
        batches: dict[TopicPartition, list[Record]] = {}
        for place, position in self.positions.items():
            records = self._kafka.logs[place][position : position + self._kafka.chance.randrange(12)]
            if records and place not in self._paused:
                batches[place] = records
                self.positions[place] = position + len(records)
        return batches

    async def committed(self, place: TopicPartition) -> int | None:
        await self._kafka.pause()
        return self._kafka.group(self._name, place.topic).committed.get(place)

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._check(place)
        self.positions[place] = offset

    async def beginning_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        await self._kafka.pause()
        return dict.fromkeys(places, 0)

    async def commit(self, offsets: Mapping[TopicPartition, object]) -> None:
        await self._kafka.pause()
        if self.generation != self.group.generation:
            raise CommitFailedError
        for place, offset in offsets.items():
            self._check(place)
            self.group.committed[place] = offset if isinstance(offset, int) else offset.offset  # type: ignore[attr-defined]

    def highwater(self, place: TopicPartition) -> int | None:
        self._check(place)
        return len(self._kafka.logs[place])

    def paused(self) -> set[TopicPartition]:
        return self._paused

    def pause(self, place: TopicPartition) -> None:
        self._check(place)
        self._paused.add(place)

    def resume(self, place: TopicPartition) -> None:
        self._paused.discard(place)

    def _check(self, place: TopicPartition) -> None:
        if place not in self.positions:
            raise IllegalStateError(f"{place} is not assigned")

    async def stand_still(self) -> None:
        """Be dropped by the group while the process goes on, and learn of that a while later."""
        self.group.members.remove(self)
        await self.group.form()
        for _ in range(self._kafka.chance.randrange(40)):
            await self._kafka.pause()
        if self.alive:
            await self.revoke()
            await self.group.join(self)


async def describe(_: None, topics: Iterable[str]) -> dict[str, Described]:
    """Describe topics that are never created again."""
    return {topic: Described("only", 1) for topic in topics}


def observe_membership(consumer: Consumer, renew: Callable[[float], None], monotonic: Callable[[], float]) -> None:
    """Renew when the group has formed: there are no heartbeats here."""
    consumer.confirm = lambda: renew(monotonic())


class TopicReader:
    """Reads one partition of a topic and follows it; or reads some partitions to their end."""

    def __init__(self, topic: str, kafka: Mapping[str, Process], partitions: Sequence[int] = (0,)) -> None:
        self._places = [TopicPartition(topic, partition) for partition in partitions]
        self._kafka = kafka["process"].kafka
        self._place = TopicPartition(topic, 0)
        self._log = self._kafka.logs[self._place]
        self._position = 0

    async def __aenter__(self) -> TopicReader:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def until_end(self) -> AsyncIterator[Record]:
        for place in self._places:
            await self._kafka.pause()
            for record in self._kafka.shown(place):
                yield record

    async def read_to_end(self) -> list[Record]:
        await self._kafka.pause()
        records = self._kafka.shown(self._place)[self._position :]
        self._position += len(records)
        return records

    async def poll(self) -> list[Record]:
        await self._kafka.pause()
        records = self._log[self._position : self._position + self._kafka.chance.randrange(6)]
        self._position += len(records)
        return records

    async def wait_until_read(self) -> None:
        end = len(self._log)
        while self._position < end:
            await self._kafka.pause()
