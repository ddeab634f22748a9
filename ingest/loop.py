"""The loop: collect, publish, wait for the acknowledgements, save the cursor; and again.

Owns everything that collectors share: the order of those four steps, retries and back-off, obeying platforms that
limit our rate, isolating one collector from another, health, and stopping without loss. Must never know a platform.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from ingest import cursors, metrics, report
from ingest.batch import Batch
from ingest.collector import Collector, CollectorConfig, CollectorContext
from ingest.errors import COLLECT_ERRORS, retry_policy
from ingest.health import CollectorHealth, State
from ingest.memory.rate_limit import RateLimiter
from ingest.publish import Publisher
from ingest.relevance import EVERYTHING, Relevance
from ingest.reporter import Reporter
from ingest.signal import CLOCK_SKEW_MS, LIKELY_MS
from ingest.spec import PlatformSpec
from transport.errors import SlowDownError, UserError
from transport.kafka import KafkaError
from transport.printable import printable
from transport.reader import TopicMissingError
from transport.retry import Backoff, attempts

log = structlog.get_logger(__name__)
T = TypeVar("T")

GIVE_UP_TRIES = 3
"""Consecutive start-up rejections tolerated before giving up: a single one may be the platform's fault."""
MAX_PROBLEM_CHARS = 1_000
"""Longest description of a failure that is kept and shown."""
SAY_AGAIN_SECONDS = 600.0
"""Shortest time between two lines in the log on failures of one kind."""
ConfigT = TypeVar("ConfigT", bound=CollectorConfig)


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How the loop behaves. ``seed``: of the back-off's jitter.

    ``kafka_timeout_seconds``: a batch that is not acknowledged by then is given to a new producer.
    ``drain_seconds``: how long publishing may take after ``stop``.
    ``max_dead_share``: a batch of ``dead_share_min_items`` or more with a larger unreadable share is held back and
    collected again later. The platform's format has changed, or something else answers in its place.
    ``clock``, ``sleep``: real seconds.
    """

    retry_first_seconds: float = 1.0
    kafka_timeout_seconds: float = 30.0
    drain_seconds: float = 8.0
    max_dead_share: float = 0.5
    dead_share_min_items: int = 20
    seed: int = 0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Coroutine[object, object, None]] = asyncio.sleep


class CollectorLoop:
    """Runs one collector until ``stop``."""

    def __init__(
        self,
        spec: PlatformSpec[ConfigT],
        config: ConfigT,
        *,
        kafka: Mapping[str, object],
        topics: str,
        now_ms: Callable[[], int],
        stop: asyncio.Event,
        health: CollectorHealth,
        options: LoopOptions,
        relevance: Relevance = EVERYTHING,
    ) -> None:
        self._name = spec.name
        self._kafka = kafka
        self._topics = topics
        self._stop = stop
        self._health = health
        self._options = options
        clock, sleep = options.clock, options.sleep
        self._rate_limiter = RateLimiter(spec.name, config.requests_per_minute, clock=clock, sleep=sleep)
        context = CollectorContext(self._rate_limiter, now_ms, clock, sleep, relevance)
        self._make: Callable[[bytes | None], Collector] = lambda cursor: spec.make(config, cursor, context)
        self._publisher = Publisher(
            collector=spec.name,
            kafka=kafka,
            topics=topics,
            now_ms=now_ms,
            timeout_seconds=options.kafka_timeout_seconds,
            clock=clock,
        )
        self._reporter = Reporter(spec.name, now_ms=now_ms, clock=clock, health=health)
        self._reports = False
        self._said: tuple[str, str] = ("", "")
        """The retry policy and the words of the failure that was logged last."""
        self._said_at = 0.0
        self._end_is_due = False
        """Whether a failure was logged whose end was not."""
        # One for each side: a healthy platform must not reset the back-off from a sick broker.
        rng = random.Random(f"{options.seed}:{spec.name}")
        self._platform_backoff = Backoff(options.retry_first_seconds, config.retry_max_seconds, rng)
        self._kafka_backoff = Backoff(options.retry_first_seconds, config.retry_max_seconds, rng)
        metrics.register(spec.name)

    async def run(self) -> None:
        """Collect until ``stop`` is set; then publish what was collected, save its cursor, and return.

        Raises:
            UserError: only the operator can fix this collector.
        """
        try:
            while not self._stop.is_set():
                try:
                    await self._collect_from_saved_cursor()
                except UserError as error:
                    self._failed(retry_policy(error), str(error), state=State.STOPPED)
                    raise
                except Exception as error:
                    log.exception("collector failed unexpectedly; restarting it", collector=self._name)
                    self._failed("unexpected", f"{type(error).__name__}: {error}")
                    await self._publisher.close()
                    await self._pause(self._platform_backoff.next_seconds())
        finally:
            await self._publisher.close()
        self._health.state = State.STOPPED

    async def _collect_from_saved_cursor(self) -> None:
        """Make a collector from the saved cursor, and run it until ``stop``."""
        saved = await self._unless_stopped(
            self._until_kafka_succeeds(
                lambda: cursors.load(
                    self._name,
                    kafka=self._kafka,
                    topic=self._topics + cursors.TOPIC,
                    timeout_seconds=self._options.kafka_timeout_seconds,
                )
            )
        )
        await self._unless_stopped(self._until_kafka_succeeds(self._restore_rates))
        if self._stop.is_set():
            return
        collector = self._make(saved)
        try:
            while not self._stop.is_set():
                batch = await self._collect(collector)
                await self._report()
                if batch is None:
                    continue
                if (problem := self._mostly_unreadable(batch) or _seen_before_created(batch)) is not None:
                    self._failed("retry_later", problem)
                    await self._pause(self._platform_backoff.next_seconds())
                    return  # this collector is past the batch; a new one goes on from the saved cursor
                await self._publish(batch)
                metrics.WATCHED_ITEMS.labels(self._name).set(collector.tracked_items)
        finally:
            await collector.aclose()

    async def _collect(self, collector: Collector) -> Batch | None:
        """Return the collector's next batch; None if there is none because of ``stop`` or a failure."""
        began_at = self._options.clock()
        try:
            batch = await self._unless_stopped(anext(collector))
        except COLLECT_ERRORS as error:
            # After a success it may work again without the operator: platforms have rejected all clients for an hour.
            pause_seconds = self._platform_backoff.next_seconds()
            never_worked = self._health.succeeded_at is None
            if isinstance(error, UserError) and never_worked and self._platform_backoff.failures >= GIVE_UP_TRIES:
                raise
            if isinstance(error, SlowDownError) and error.after_seconds is not None:
                pause_seconds = error.after_seconds
                self._rate_limiter.hold(pause_seconds)
            self._failed(retry_policy(error), str(error))
            await self._pause(pause_seconds)
            return None
        metrics.COLLECT_SECONDS.labels(self._name).observe(self._options.clock() - began_at)
        return batch

    def _mostly_unreadable(self, batch: Batch) -> str | None:
        dead, read = len(batch.signals.unreadable), batch.signals.read
        if read < self._options.dead_share_min_items or dead <= self._options.max_dead_share * read:
            return None
        first = batch.signals.unreadable[0]
        return (
            f"{dead} of {read} items are unreadable, the first because: {first.detail}. "
            "Nothing is published until this gets better; has the platform's format changed?"
        )

    async def _publish(self, batch: Batch) -> None:
        """Publish ``batch`` however long the broker takes; after ``stop``, for at most ``drain_seconds``."""
        began_at = self._options.clock()
        published = await self._unless_stopped(
            self._until_kafka_succeeds(lambda: self._publisher.publish(batch)),
            grace_seconds=self._options.drain_seconds,
        )
        if published is not None:
            self._reporter.observe(batch, published)
            metrics.PUBLISH_SECONDS.labels(self._name).observe(self._options.clock() - began_at)
            self._platform_backoff.reset()
            self._health.succeeded()
            if self._end_is_due:
                log.info("collector collects again", collector=self._name)
                self._end_is_due = False

    async def _restore_rates(self) -> None:
        """Take over what an earlier process learnt of the sources, once."""
        if self._reports:
            return
        topic = self._topics + report.TOPIC
        try:
            _, learnt = await report.load(
                kafka=self._kafka, topic=topic, timeout_seconds=self._options.kafka_timeout_seconds
            )
        except TopicMissingError as error:  # a deployment of an earlier version goes on without reports
            log.warning("no reports are written", collector=self._name, problem=str(error))
            return
        self._reports = True
        self._reporter.restore(learnt.get(self._name))

    async def _report(self) -> None:
        """Write the reports that are due. They are not worth a retry: the next one comes in a minute."""
        if self._reports and (records := self._reporter.due()):
            try:
                await self._unless_stopped(self._publisher.report(report.TOPIC, records))
            except KafkaError as error:
                log.info("no report was written", collector=self._name, problem=str(error))

    async def _until_kafka_succeeds(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call the broker until it succeeds, and return what it answers."""
        async for attempt in attempts(self._kafka_failed):
            with attempt:
                result = await call()
        self._kafka_backoff.reset()
        return result

    def _kafka_failed(self, error: Exception) -> float | bool:
        if not isinstance(error, KafkaError):
            return False
        self._failed("kafka", f"Kafka: {str(error) or type(error).__name__}")
        return self._kafka_backoff.next_seconds()

    async def _pause(self, seconds: float) -> None:
        await self._unless_stopped(self._options.sleep(seconds))

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

    def _failed(self, policy: str, problem: str, *, state: State = State.WAITING) -> None:
        metrics.FAILURES.labels(self._name, policy).inc()
        problem = printable(problem[:MAX_PROBLEM_CHARS])  # platforms explain themselves in it
        now, lasts = self._options.clock(), self._health.problem is not None
        same = policy == self._said[0] if lasts else problem == self._said[1]
        # A failure that lasts is reported once, though its words may name another host each time.
        if problem != self._health.problem and (not same or now - self._said_at >= SAY_AGAIN_SECONDS):
            log.warning("collector cannot collect", collector=self._name, retry_policy=policy, problem=problem)
            self._said, self._said_at, self._end_is_due = (policy, problem), now, True
        self._health.failed(problem, state=state)


def _seen_before_created(batch: Batch) -> str | None:
    """Return what is wrong if items are newer than our own clock; readers would reject them, though they are valid."""
    ahead_ms = [signal.created_ms - signal.observed_ms for signal in batch.signals.signals]
    early_ms = [ms for ms in ahead_ms if CLOCK_SKEW_MS < ms <= LIKELY_MS]
    if not early_ms:
        return None
    return (
        f"{len(early_ms)} of {len(ahead_ms)} items are from up to {max(early_ms) // 60_000} min after now, by this "
        "machine's clock. Nothing is published until that is right"
    )
