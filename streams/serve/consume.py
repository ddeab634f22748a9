"""The consumers of ``noise-scores`` and ``noise-events``: each reads its topic into the read model while serve runs.

Owns both reads, their retries, and how far they are. Must never know who subscribes. A record that breaks the contract
is counted and skipped. A broker or topic that is away is waited for. The status shows both.
"""

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar, Final

import msgspec
import structlog

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.records.strict import InvalidRecordError, SkipReason
from streams.serve import metrics
from streams.serve.read_model import ReadModel, StoryChange
from streams.serve.subscribers import Subscribers
from transport import topics
from transport.kafka import ConsumerRecord, KafkaError
from transport.reader import TopicChangedError, TopicMissingError, TopicReader
from transport.retry import Backoff

ANSWER_SECONDS: Final = 5.0
"""How long the broker may take to answer a question about a topic."""
CHECK_SECONDS: Final = 3.0
POLL_MS: Final = 250
MAX_BATCH_RECORDS: Final = 1_000
"""Bounds one poll, so that the server goes on answering while it reads the topics for the first time."""
FIRST_RETRY_SECONDS: Final = 0.25
LAST_RETRY_SECONDS: Final = 5.0
MAX_SHOWN_CHARS: Final = 300

logger = structlog.get_logger(__name__)


class ConsumerState(StrEnum):
    """How far the consumer of a topic is."""

    CONNECTING = "connecting"
    NO_TOPIC = "no_topic"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    UNREACHABLE = "unreachable"


class TopicConsumer:
    """Reads one topic. A subclass decides what a record means.

    ``newest``: about how many of the newest records to begin with; None begins with the first.
    """

    label: ClassVar[str]
    """The topic's name without prefix."""

    def __init__(
        self,
        kafka: Mapping[str, object],
        prefix: str,
        now_ms: Callable[[], int],
        read_model: ReadModel,
        subscribers: Subscribers,
        *,
        newest: int | None = None,
    ) -> None:
        self.state = ConsumerState.CONNECTING
        self.behind_records = 0
        self.last_record_ms: int | None = None
        self.skipped: dict[SkipReason, int] = {}
        self._kafka = kafka
        self._topic = topics.name(self.label, prefix)
        self._now_ms = now_ms
        self._read_model = read_model
        self._subscribers = subscribers
        self._newest = newest

    async def run(self) -> None:
        """Read until cancelled. Wait for a broker that is away and for a topic that does not exist yet."""
        backoff = Backoff(FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS, random.Random())
        while True:
            try:
                async with TopicReader(
                    self._topic, self._kafka, newest=self._newest, committed_only=True, timeout_seconds=ANSWER_SECONDS
                ) as reader:
                    backoff.reset()
                    await self._read(reader)
            except TopicMissingError as error:
                self._pause(ConsumerState.NO_TOPIC, error)
            except TopicChangedError as error:
                logger.warning("reading the topic from its beginning again", topic=self._topic, why=str(error))
                metrics.RESTARTS.labels(self.label, "log_changed").inc()
            except (KafkaError, TimeoutError, OSError) as error:
                self._pause(ConsumerState.UNREACHABLE, error)
            await asyncio.sleep(backoff.next_seconds())

    def _pause(self, state: ConsumerState, error: Exception) -> None:
        if self.state is not state:
            logger.warning("cannot read the topic; trying again", topic=self._topic, why=str(error) or repr(error))
            metrics.RESTARTS.labels(self.label, state.value).inc()
        self.state = state
        metrics.BEHIND.labels(self.label).set(math.nan)

    async def _read(self, reader: TopicReader) -> None:
        """Read until an error ends it. A second task checks that the broker and the topic are still there."""
        self.state = ConsumerState.CATCHING_UP
        self._begin()
        checking = asyncio.create_task(self._check(reader))
        try:
            while not checking.done():
                records = await reader.poll(POLL_MS, MAX_BATCH_RECORDS)
                for record in records:
                    self._consume(record)
                if records:
                    self.last_record_ms = self._now_ms()
                    metrics.READ.labels(self.label).inc(len(records))
                self.behind_records = await reader.lag()
                metrics.BEHIND.labels(self.label).set(self.behind_records)
                if reader.caught_up and self.state is ConsumerState.CATCHING_UP:
                    self.state = ConsumerState.LIVE
                    self._end()
                await asyncio.sleep(0)  # a long first read must not keep the server from answering
            checking.result()
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    async def _check(self, reader: TopicReader) -> None:
        """Ask the broker now and then whether it answers; without an answer, aiokafka's consumer only falls silent.

        After an outage the topic is read from its beginning again. The broker may have come back with another log, and
        an offset alone does not show that.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await reader.check()

    def _consume(self, record: ConsumerRecord[bytes, bytes]) -> None:
        try:
            self._apply(record)
        except InvalidRecordError as error:
            if error.reason not in self.skipped:
                why = error.detail[:MAX_SHOWN_CHARS]
                logger.warning("skipping invalid record", topic=self._topic, key=record.key, why=why)
            self.skipped[error.reason] = self.skipped.get(error.reason, 0) + 1
            metrics.SKIPPED.labels(self.label, error.reason.value).inc()

    def _begin(self) -> None:
        """Prepare for the first record."""

    def _end(self) -> None:
        """Finish the first read: the end that the topic had when it was opened is reached."""

    def _apply(self, record: ConsumerRecord[bytes, bytes]) -> None:
        raise NotImplementedError


class ScoreConsumer(TopicConsumer):
    """Reads ``noise-scores`` from the beginning."""

    label = "noise-scores"

    def _begin(self) -> None:
        self._read_model.begin_reading()

    def _end(self) -> None:
        for row in self._read_model.end_reading():
            self._subscribers.publish_change(row.story, StoryChange(row, None))
        metrics.STORIES.set(len(self._read_model))

    def _apply(self, record: ConsumerRecord[bytes, bytes]) -> None:
        if record.value is None:
            id_ = (record.key or b"").decode(errors="replace")
            self._subscribers.publish_change(id_, self._read_model.remove(id_))
        else:
            score = decode_score(record.key, record.value)
            self._subscribers.publish_change(score.story, self._read_model.put(score, one_line(record.value)))
            if self.state is ConsumerState.LIVE:
                metrics.SCORE_DELAY.observe(max(0, self._now_ms() - score.scored_ms) / 1_000)
        metrics.STORIES.set(len(self._read_model))


class EventConsumer(TopicConsumer):
    """Reads ``noise-events``, from its recent part on."""

    label = "noise-events"

    def _apply(self, record: ConsumerRecord[bytes, bytes]) -> None:
        if record.value is not None:
            event = decode_event(record.key, record.value)
            if (stored := self._read_model.add_event(event, one_line(record.value))) is not None:
                self._subscribers.publish_event(stored, self._read_model)


def one_line(record: bytes) -> bytes:
    """Return the JSON ``record`` without line breaks between its parts."""
    return msgspec.json.format(record, indent=-1) if b"\n" in record or b"\r" in record else record
