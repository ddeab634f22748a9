"""The role ``score``: one worker, from its start to a clean end.

Owns what a worker opens, and how it ends. Any failure ends the role, for a supervisor to start it again.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from streams.score.assessor import open_assessor
from streams.score.config import ScoreConfig
from streams.score.faust_input import FaustInput
from streams.score.processor import Processor
from streams.score.reading import Reader
from transport.producer import open_producer


class Input(Protocol):
    """A member of the consumer group of ``story-activity``, which brings its partitions and records to a processor.

    On a rebalance it calls ``revoke``, ``assign`` and ``take_over``, then reads on from ``next_offsets``. It passes
    records to ``process``, in the order of their offsets as far as it can. ``run`` raises what the
    processor raises. ``stop`` commits what is acknowledged.
    """

    async def run(self) -> None:
        """Work until cancelled."""

    async def stop(self) -> None:
        """Leave the group."""


class ScoreWorker:
    """One worker of the role."""

    def __init__(
        self,
        *,
        kafka: Mapping[str, object],
        prefix: str,
        config: ScoreConfig,
        reader: Reader,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        make_input: Callable[[Processor, Mapping[str, object], ScoreConfig], Input] = FaustInput,
    ) -> None:
        """``kafka``: connection options of aiokafka. ``reader``: finds figures and sentiment in a signal's text."""
        self._kafka = kafka
        self._config = config
        # Its budgets go by the wall clock: money is spent in real time, whatever clock the stories live by.
        self._open_assessor = partial(
            open_assessor, config, kafka=kafka, prefix=prefix, now_ms=lambda: time.time_ns() // 1_000_000
        )
        self._make_processor = partial(
            Processor, kafka=kafka, prefix=prefix, config=config, reader=reader, now_ms=now_ms, monotonic=monotonic
        )
        self._make_input = make_input
        self._processor: Processor | None = None

    def problems(self) -> list[str]:
        """Return what keeps this worker from working now; nothing if it is ready."""
        return ["score has not started yet"] if self._processor is None else self._processor.problems()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over cleanly.

        Raises:
            streams.runtime.watchdog.StalledError: there are records, and none was processed for too long.
            Exception: whatever went wrong in a batch, or in taking over; see :class:`Processor`.
        """
        async with (
            self._open_assessor() as assess,
            open_producer(self._kafka) as producer,  # last, so that nothing is written once this has failed
        ):
            processor = self._processor = self._make_processor(assess=assess, producer=producer)
            input_ = self._make_input(processor, self._kafka, self._config)
            await processor.incarnations.open()
            parts = (input_.run(), processor.watchdog.watch(), processor.incarnations.watch(), stop.wait())
            tasks = [asyncio.create_task(part) for part in parts]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
            for task in done:
                task.result()
            await processor.revoke()
            await input_.stop()
