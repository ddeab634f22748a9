"""From the topics to the board: reading the scores and the events, for as long as serve runs.

Owns the two readings, their restarts, and what is known of their progress. Must never know who looks at the board.
A record that breaks the contract is counted and skipped; a broker that is away is waited for; both are shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import msgspec
import structlog

from streams.records.noise_event import decode_event
from streams.records.noise_score import decode_score
from streams.records.strict import InvalidRecordError, SkipReason
from streams.serve import metrics
from streams.serve.read_model import Board, Change
from streams.serve.subscribers import Watchers
from transport.kafka import ConsumerRecord, KafkaError
from transport.reader import TopicChangedError, TopicMissingError, TopicReader

__all__ = ["EventIntake", "Intake", "IntakeState", "ScoreIntake"]

ANSWER_SECONDS: Final = 5.0
CHECK_SECONDS: Final = 3.0
POLL_MS: Final = 250
MAX_BATCH_RECORDS: Final = 1_000
"""Bounds one poll, so that the server goes on answering while the topics are read for the first time."""
FIRST_RETRY_SECONDS: Final = 0.25
LAST_RETRY_SECONDS: Final = 5.0
MAX_SHOWN_CHARS: Final = 300

logger = structlog.get_logger(__name__)


class IntakeState(StrEnum):
    """How the reading of a topic is doing."""

    CONNECTING = "connecting"
    NO_TOPIC = "no_topic"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    UNREACHABLE = "unreachable"


class Intake:
    """One topic being read. A subclass says what a record means."""

    def __init__(
        self, kafka: Mapping[str, object], topic: str, label: str, now_ms: Callable[[], int], tail_records: int | None
    ) -> None:
        self.state = IntakeState.CONNECTING
        self.behind_records = 0
        self.last_record_ms: int | None = None
        self.skipped: dict[SkipReason, int] = {}
        self._kafka = kafka
        self._topic = topic
        self._label = label
        self._now_ms = now_ms
        self._tail_records = tail_records

    async def run(self) -> None:
        """Read until cancelled. A broker that is away is tried again and again, a topic that is missing waited for."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                async with TopicReader(
                    self._topic, self._kafka, newest=self._tail_records, timeout_seconds=ANSWER_SECONDS
                ) as reader:
                    retry_seconds = FIRST_RETRY_SECONDS
                    await self._read(reader)
            except TopicMissingError as error:
                self._pause(IntakeState.NO_TOPIC, error)
            except TopicChangedError as error:
                logger.warning("reading the topic from its beginning again", topic=self._topic, why=str(error))
                metrics.RESTARTS.labels(self._label, "log_changed").inc()
            except (KafkaError, TimeoutError, OSError) as error:
                self._pause(IntakeState.UNREACHABLE, error)
            await asyncio.sleep(retry_seconds)
            retry_seconds = min(LAST_RETRY_SECONDS, retry_seconds * 2)

    def _pause(self, state: IntakeState, error: Exception) -> None:
        if self.state is not state:
            logger.warning("cannot read the topic; trying again", topic=self._topic, why=str(error) or repr(error))
            metrics.RESTARTS.labels(self._label, state.value).inc()
        self.state = state

    async def _read(self, reader: TopicReader) -> None:
        """Read ``reader`` until it fails; a task beside looks whether broker and topic are still there."""
        self.state = IntakeState.CATCHING_UP
        self._begin()
        checking = asyncio.create_task(self._check(reader))
        try:
            while not checking.done():
                records = await reader.poll(POLL_MS, MAX_BATCH_RECORDS)
                for record in records:
                    self._take(record)
                if records:
                    self.last_record_ms = self._now_ms()
                    metrics.READ.labels(self._label).inc(len(records))
                self.behind_records = await reader.lag()
                metrics.BEHIND.labels(self._label).set(self.behind_records)
                if reader.caught_up and self.state is IntakeState.CATCHING_UP:
                    self.state = IntakeState.LIVE
                    self._end()
                await asyncio.sleep(0)  # a long first reading must not keep the server from answering
            checking.result()
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    async def _check(self, reader: TopicReader) -> None:
        """Look now and then whether the broker answers; aiokafka's consumer only falls silent when it does not.

        A broker that was away is read from the beginning again: it may have come back with another log, and an offset
        alone does not tell.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await reader.check()

    def _take(self, record: ConsumerRecord[bytes, bytes]) -> None:
        try:
            self._apply(record)
        except InvalidRecordError as error:
            if error.reason not in self.skipped:
                why = error.detail[:MAX_SHOWN_CHARS]
                logger.warning("skipping what is no record of the topic", topic=self._topic, key=record.key, why=why)
            self.skipped[error.reason] = self.skipped.get(error.reason, 0) + 1
            metrics.SKIPPED.labels(self._label, error.reason.value).inc()

    def _begin(self) -> None:
        """Do what is due before the first record."""

    def _end(self) -> None:
        """Do what is due when the end is reached that the topic had at the beginning."""

    def _apply(self, record: ConsumerRecord[bytes, bytes]) -> None:
        raise NotImplementedError


class ScoreIntake(Intake):
    """The topic ``noise-scores``, from the beginning."""

    def __init__(
        self, kafka: Mapping[str, object], topic: str, now_ms: Callable[[], int], board: Board, watchers: Watchers
    ) -> None:
        super().__init__(kafka, topic, "noise-scores", now_ms, None)
        self._board = board
        self._watchers = watchers

    def _begin(self) -> None:
        self._board.begin_reading()

    def _end(self) -> None:
        for row in self._board.end_reading():
            self._watchers.note_change(row.story, Change(row, None))
        metrics.STORIES.set(len(self._board))

    def _apply(self, record: ConsumerRecord[bytes, bytes]) -> None:
        if record.value is None:
            id_ = (record.key or b"").decode(errors="replace")
            self._watchers.note_change(id_, self._board.remove(id_))
        else:
            score = decode_score(record.key, record.value)
            self._watchers.note_change(score.story, self._board.put(score, one_line(record.value)))
            if self.state is IntakeState.LIVE:
                metrics.SCORE_DELAY.observe(max(0, self._now_ms() - score.scored_ms) / 1_000)
        metrics.STORIES.set(len(self._board))


class EventIntake(Intake):
    """The recent part of the topic ``noise-events``."""

    def __init__(
        self,
        kafka: Mapping[str, object],
        topic: str,
        now_ms: Callable[[], int],
        board: Board,
        watchers: Watchers,
        *,
        tail_records: int,
    ) -> None:
        super().__init__(kafka, topic, "noise-events", now_ms, tail_records)
        self._board = board
        self._watchers = watchers

    def _apply(self, record: ConsumerRecord[bytes, bytes]) -> None:
        if record.value is not None:
            event = decode_event(record.key, record.value)
            if (kept := self._board.note(event, one_line(record.value))) is not None:
                self._watchers.note_event(kept, self._board)


def one_line(record: bytes) -> bytes:
    """Return the JSON ``record`` without the line breaks that it may have between its parts."""
    return msgspec.json.format(record, indent=-1) if b"\n" in record or b"\r" in record else record
