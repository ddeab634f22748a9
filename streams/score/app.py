"""The role ``score``: a Faust app over ``story-activity``, whose stories' states are in a changelog.

Owns the joint between Faust (membership, partitions, the stream and its back-pressure) and the scorer of each partition
(:mod:`streams.score.scorer`). Whoever is given partitions claims their changelogs, reads what they say, states and the
offset to read on from, and takes each record from there in its turn. What follows is written in order: scores and
events, and when the broker has these, the states. So a crash repeats, and never forgets, whatever Faust has
acknowledged. Any failure ends the role, for a supervisor to start it again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import faust
import structlog
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP

from streams.records import encode
from streams.records.noise_event import encode_event
from streams.records.progress import ScoreProgress
from streams.runtime import metrics
from streams.runtime.watchdog import Watchdog
from streams.score.assessing import StoryAssessor, Unassessed, open_assessor
from streams.score.assigned import Owned
from streams.score.changelog import TOPIC, Remembered, records
from streams.score.config import ScoreConfig
from streams.score.consuming import NoTables, correct
from streams.score.output import Outcome
from streams.score.reading import Reader
from streams.score.scorer import PartitionScorer
from transport.consumer import HEARTBEATS, open_consumer
from transport.fencing import Lease, write_fencing_records
from transport.kafka import Producer, TopicPartition
from transport.offsets import end_offsets, offset_to_resume
from transport.partitioning import partition_of
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["STAGE", "Scorer"]

STAGE = "score"
TELL_SECONDS = 1.0
"""How often a partition says how far it has come."""
SILENT_SECONDS = 60.0
"""A changelog of which nothing comes for so long cannot be read. Longer than one request to a broker may take."""

log = structlog.get_logger(__name__)


class _Event(Protocol):
    """What is used of a Faust event."""

    value: bytes

    @property
    def message(self) -> _Message: ...

    def ack(self) -> bool: ...


class _Message(Protocol):
    value: bytes
    partition: int
    offset: int
    generation_id: int


@dataclass(frozen=True, eq=False, slots=True)
class _Appointment:
    """Partitions were given to this worker, when the group had formed for the ``generation``-th time."""

    generation: int


class _App(faust.App):  # type: ignore[misc]  # Faust has no types
    def _create_directories(self) -> None:
        """Make none for tables: nothing is kept on this machine, and the working directory may not be writable."""


class Scorer:
    """One worker of the role."""

    def __init__(
        self,
        *,
        kafka: Mapping[str, object],
        prefix: str,
        config: ScoreConfig,
        reader: Reader,
        now_ms: Callable[[], int],
    ) -> None:
        """``kafka``: aiokafka's connection options. ``reader``: finds figures and sentiment in a signal's text."""
        self._kafka = kafka
        self._prefix = prefix
        self._config = config
        self._reader = reader
        self._assess: StoryAssessor = Unassessed()
        self._now_ms = now_ms
        self._owned: dict[int, Owned[_Event]] = {}
        self._told: dict[int, tuple[float, str]] = {}
        self._reached_ms: dict[int, int] = {}
        metrics.WATERMARK_AGE.labels(STAGE).set_function(self._watermark_age_seconds)
        self._producer: Producer | None = None
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._appointment: _Appointment | None = None
        self._appointed = asyncio.Event()
        self._ready = False
        self._working = asyncio.Lock()
        self._lease = Lease(config.session_seconds)
        self._watchdog = Watchdog(self._undone)
        self._activity = name("story-activity", prefix)
        self._changelog = name(TOPIC, prefix)
        self._group = f"{prefix}hubbub-score"
        self.app = self._make_app()
        activity = self.app.topic(
            self._activity, key_type=bytes, value_type=bytes, value_serializer="raw", internal=False
        )
        self.app.agent(activity, concurrency=1, name="score")(self._agent)
        self.app.on_partitions_revoked.connect(self._on_revoked)
        self.app.on_partitions_assigned.connect(self._on_assigned)
        self.app.on_rebalance_complete.connect(self._take_over)

    def problems(self) -> list[str]:
        """Say what keeps this worker from doing its work now; nothing, if it is ready."""
        if not self._ready:
            return ["score has not taken over its partitions yet"]
        if self._appointment is None:
            return ["score waits for its group, which forms anew"]
        return []

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over cleanly.

        Raises:
            transport.fencing.LeaseLostError: the group has not been heard of for too long.
            streams.runtime.watchdog.StalledError: there are records, and none was taken for too long.
            transport.offsets.RecordsGoneError: what was to be read next is no longer there.
            streams.score.assigned.MissingInputError: a record was left out; it is read by whoever begins anew.
            Exception: whatever went wrong in a batch; it is done again by whoever begins anew.
        """
        async with (
            open_assessor(self._config, kafka=self._kafka, prefix=self._prefix, now_ms=_wall_clock_ms) as self._assess,
            open_producer(self._kafka) as self._producer,  # last, so that nothing is written once this has failed
        ):
            self._lease.guard(self._producer)
            self.app.finalize()
            correct(self.app, self._lease, self._places)
            living = asyncio.create_task(self._live())
            watching = asyncio.create_task(self._watchdog.watch())
            waits = [asyncio.create_task(event.wait()) for event in (stop, self._failed)]
            done, pending = await asyncio.wait({living, watching, *waits}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            failure = self._failure or self.app.crash_reason
            if failure is not None:
                raise failure
            for task in done & {living, watching}:
                task.result()
            await self._on_revoked()
            await self.app.stop()

    async def _live(self) -> None:
        """Run Faust, which takes itself for started only when the first partitions are taken over: that may fail."""
        await self.app.start()
        await self.app.wait_until_stopped()

    def _make_app(self) -> faust.App:
        seconds = self._config.session_seconds
        servers = cast(str, self._kafka["bootstrap_servers"])
        return _App(
            self._group,
            broker=[f"kafka://{server.strip()}" for server in servers.split(",")],
            broker_credentials=_credentials(self._kafka),
            store="memory://",
            TableManager=NoTables,
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            consumer_auto_offset_reset="earliest",
            broker_commit_interval=0.5,
            broker_session_timeout=seconds,
            broker_heartbeat_interval=seconds / HEARTBEATS,
            broker_rebalance_timeout=seconds,
            broker_max_poll_records=self._config.batch_records,
            stream_buffer_maxsize=4 * self._config.batch_records,
            stream_wait_empty=False,
            loghandlers=[],
        )

    async def _agent(self, stream: faust.Stream) -> None:
        async for events in stream.noack_take(self._config.batch_records, within=self._config.flush_seconds):
            try:
                async with self._working:
                    await self._work(cast(Sequence[_Event], events))
            except Exception as failure:  # noqa: BLE001 (kept, and raised by run)
                await self._fail(failure)

    async def _fail(self, failure: Exception) -> None:
        """End the role. Never returns to Faust, which would go on: an agent that raises is merely started again."""
        self._failure = failure
        self._failed.set()
        await asyncio.Event().wait()

    async def _undone(self) -> str:
        """Say what there is to do; see :mod:`streams.runtime.watchdog`."""
        if problems := self.problems():
            return problems[0]
        if self._working.locked():
            return "score is at work on a batch"
        owned = self._owned.copy()
        ends = await end_offsets(self._kafka, [TopicPartition(self._activity, partition) for partition in owned])
        waiting = sum(max(0, end - owned[place.partition].next) for place, end in ends.items())
        return f"{waiting} records wait for score" if waiting else ""

    async def _work(self, events: Sequence[_Event]) -> None:
        fresh: dict[int, Owned[_Event]] = {}
        monotonic = time.monotonic()
        for event in events:
            message = event.message
            owned = self._owned.get(message.partition)
            if owned is None or self._appointment is None or message.generation_id != self._appointment.generation:
                continue  # Taken before the group formed anew. Whoever has the partition now reads it again.
            owned.take(message.offset, event.value, event, monotonic)
            event.value = message.value = b""  # It is taken in; what is left to be kept is what acknowledges it.
            fresh[message.partition] = owned
        answered = self._assess.answered()
        for owned in self._owned.values():
            owned.scorer.reassess(answered)
        self._measure_lag(fresh)
        now_ms = self._now_ms()
        outcomes = {partition: owned.scorer.advance(now_ms, monotonic) for partition, owned in fresh.items()}
        if outcomes:
            await self._lease.during(self._write(outcomes))
        for partition, outcome in outcomes.items():
            for done in self._owned[partition].confirm(outcome):
                done.ack()
        metrics.STORIES_LIVE.labels(STAGE).set(sum(owned.scorer.live for owned in self._owned.values()))
        self._watchdog.report_progress()

    def _measure_lag(self, fresh: Mapping[int, Owned[_Event]]) -> None:
        for partition, owned in fresh.items():
            end: int | None = self.app.consumer.highwater(TP(self._activity, partition))
            if end is not None:
                metrics.LAG.labels(STAGE, str(partition)).set(max(0, end - owned.next))

    def _watermark_age_seconds(self) -> float:
        """Return how old the event time is that the slowest partition has come to, also while nothing comes in."""
        reached_ms = min(filter(None, self._reached_ms.values()), default=None)
        return 0.0 if reached_ms is None else max(0, self._now_ms() - reached_ms) / 1000

    async def _write(self, outcomes: Mapping[int, Outcome]) -> None:
        await self._tell(outcomes.values())
        await self._keep(outcomes)
        await self._report(outcomes)

    async def _tell(self, outcomes: Collection[Outcome]) -> None:
        """Write scores, events and what goes to other stories, and wait until the broker has all of them."""
        partitions = len(await self._writer.partitions_for(self._activity))
        scores, events = name("noise-scores", self._prefix), name("noise-events", self._prefix)
        sent = []
        for outcome in outcomes:
            for story, record in outcome.scores.items():
                sent.append(await self._writer.send(scores, record, story.encode()))
            for event in outcome.events:
                sent.append(await self._writer.send(events, encode_event(event), event.story.encode()))
                metrics.EVENTS_EMITTED.labels(event.type).inc()
            for story, record in outcome.sent:
                key = story.encode()
                sent.append(await self._writer.send(self._activity, record, key, partition_of(key, partitions)))
            metrics.SCORES_EMITTED.inc(len(outcome.scores))
        await asyncio.gather(*sent)
        now_ms = self._now_ms()
        for outcome in outcomes:
            for observed_ms in outcome.scored_observations_ms:
                metrics.END_TO_END.observe(max(0, now_ms - observed_ms) / 1000)

    async def _keep(self, outcomes: Mapping[int, Outcome]) -> None:
        """Write states, and wait until the broker has all of them."""
        sent = [
            await self._writer.send(self._changelog, value, key, partition)
            for partition, outcome in outcomes.items()
            if outcome.states or outcome.done
            for key, value in records(outcome.states, self._owned[partition].applied)
        ]
        await asyncio.gather(*sent)

    async def _report(self, outcomes: Mapping[int, Outcome]) -> None:
        """Say how far each partition has come, now and then, and at once that a replay is wholly scored."""
        sent = []
        now_ms = self._now_ms()
        for partition, outcome in outcomes.items():
            self._reached_ms[partition] = outcome.watermark_ms
            told_at, settled = self._told.get(partition, (0.0, ""))
            if not outcome.settled and time.monotonic() - told_at < TELL_SECONDS:
                continue
            settled = outcome.settled or settled
            self._told[partition] = (time.monotonic(), settled)
            progress = ScoreProgress(str(partition), outcome.watermark_ms, now_ms, settled=settled)
            key = f"{STAGE}/{partition}".encode()
            sent.append(await self._writer.send(name("progress", self._prefix), encode(progress), key, 0))
        await asyncio.gather(*sent)

    @property
    def _writer(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("the producer is not running")
        return self._producer

    async def _on_assigned(self, *_: object, **__: object) -> None:
        self._appointment = _Appointment(self.app.consumer_generation_id)
        self._appointed.set()

    async def _on_revoked(self, *_: object, **__: object) -> None:
        """Finish the batch in hand, and take no other.

        What is held and not applied is read again, by whoever owns the partition next.
        """
        self._appointment = None
        self._appointed.clear()
        async with self._working:
            for partition in self._owned:
                metrics.LAG.remove(STAGE, str(partition))
            self._owned.clear()
            self._reached_ms.clear()

    async def _take_over(self, *_: object, **__: object) -> None:
        """Read what is known of the partitions that are ours now, before Faust begins to read them."""
        appointment = self._appointment
        partitions = sorted(place.partition for place in self.app.consumer.assignment())
        try:
            async with asyncio.timeout(None) as patience:
                owned = await self._read_back(partitions, patience) if partitions else {}
        except TimeoutError:
            await self._fail(TimeoutError(f"the changelog cannot be read: nothing came for {SILENT_SECONDS:g} s"))
        except Exception as failure:  # noqa: BLE001 (kept, and raised by run)
            await self._fail(failure)
        else:
            if appointment is not None and self._appointment is appointment:
                self._owned = owned
                self._ready = True
            # If the group forms anew, Faust must not go on with what is ours no longer.
            await self._appointed.wait()

    async def _read_back(self, partitions: Sequence[int], patience: asyncio.Timeout) -> dict[int, Owned[_Event]]:
        """Return what is known of ``partitions``; ``patience`` ends when the broker has given nothing for long."""
        clock, appointment = asyncio.get_running_loop().time, self._appointment
        patience.reschedule(clock() + SILENT_SECONDS)
        await self._lease.during(write_fencing_records(self._writer, self._changelog, partitions))
        remembered = {partition: Remembered() for partition in partitions}
        async with TopicReader(self._changelog, self._kafka, partitions) as tail:
            async for record in tail.until_end():
                remembered[record.partition].note(record)
                patience.reschedule(clock() + SILENT_SECONDS)
                self._watchdog.report_progress()
                if self._appointment is not appointment:
                    return {}  # The group has formed anew meanwhile.
        ends = await end_offsets(self._kafka, [TopicPartition(self._activity, partition) for partition in partitions])
        owned = {}
        async with open_consumer(**self._kafka, group_id=self._group, enable_auto_commit=False) as consumer:
            for place, end in ends.items():
                known = remembered[place.partition]
                offset = await offset_to_resume(consumer, place, known.offset, end)
                scorer = PartitionScorer(known.states, self._config, self._reader, self._assess)
                owned[place.partition] = Owned[_Event](place.partition, offset, scorer)
                log.info("partition taken over", partition=place.partition, stories=scorer.live, offset=offset)
        return owned

    def _places(self) -> dict[TP, int]:
        """Return where to read on in each partition."""
        return {TP(self._activity, partition): owned.next for partition, owned in self._owned.items()}


def _wall_clock_ms() -> int:
    """Return the time that budgets go by: real money is spent in real time, whatever clock the stories live by."""
    return time.time_ns() // 1_000_000


def _credentials(kafka: Mapping[str, object]) -> SASLCredentials | SSLCredentials | None:
    """Say in Faust's terms what aiokafka's options say."""
    protocol = kafka.get("security_protocol", "PLAINTEXT")
    context = kafka.get("ssl_context")
    if protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return SASLCredentials(
            username=kafka.get("sasl_plain_username"),
            password=kafka.get("sasl_plain_password"),
            ssl_context=context,
            mechanism=kafka.get("sasl_mechanism", "PLAIN"),
        )
    return SSLCredentials(context) if protocol == "SSL" else None
