"""The loop: collect, publish, wait for the acknowledgements, save the cursor; again.

Owns everything that collectors share: the order of those four steps, retry and back-off, obedience to platforms that
want to be left alone, isolation of one collector from another, health, and the end without loss. Must never know a
platform.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from ingest import cursors, metrics
from ingest.backoff import Backoff
from ingest.batch import Batch
from ingest.collector import Collector, CollectorConfig, CollectorSpec
from ingest.errors import CollectError, GiveUpError, RetryLaterError, SlowDownError
from ingest.health import CollectorHealth, State
from ingest.memory.rate_limit import Pace
from ingest.publish import Publisher
from ingest.signal import CLOCK_SKEW_MS, LIKELY_MS
from transport.kafka import KafkaError

__all__ = ["CollectorLoop", "LoopOptions"]

log = structlog.get_logger(__name__)
T = TypeVar("T")

GIVE_UP_TRIES = 3
"""A refusal at the start is believed when it has been repeated: it may have been a hiccup of the platform's."""
ConfigT = TypeVar("ConfigT", bound=CollectorConfig)


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How the loop behaves. ``seed``: of the jitter of the back-off.

    ``kafka_timeout_seconds``: a batch that is not acknowledged by then is given to a new producer.
    ``drain_seconds``: how long publishing may take after ``stop``.
    ``max_dead_share``: a batch of at least ``dead_share_min_items`` of which more is unreadable is held back and
    collected again later: the platform's format has changed, or it is not the platform that answers.
    """

    retry_first_seconds: float = 1.0
    kafka_timeout_seconds: float = 30.0
    drain_seconds: float = 8.0
    max_dead_share: float = 0.5
    dead_share_min_items: int = 20
    seed: int = 0


class CollectorLoop:
    """Runs one collector until ``stop``."""

    def __init__(
        self,
        spec: CollectorSpec[ConfigT],
        config: ConfigT,
        *,
        kafka: Mapping[str, object],
        topics: str,
        now_ms: Callable[[], int],
        stop: asyncio.Event,
        health: CollectorHealth,
        options: LoopOptions,
    ) -> None:
        self._name = spec.name
        self._kafka = kafka
        self._topics = topics
        self._stop = stop
        self._health = health
        self._options = options
        self._pace = Pace(spec.name, config.requests_per_minute)
        self._make: Callable[[bytes | None], Collector] = lambda cursor: spec.make(config, cursor, self._pace, now_ms)
        self._publisher = Publisher(
            spec.name, kafka=kafka, topics=topics, now_ms=now_ms, timeout_seconds=options.kafka_timeout_seconds
        )
        # One for each side: a healthy platform must not reset the patience with a sick broker.
        rng = random.Random(f"{options.seed}:{spec.name}")
        self._platform_backoff = Backoff(options.retry_first_seconds, config.retry_max_seconds, rng)
        self._kafka_backoff = Backoff(options.retry_first_seconds, config.retry_max_seconds, rng)
        metrics.register(spec.name)

    async def run(self) -> None:
        """Collect until ``stop`` is set; then publish what was collected, save its cursor, and return.

        Raises:
            GiveUpError: nobody but the operator can mend what is wrong with this collector.
        """
        try:
            while not self._stop.is_set():
                try:
                    await self._collect_from_saved_cursor()
                except GiveUpError as error:
                    self._failed(error.verdict, str(error), state=State.STOPPED)
                    raise
                except Exception as error:
                    log.exception("a collector failed unexpectedly; starting it anew", collector=self._name)
                    self._failed("unexpected", f"{type(error).__name__}: {error}")
                    await self._publisher.close()
                    await self._pause(self._platform_backoff.next_seconds())
        finally:
            await self._publisher.close()
        self._health.state = State.STOPPED

    async def _collect_from_saved_cursor(self) -> None:
        """Make the collector anew from what is saved, and work until ``stop``."""
        saved = await self._unless_stopped(
            self._with_patience(
                lambda: cursors.load(
                    self._name,
                    kafka=self._kafka,
                    topic=self._topics + cursors.TOPIC,
                    timeout_seconds=self._options.kafka_timeout_seconds,
                )
            )
        )
        if self._stop.is_set():
            return
        collector = self._make(saved)
        try:
            while not self._stop.is_set():
                batch = await self._collect(collector)
                if batch is None:
                    continue
                if (problem := self._mostly_unreadable(batch) or _seen_before_created(batch)) is not None:
                    self._failed(RetryLaterError.verdict, problem)
                    await self._pause(self._platform_backoff.next_seconds())
                    return  # the collector has gone past this batch; a new one goes on from what is saved
                await self._publish(batch)
                metrics.WATCHED_ITEMS.labels(self._name).set(collector.watched_items)
        finally:
            await collector.aclose()

    async def _collect(self, collector: Collector) -> Batch | None:
        """Return the collector's next batch; None if there is none because of ``stop`` or a failure."""
        began_at = time.monotonic()
        try:
            batch = await self._unless_stopped(anext(collector))
        except CollectError as error:
            # What worked before may work again without the operator: platforms have refused everybody for an hour.
            pause_seconds = self._platform_backoff.next_seconds()
            never_worked = self._health.succeeded_at is None
            if isinstance(error, GiveUpError) and never_worked and self._platform_backoff.failures >= GIVE_UP_TRIES:
                raise
            if isinstance(error, SlowDownError) and error.after_seconds is not None:
                pause_seconds = error.after_seconds
                self._pace.hold(pause_seconds)
            self._failed(error.verdict, str(error))
            await self._pause(pause_seconds)
            return None
        metrics.COLLECT_SECONDS.labels(self._name).observe(time.monotonic() - began_at)
        return batch

    def _mostly_unreadable(self, batch: Batch) -> str | None:
        dead, read = len(batch.signals.unreadable), batch.signals.read
        if read < self._options.dead_share_min_items or dead <= self._options.max_dead_share * read:
            return None
        first = batch.signals.unreadable[0]
        return (
            f"{dead} of {read} items are unreadable, the first because: {first.detail}. "
            "Nothing is published until this gets better; does this version know the platform's format?"
        )

    async def _publish(self, batch: Batch) -> None:
        """Publish ``batch`` however long the broker takes; after ``stop``, for as long as draining may take."""
        began_at = time.monotonic()
        if await self._unless_stopped(
            self._with_patience(lambda: _then_true(self._publisher.publish(batch))),
            grace_seconds=self._options.drain_seconds,
        ):
            metrics.PUBLISH_SECONDS.labels(self._name).observe(time.monotonic() - began_at)
            self._platform_backoff.reset()
            self._health.succeeded()

    async def _with_patience(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempt something at the broker until it succeeds."""
        while True:
            try:
                result = await attempt()
            except KafkaError as error:
                self._failed("kafka", f"Kafka: {str(error) or type(error).__name__}")
                await asyncio.sleep(self._kafka_backoff.next_seconds())
            else:
                self._kafka_backoff.reset()
                return result

    async def _pause(self, seconds: float) -> None:
        await self._unless_stopped(asyncio.sleep(seconds))

    async def _unless_stopped(self, work: Coroutine[object, object, T], *, grace_seconds: float = 0.0) -> T | None:
        """Return what ``work`` returns; once ``stop`` is set, cancel it after ``grace_seconds`` and return None."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and grace_seconds:
                await asyncio.wait({task}, timeout=grace_seconds)
            if task.done():
                return task.result()
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)
        return None

    def _failed(self, verdict: str, problem: str, *, state: State = State.WAITING) -> None:
        metrics.FAILURES.labels(self._name, verdict).inc()
        if problem != self._health.problem:  # a failure that lasts is told once
            log.warning("a collector cannot collect", collector=self._name, verdict=verdict, problem=problem)
        self._health.failed(problem, state=state)


def _seen_before_created(batch: Batch) -> str | None:
    """Say what is wrong if items are newer than our own clock: no reader would take them, and they are good."""
    ahead_ms = [signal.created_ms - signal.observed_ms for signal in batch.signals.signals]
    early_ms = [ms for ms in ahead_ms if CLOCK_SKEW_MS < ms <= LIKELY_MS]
    if not early_ms:
        return None
    return (
        f"{len(early_ms)} of {len(ahead_ms)} items are from up to {max(early_ms) // 60_000} min after now, by this "
        "machine's clock. Nothing is published until that is right"
    )


async def _then_true(work: Awaitable[None]) -> bool:
    await work
    return True
