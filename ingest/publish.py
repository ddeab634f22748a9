"""Publishing: a batch goes to the broker, and only once all of it is acknowledged, its cursor.

Owns the producer of one collector, the last check of every signal, and the collectors' dead letters. Must never know
where a batch comes from, nor when to try again.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import structlog

from ingest import cursors, metrics, signal
from ingest.batch import Batch, Cursor, Signals, Unreadable
from transport.dead_letter import encode_dead_letter
from transport.errors import UserError
from transport.kafka import BrokerTimeoutError, KafkaError, Producer
from transport.producer import MAX_RECORD_BYTES, abandon, connect_producer

SIGNALS = "signals"
DEAD_LETTERS = "dead-letters"
STAGE = "collect"
MAX_SIGNAL_BYTES = signal.MAX_RECORD_BYTES - 65_536
"""Largest signal. It leaves room for the key and for Kafka's framing, which count towards the broker's limit."""
MAX_CURSOR_BYTES = MAX_RECORD_BYTES - 65_536
"""Largest cursor, for the same reason."""
GAPS_SECONDS = 300.0
"""Shortest time between two reports of gaps: a source that is too busy has one in every poll."""
SAVE_AGAIN_SECONDS = 300.0
"""An unchanged cursor is saved again after this long: it also shows that its collector works."""
SIGNALS_AT_A_TIME = 200
"""Signals given to the producer before other tasks get their turn: some 10 ms."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Publishes the batches of one collector. ``topics``: the prefix of all topics' names.

    A record may be written twice after a lost answer: harmless, since a signal is identified by (id, observed_ms).
    """

    collector: str
    kafka: Mapping[str, object]
    topics: str
    now_ms: Callable[[], int]
    timeout_seconds: float
    clock: Callable[[], float] = time.monotonic
    _producer: Producer | None = field(default=None, init=False)
    _saved: Cursor | None = field(default=None, init=False)
    _saved_at: float = field(default=0.0, init=False)
    _gaps: int = field(default=0, init=False)
    _missed: int = field(default=0, init=False)
    _gaps_reported_at: float = field(default=-math.inf, init=False)

    async def publish(self, batch: Batch) -> int:
        """Publish ``batch``, wait for the broker's acknowledgement of every record, then save its cursor.

        Return how many signals were published: all but those that no reader would accept.

        Raises:
            KafkaError: not all was acknowledged in time. The cursor was not saved; the batch may be published again.
            UserError: the cursor is larger than a record may be. Nothing was published: it would be, again and again.
        """
        if len(batch.cursor) > MAX_CURSOR_BYTES:
            raise UserError(
                f"the cursor of {self.collector} has {len(batch.cursor)} bytes, and at most {MAX_CURSOR_BYTES} can be"
                f" saved; read fewer sources, or track fewer items, in [collect.{self.collector}]"
            )
        try:
            async with asyncio.timeout(self.timeout_seconds):
                producer = await self._open()
                published = await self._send(producer, batch)
                await self._save(producer, batch.cursor)
                return published
        except (KafkaError, OSError, TimeoutError) as error:
            # Unacknowledged records are dropped with their producer. An idempotent producer would retry for ever, and
            # at last write an old cursor over a new one.
            await self.close()
            if isinstance(error, TimeoutError):
                raise BrokerTimeoutError(f"no acknowledgement within {self.timeout_seconds:g} s") from error
            raise error if isinstance(error, KafkaError) else KafkaError(str(error)) from error

    async def report(self, topic: str, records: Iterable[tuple[str, bytes]]) -> None:
        """Write records (key, value) that are not part of a batch.

        Raises:
            KafkaError: not all was acknowledged in time.
        """
        try:
            async with asyncio.timeout(self.timeout_seconds):
                producer = await self._open()
                for key, value in records:
                    await producer.send_and_wait(self.topics + topic, value, key=key.encode())
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise KafkaError(f"no report could be written: {error}") from error

    async def close(self) -> None:
        """Close the connection and drop what is not acknowledged."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)

    async def _open(self) -> Producer:
        if self._producer is None:
            self._producer = await connect_producer(self.kafka)
        return self._producer

    async def _save(self, producer: Producer, cursor: Cursor) -> None:
        if cursor == self._saved and self.clock() - self._saved_at < SAVE_AGAIN_SECONDS:
            return
        record = cursors.CursorRecord(collector=self.collector, saved_ms=self.now_ms(), cursor=msgspec.Raw(cursor))
        topic = self.topics + cursors.TOPIC
        await producer.send_and_wait(topic, msgspec.json.encode(record), key=self.collector.encode())
        self._saved, self._saved_at = cursor, self.clock()

    async def _send(self, producer: Producer, batch: Batch) -> int:
        signals = batch.signals
        # The clock may have gone back since an item was observed; that does not make the item wrong.
        now_ms = max([self.now_ms(), *(item.observed_ms for item in signals.signals)])
        letters = list(signals.unreadable)
        acks = []
        for number, item in enumerate(signals.signals, start=1):
            if number % SIGNALS_AT_A_TIME == 0:
                await asyncio.sleep(0)
            try:
                value = _checked(item, now_ms)
            except signal.InvalidSignalError as error:
                letters.append(Unreadable.of(msgspec.to_builtins(item), error.reason.value, error.detail))
                continue
            acks.append(await producer.send(self.topics + SIGNALS, value, key=signal.key(item), timestamp_ms=now_ms))
        published = len(acks)
        for letter in letters:
            value = encode_dead_letter(
                stage=STAGE,
                collector=self.collector,
                reason=letter.reason,
                detail=letter.detail,
                at_ms=now_ms,
                original=letter.original,
            )
            acks.append(await producer.send(self.topics + DEAD_LETTERS, value, key=STAGE.encode(), timestamp_ms=now_ms))
        for outcome in await asyncio.gather(*acks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        self._count(batch, published, letters)
        return published

    def _count(self, batch: Batch, published: int, letters: list[Unreadable]) -> None:
        collector, signals = self.collector, batch.signals
        metrics.ITEMS_READ.labels(collector).inc(signals.read)
        metrics.SIGNALS_COLLECTED.labels(collector).inc(len(signals.signals))
        metrics.SIGNALS_PUBLISHED.labels(collector).inc(published)
        metrics.GAPS.labels(collector).inc(signals.gaps)
        metrics.MISSED.labels(collector).inc(signals.missed)
        self._report_gaps(signals)
        for reason, count in signals.ignored.items():
            metrics.RECORDS_IGNORED.labels(collector, reason.value).inc(count)
        for letter in letters:
            metrics.DEAD_LETTERS.labels(collector, STAGE, letter.reason).inc()

    def _report_gaps(self, signals: Signals) -> None:
        """Say that items were missed, and how many since the last report."""
        self._gaps += signals.gaps
        self._missed += signals.missed
        if not self._gaps or self.clock() - self._gaps_reported_at < GAPS_SECONDS:
            return
        advice = "items missed between polls; normal after an outage, else read less or allow more requests"
        log.warning(advice, collector=self.collector, times=self._gaps, about_items=self._missed or None)
        self._gaps = self._missed = 0
        self._gaps_reported_at = self.clock()


def _checked(item: signal.Signal, now_ms: int) -> bytes:
    """Encode a signal, and check with the readers' own decoder that they accept it.

    Raises:
        InvalidSignalError: no reader would accept it, or no broker.
    """
    value = signal.encode(item)
    if len(value) > MAX_SIGNAL_BYTES:
        raise signal.InvalidSignalError(signal.Reason.TOO_LARGE, f"{len(value)} bytes; brokers accept less")
    signal.decode(value, now_ms)
    return value
