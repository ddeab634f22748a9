"""The role ``resolve``: gathers signals into stories.

Owns how a worker's parts start, run and end together. They are its memory, the sources it reads
(:mod:`streams.resolve.sources`) and, in the one worker that holds the candidates, the decision writer
(:mod:`streams.resolve.decision_writer`). A failure of any part ends the role, and a supervisor starts it again: that
loses nothing, and a role that runs in part is worse.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from streams.resolve.config import ResolveConfig
from streams.resolve.connections import Connections
from streams.resolve.decision_writer import DecisionWriter
from streams.resolve.group_member import GroupMember
from streams.resolve.matching.beats import Beat, relevant_beats
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.matcher import Matcher
from streams.resolve.memory import STAGE, Memory
from streams.resolve.source import SourceContext
from streams.resolve.sources import Sources
from streams.runtime.clock import Clock
from transport.consumer import close
from transport.fencing import Lease
from transport.incarnations import Incarnations
from transport.producer import abandoned_on_failure, open_producer

SHUTDOWN_SECONDS = 3.0
"""Bounds the step in progress at shutdown, and then the last send and commit: both end before a supervisor kills."""
STALL_SECONDS = 30.0
"""A step that takes longer is reported as a problem; the longest healthy one takes a few seconds."""

log = structlog.get_logger(__name__)


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
        monotonic: Callable[[], float] = time.monotonic,
        make_matcher: Callable[[Beat, MatcherConfig], Matcher] = Matcher,
    ) -> None:
        """``make_matcher`` makes the matcher of each beat whenever this worker becomes the one that decides."""
        self._kafka = kafka
        self._prefix = prefix
        self._config = config
        self._beats = beats
        self._clock = Clock(now_ms, monotonic)
        self._matching = MatcherConfig(forget_hours=config.forget_hours)
        self._make_matcher = make_matcher
        self._members: list[GroupMember] = []
        self._lease: Lease | None = None
        self._joined = False

    def problems(self) -> list[str]:
        """Return what keeps this worker from its work now; nothing if it is ready."""
        self._joined = self._joined or (bool(self._members) and all(m.assigned.is_set() for m in self._members))
        if not self._joined or self._lease is None:
            return ["resolve has not joined its consumer groups yet"]
        if problem := self._lease.problem():
            return [problem]
        seconds = max(member.watchdog.seconds_since_progress for member in self._members)
        return [f"resolve has not finished a step for {seconds:.0f} s"] if seconds > STALL_SECONDS else []

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over cleanly.

        Raises:
            TopicMissingError: a topic does not exist.
            KafkaError: the broker is away or refuses a request.
            transport.incarnations.TopicRecreatedError: ``signals`` or ``stories`` was deleted and created again.
            transport.fencing.LeaseLostError: the group has not answered for too long.
            streams.runtime.watchdog.StalledError: a step has not finished for too long.
        """
        async with AsyncExitStack() as stack:
            producer = await stack.enter_async_context(open_producer(self._kafka))
            seconds, monotonic = self._config.session_seconds, self._clock.monotonic
            kafka = Connections(self._kafka, self._prefix, producer, seconds, monotonic)
            self._lease = kafka.lease
            stories, progress = [await stack.enter_async_context(kafka.reader(one)) for one in ("stories", "progress")]
            memory = Memory(stories, progress, self._clock.monotonic)
            await memory.load()
            incarnations = Incarnations(kafka.producer, [kafka.topic("signals"), kafka.topic("stories")])
            await incarnations.open()
            incarnations.check(memory.reported.topic_id.split())
            memory.reported.topic_id = " ".join(incarnations.ids).strip() or memory.reported.topic_id
            # Loaded before joining: otherwise every other worker waits while the one that decides loads the model.
            await asyncio.to_thread(load_embedding)
            self._members = await self._join_groups(stack, kafka, memory)
            async with abandoned_on_failure(kafka.producer), asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(memory.follow_stories()),
                    tasks.create_task(memory.follow_progress()),
                    tasks.create_task(incarnations.watch()),
                    *(tasks.create_task(member.raise_failure()) for member in self._members),
                    *(tasks.create_task(member.watchdog.watch()) for member in self._members),
                ]
                steps = [tasks.create_task(member.repeat_steps(stop)) for member in self._members]
                tasks.create_task(_end(stop, steps, background))
            try:
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    for member in self._members:
                        await member.work.revoke()
            except TimeoutError:
                log.warning("shutdown timed out; unacknowledged records will be reprocessed", role=STAGE)

    async def _join_groups(self, stack: AsyncExitStack, kafka: Connections, memory: Memory) -> list[GroupMember]:
        """Return the two members of this worker, joined: the one that reads signals, and the one that may decide."""
        kafka.lease.guard(kafka.producer, {kafka.topic("stories")})
        context = SourceContext(
            memory,
            partial(relevant_beats, self._beats),
            self._config,
            self._clock,
            sources=await kafka.count_partitions("signals"),
            partitions=await kafka.count_partitions("story-activity"),
        )
        signals, candidates = kafka.consumer("resolve"), kafka.consumer("resolve-decide")
        sources = Sources(signals, kafka, context)
        memory.on_decided = sources.decided
        writer = DecisionWriter(
            candidates, kafka, memory, config=self._config, clock=self._clock, make_matchers=self._make_matchers
        )
        members = [
            GroupMember(signals, kafka.topic("signals"), sources),
            GroupMember(candidates, kafka.topic("candidates"), writer),
        ]
        for consumer, member in zip((signals, candidates), members, strict=True):
            await consumer.start()
            stack.push_async_callback(close, consumer)
            if consumer is candidates:
                kafka.lease.renew_by(consumer)  # before it joins, so that it sees every answer of the group
            member.join()
        return members

    def _make_matchers(self) -> dict[str, Matcher]:
        return {name: self._make_matcher(beat, self._matching) for name, beat in self._beats.items()}


async def _end(
    stop: asyncio.Event, steps: Sequence[asyncio.Task[None]], background: Sequence[asyncio.Task[None]]
) -> None:
    """Once ``stop`` is set, let the steps in progress finish, within limits, and then cancel the background tasks.

    A step may be waiting for the group. Its records are not committed then, and are read again.
    """
    await stop.wait()
    _, late = await asyncio.wait(steps, timeout=SHUTDOWN_SECONDS)
    for task in (*late, *background):
        task.cancel()
