"""The role ``score``: a Faust app over ``story-activity`` with the stories' state in a table.

Owns the joint between Faust (membership, partitions, recovery of the table) and the scorer of each partition
(:mod:`streams.score.scorer`): events are acknowledged only when all they carry is applied, and the scores, the events
and then the state that follow from it are confirmed by the broker. So a crash repeats, and never forgets. Any failure
ends the role, for a supervisor to start it again: an agent that raises would have its event acknowledged and never seen
again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, cast

import faust
import structlog
from aiokafka import AIOKafkaProducer
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP

from streams import metrics
from streams.lease import Lease
from streams.partitioning import partition_of
from streams.producer import open_producer
from streams.score.assessing import StoryAssessor, Unassessed, open_assessor
from streams.score.config import ScoreConfig
from streams.score.consuming import correct
from streams.score.outcome import Outcome
from streams.score.reading import Reader
from streams.score.scorer import PartitionScorer
from streams.score.table import ConfirmedTable
from streams.topics import name
from streams.wire import Progress, decode_activity, encode

__all__ = ["STAGE", "Scorer"]

STAGE = "score"
TELL_SECONDS = 1.0
"""How often a partition says how far it has come."""

log = structlog.get_logger(__name__)


class _Event(Protocol):
    """What is used of a Faust event."""

    value: bytes

    @property
    def message(self) -> _Message: ...

    def ack(self) -> bool: ...


class _Message(Protocol):
    partition: int
    offset: int
    generation_id: int


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
        self._scorers: dict[int, PartitionScorer] = {}
        self._told: dict[int, tuple[float, str]] = {}
        self._producer: AIOKafkaProducer | None = None
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._recovered = False
        self._working = asyncio.Lock()
        self._lease = Lease(config.session_seconds)
        self.app = self._make_app()
        self.table = ConfirmedTable(
            self.app, name="ledgers", key_type=bytes, value_type=bytes, on_recover=self._on_recovered
        )
        self.app.tables.add(self.table)
        self._activity = name("story-activity", prefix)
        activity = self.app.topic(
            self._activity, key_type=bytes, value_type=bytes, value_serializer="raw", internal=False
        )
        self.app.agent(activity, concurrency=1, name="score")(self._agent)
        self.app.on_partitions_revoked.connect(self._on_revoked)
        self.app.on_partitions_assigned.connect(self._on_assigned)

    def problems(self) -> list[str]:
        """Say what keeps this worker from doing its work now; nothing, if it is ready."""
        if not self._recovered:
            return ["score has not recovered its table yet"]
        return []

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over cleanly.

        Raises:
            streams.lease.LeaseLostError: the group has not been heard of for too long.
            Exception: whatever went wrong in a batch; nothing of that batch is acknowledged.
        """
        async with (
            open_producer(self._kafka) as self._producer,
            open_assessor(self._config, kafka=self._kafka, prefix=self._prefix, now_ms=_wall_clock_ms) as self._assess,
        ):
            self.app.finalize()
            correct(self.app, self._kafka, self._lease)
            await self.app.start()
            waits = [asyncio.create_task(event.wait()) for event in (stop, self._failed)]
            waits.append(asyncio.create_task(self.app.wait_until_stopped()))
            _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            failure = self._failure or self.app.crash_reason
            if failure is not None:
                raise failure
            await self._on_revoked()
            await self.app.stop()

    def _make_app(self) -> faust.App:
        seconds = self._config.session_seconds
        servers = cast(str, self._kafka["bootstrap_servers"])
        return faust.App(
            f"{self._prefix}hubbub-score",
            broker=[f"kafka://{server.strip()}" for server in servers.split(",")],
            broker_credentials=_credentials(self._kafka),
            store="memory://",
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            consumer_auto_offset_reset="earliest",
            broker_commit_interval=0.5,
            broker_session_timeout=seconds,
            broker_heartbeat_interval=seconds / 5,
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
                self._failure = failure
                self._failed.set()
                # Never return to Faust, which would acknowledge what has not been done; the role ends instead.
                await asyncio.Event().wait()

    async def _work(self, events: Sequence[_Event]) -> None:
        scorers: dict[int, PartitionScorer] = {}
        read_to: dict[int, int] = {}
        monotonic = time.monotonic()
        for event in events:
            message = event.message
            if not self._recovered or message.generation_id != self.app.consumer_generation_id:
                continue  # Taken before the group formed anew. Whoever has the partition now reads it again.
            scorer = scorers.get(message.partition)
            if scorer is None:
                scorer = scorers[message.partition] = self._scorer(message.partition)
            scorer.take(decode_activity(event.value), event, monotonic)
            read_to[message.partition] = message.offset
        answered = self._assess.answered()
        for scorer in self._scorers.values():
            scorer.reassess(answered)
        self._measure_lag(read_to)
        now_ms = self._now_ms()
        outcomes = {partition: scorer.advance(now_ms, monotonic) for partition, scorer in scorers.items()}
        if outcomes:
            await self._lease.during(self._write(outcomes))
        for outcome in outcomes.values():
            for done in outcome.done:
                cast(_Event, done).ack()
        metrics.STORIES_LIVE.labels(STAGE).set(sum(scorer.live for scorer in self._scorers.values()))

    def _scorer(self, partition: int) -> PartitionScorer:
        scorer = self._scorers.get(partition)
        if scorer is None:
            stored = self.table.partition_items(partition)
            scorer = self._scorers[partition] = PartitionScorer(stored, self._config, self._reader, self._assess)
            log.info("partition taken over", partition=partition, stories=len(stored))
        return scorer

    def _measure_lag(self, read_to: Mapping[int, int]) -> None:
        for partition, offset in read_to.items():
            end: int | None = self.app.consumer.highwater(TP(self._activity, partition))
            if end is not None:
                metrics.LAG.labels(STAGE, str(partition)).set(max(0, end - 1 - offset))

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
                sent.append(await self._writer.send(events, event.record, event.story.encode()))
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
            await self.table.put(self._writer, partition, story.encode(), state)
            for partition, outcome in outcomes.items()
            for story, state in outcome.states.items()
        ]
        await asyncio.gather(*sent)

    async def _report(self, outcomes: Mapping[int, Outcome]) -> None:
        """Say how far each partition has come, now and then, and at once that a replay is wholly scored."""
        sent = []
        now_ms = self._now_ms()
        for partition, outcome in outcomes.items():
            metrics.WATERMARK_AGE.labels(STAGE).set(max(0, now_ms - outcome.watermark_ms) / 1000)
            told_at, settled = self._told.get(partition, (0.0, ""))
            if not outcome.settled and time.monotonic() - told_at < TELL_SECONDS:
                continue
            settled = outcome.settled or settled
            self._told[partition] = (time.monotonic(), settled)
            progress = Progress(STAGE, str(partition), outcome.watermark_ms, now_ms, settled=settled)
            key = f"{STAGE}/{partition}".encode()
            sent.append(await self._writer.send(name("progress", self._prefix), encode(progress), key, 0))
        await asyncio.gather(*sent)

    @property
    def _writer(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("the producer is not running")
        return self._producer

    async def _on_recovered(self) -> None:
        self._scorers.clear()
        self._recovered = True

    async def _on_assigned(self, *_: object, **__: object) -> None:
        self._lease.renew()

    async def _on_revoked(self, *_: object, **__: object) -> None:
        """Finish the batch in hand, and take no other until the table is recovered.

        What is held and not acknowledged is read again, by whoever owns the partition next.
        """
        self._recovered = False
        async with self._working:
            self._scorers.clear()


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
