"""The role ``resolve``: gathers signals into stories.

Owns the processes' connections and their joint life: the memory (``stories``, ``progress``), the fast side
(:mod:`streams.resolve.sources`) and, in the one worker that holds it, the deciding side
(:mod:`streams.resolve.decisions`). Any failure of one ends the role, for a supervisor to start it again: nothing is
lost by that, and a role that limps is worse than one that restarts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Protocol

import structlog

from ingest.signal import Signal
from streams.records.progress import ResolveProgress, decode_progress
from streams.resolve.config import ResolveConfig
from streams.resolve.decisions import Decisions
from streams.resolve.handed_over import Told
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.matcher import Matcher, MatcherConfig
from streams.resolve.publishers import Publishers
from streams.resolve.sources import STAGE, Sources
from streams.resolve.threads import ThreadIndex
from streams.runtime import metrics
from streams.runtime.watchdog import Watchdog
from transport.consumer import close, group_consumer
from transport.fencing import Lease
from transport.kafka import Consumer, ConsumerRecord, RebalanceListener, TopicPartition
from transport.producer import abandoned_on_failure, open_producer
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["Resolver"]

FINISH_SECONDS = 3.0
"""How long, when asked to stop, a step in hand may take, and then what is done may take to be sent and committed."""
STILL_SECONDS = 30.0
"""A step that takes longer is a problem."""

log = structlog.get_logger(__name__)


class _Owner(Protocol):
    async def assign(self, partitions: frozenset[int]) -> None: ...

    async def revoke(self, partitions: frozenset[int]) -> None: ...


class _Handover(RebalanceListener):
    """Tells a side of the worker which partitions it gains and loses.

    ``failure`` is set if that fails, which aiokafka would only log.
    """

    def __init__(self, owner: _Owner, failure: asyncio.Future[None]) -> None:
        self._owner = owner
        self._failure = failure
        self.settled = asyncio.Event()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let go of everything: with eager rebalancing, what stays is assigned anew."""
        self.settled.clear()
        with self._failing():
            await self._owner.revoke(frozenset(place.partition for place in revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Take over."""
        with self._failing():
            await self._owner.assign(frozenset(place.partition for place in assigned))
            self.settled.set()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not self._failure.done():
                self._failure.set_exception(error)
            raise


class Resolver:
    """One worker of the role."""

    def __init__(
        self,
        *,
        kafka: Mapping[str, object],
        prefix: str,
        config: ResolveConfig,
        beats: Mapping[str, Beat],
        now_ms: Callable[[], int],
        make_matcher: Callable[[Beat, MatcherConfig], Matcher] = Matcher,
    ) -> None:
        """``make_matcher``: for each beat, anew whenever this worker becomes the one that decides."""
        self._matching = MatcherConfig(forget_hours=config.forget_hours)
        self._make_matcher = lambda beat: make_matcher(beat, self._matching)
        self._kafka = kafka
        self._prefix = prefix
        self._config = config
        self._beats = beats
        self._now_ms = now_ms
        self._threads = ThreadIndex()
        self._publishers = Publishers()
        self._told = Told()
        self._ready = asyncio.Event()
        self._watchdogs = [Watchdog(_unfinished) for _ in range(2)]
        """Over the two that take step after step, also when there is nothing to do."""

    def problems(self) -> list[str]:
        """Say what keeps this worker from doing its work now; nothing, if it is ready."""
        if not self._ready.is_set():
            return ["resolve has not joined its consumer groups yet"]
        still = max(watchdog.seconds_since_progress for watchdog in self._watchdogs)
        if still > STILL_SECONDS:
            return [f"resolve has not finished a step for {still:.0f} s"]
        return []

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over cleanly.

        Raises:
            TopicMissingError: a topic is missing.
            KafkaError: the broker is gone, or refuses.
            transport.fencing.LeaseLostError: the group has not been heard of for too long.
            streams.runtime.watchdog.StalledError: a step has not come to its end for too long.
        """
        async with AsyncExitStack() as stack:
            producer = await stack.enter_async_context(open_producer(self._kafka))
            stories = await stack.enter_async_context(TopicReader(name("stories", self._prefix), self._kafka))
            progress = await stack.enter_async_context(TopicReader(name("progress", self._prefix), self._kafka))
            counts = [len(await producer.partitions_for(name(t, self._prefix))) for t in ("signals", "story-activity")]
            for record in await stories.read_to_end():
                self._threads.apply(record.key or b"", record.value)
            for record in await progress.read_to_end():
                self._note_progress(record)

            # Before it joins: whoever is to decide would stand still meanwhile, and all who wait for decisions with it.
            await asyncio.to_thread(load_embedding, self._matching.embedding)

            async def caught_up() -> None:
                for tail in (stories, progress):
                    await tail.wait_until_read()

            lease = Lease(self._config.session_seconds)
            lease.guard(producer, {name("stories", self._prefix)})
            signals_consumer = self._consumer("resolve")
            sources = Sources(
                consumer=signals_consumer,
                producer=producer,
                threads=self._threads,
                publishers=self._publishers,
                told=self._told,
                caught_up=caught_up,
                relevance=self._relevance,
                config=self._config,
                prefix=self._prefix,
                partitions=(counts[0], counts[1]),
                now_ms=self._now_ms,
            )
            candidates_consumer = self._consumer("resolve-decide")
            decisions = Decisions(
                consumer=candidates_consumer,
                producer=producer,
                threads=self._threads,
                publishers=self._publishers,
                beats=self._beats,
                on_decided=sources.decided,
                caught_up=caught_up,
                lease=lease,
                config=self._config,
                kafka=self._kafka,
                prefix=self._prefix,
                make_matcher=self._make_matcher,
                now_ms=self._now_ms,
            )
            handovers = []
            failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            for consumer, topic, owner in (
                (signals_consumer, "signals", sources),
                (candidates_consumer, "candidates", decisions),
            ):
                await consumer.start()
                stack.push_async_callback(close, consumer)
                if owner is decisions:
                    lease.renew_by(consumer)  # before it joins, so that no answer is missed
                handovers.append(_Handover(owner, failure))
                consumer.subscribe([name(topic, self._prefix)], listener=handovers[-1])
            async with abandoned_on_failure(producer), asyncio.TaskGroup() as tasks:
                work = [
                    tasks.create_task(self._follow_stories(stories, sources)),
                    tasks.create_task(self._follow_progress(progress)),
                    tasks.create_task(self._settle(handovers)),
                    tasks.create_task(_fail_with(failure)),
                    *(tasks.create_task(watchdog.watch()) for watchdog in self._watchdogs),
                ]
                steps = [
                    tasks.create_task(_repeat(step, stop, watchdog))
                    for step, watchdog in zip((sources.step, decisions.step), self._watchdogs, strict=True)
                ]
                tasks.create_task(_end(stop, steps, work))
            try:
                async with asyncio.timeout(FINISH_SECONDS):
                    await sources.close()
                    await decisions.close()
            except TimeoutError:
                log.warning("not all was sent and committed in time; it is read again", role=STAGE)

    def _consumer(self, group: str) -> Consumer:
        return group_consumer(self._kafka, f"{self._prefix}hubbub-{group}", self._config.session_seconds)

    def _relevance(self, signal: Signal) -> tuple[str, ...]:
        return tuple(beat_name for beat_name, beat in self._beats.items() if beat.relevant(signal))

    async def _settle(self, handovers: list[_Handover]) -> None:
        for handover in handovers:
            await handover.settled.wait()
        self._ready.set()
        log.debug("ready", role=STAGE)

    async def _follow_stories(self, tail: TopicReader, sources: Sources) -> None:
        while True:
            for record in await tail.poll(200):
                decided = self._threads.apply(record.key or b"", record.value)
                if decided is not None:
                    sources.decided(decided.thread)
            metrics.STORIES_LIVE.labels(STAGE).set(self._threads.stories())

    async def _follow_progress(self, tail: TopicReader) -> None:
        while True:
            for record in await tail.poll(200):
                self._note_progress(record)

    def _note_progress(self, record: ConsumerRecord[bytes, bytes]) -> None:
        if record.value is None:
            return
        progress = decode_progress(record.value)
        self._publishers.note(progress, time.monotonic())
        if isinstance(progress, ResolveProgress):
            self._told.note(progress)


async def _repeat(step: Callable[[], Awaitable[None]], stop: asyncio.Event, watchdog: Watchdog) -> None:
    while not stop.is_set():
        await step()
        watchdog.report_progress()


async def _unfinished() -> str:
    return "a step of resolve has not come to its end"


async def _fail_with(failure: asyncio.Future[None]) -> None:
    await failure


async def _end(stop: asyncio.Event, steps: Sequence[asyncio.Task[None]], work: Sequence[asyncio.Task[None]]) -> None:
    """When asked to stop, let the steps in hand come to their end, if they do, and then end the rest.

    A step may wait for the group to form; what it had in hand is not committed then, and is read again.
    """
    await stop.wait()
    _, late = await asyncio.wait(steps, timeout=FINISH_SECONDS)
    for task in (*late, *work):
        task.cancel()
