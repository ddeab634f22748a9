"""Runs several collectors side by side, and changes which ones while it runs.

Owns how one that fails, hangs or gives up is kept from holding up another, and how one starts again with other options.
Must never know a platform, nor where options come from.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from ingest import metrics
from ingest.collector import CollectorConfig
from ingest.health import Health
from ingest.loop import CollectorLoop, LoopOptions
from ingest.registry import PLATFORMS
from ingest.relevance import EVERYTHING, Relevance
from transport.errors import UserError


@dataclass(slots=True)
class _Run:
    """One run of a collector with ``config``. ``stop``: asks it to end."""

    config: CollectorConfig
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Collectors:
    """The collectors of one process.

    A failing collector never holds up another. One that only the operator can fix ends alone, until the next change.
    """

    def __init__(
        self,
        configs: Mapping[str, CollectorConfig],
        *,
        kafka: Mapping[str, object],
        topics: str,
        now_ms: Callable[[], int],
        health: Health | None = None,
        options: LoopOptions | None = None,
        relevance: Relevance = EVERYTHING,
    ) -> None:
        """``configs``: the options of each collector to run, of the class that its spec names.

        ``kafka``: connection options of aiokafka. ``topics``: the prefix of all topics' names. ``now_ms``: the clock,
        UTC epoch milliseconds. ``health``: kept up to date, to be read meanwhile. ``relevance``: which root posts of
        firehoses to publish.

        Raises:
            KeyError: a name that is not in :data:`ingest.registry.PLATFORMS`.
        """
        self._configs = _known(configs)
        self._kafka = kafka
        self._topics = topics
        self._now_ms = now_ms
        self._health = health or Health()
        self._options = options or LoopOptions()
        self._relevance = replace(relevance)
        self._runs: dict[str, _Run] = {}
        self._given_up: dict[str, str] = {}
        self._all_given_up = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until ``stop`` is set, then drain and return.

        Raises:
            UserError: every collector has ended because only the operator can fix it; one line for each.
        """
        ends = [asyncio.ensure_future(event.wait()) for event in (stop, self._all_given_up)]
        try:
            # Any other end of one collector ends all of them: otherwise no alarm would show that one is missing.
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._start()
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                self._group = None
                for run in self._runs.values():
                    run.stop.set()
        finally:
            self._group = None
            for end in ends:
                end.cancel()
        if self._all_given_up.is_set():
            raise UserError("\n".join(self._given_up.values()))

    def change(
        self, configs: Mapping[str, CollectorConfig], relevance: Relevance, again: Collection[str] = ()
    ) -> list[str]:
        """Run the collectors that ``configs`` names from now on; return the names of those that this concerns.

        ``again``: those whose options mean something else now, though they are the same: a file has changed.

        A collector with other options publishes what it has, saves its cursor, and goes on from there with the new
        ones. One that is no longer named ends so. Those that had given up try again. All others are not disturbed.

        Raises:
            KeyError: a name that is not in :data:`ingest.registry.PLATFORMS`. Nothing is changed.
        """
        before, self._configs = self._configs, _known(configs)
        self._relevance.become(relevance)
        for name, run in self._runs.items():
            if name in again or self._configs.get(name) != run.config:
                run.stop.set()
        for name in self._given_up.keys() - self._configs.keys():
            self._forget(name)
        changed = [
            name for name in {**before, **self._configs} if name in again or before.get(name) != self._configs.get(name)
        ]
        tried_again = [name for name in self._given_up if name not in changed]
        self._start()
        return changed + tried_again

    def _start(self) -> None:
        """Start the collectors that do not run."""
        if self._group is None:
            return
        for name, config in self._configs.items():
            if name not in self._runs:
                self._given_up.pop(name, None)
                self._runs[name] = _Run(config)  # at once, so that none is started twice
                self._group.create_task(self._keep(name))

    async def _keep(self, name: str) -> None:
        """Run one collector, again with each change of its options, as long as it is to run."""
        try:
            while self._group is not None:
                if (config := self._configs.get(name)) is None:
                    self._forget(name)
                    return
                run = self._runs[name] = _Run(config)
                try:
                    await self._run(name, run)
                except UserError as error:
                    if not run.stop.is_set():
                        self._given_up[name] = f"{name}: {error}"
                        return
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise RuntimeError(f"collector {name} was cancelled from within") from error
        finally:
            del self._runs[name]
            if self._configs and self._given_up.keys() >= self._configs.keys():
                self._all_given_up.set()

    async def _run(self, name: str, run: _Run) -> None:
        loop = CollectorLoop(
            PLATFORMS[name],
            run.config,
            kafka=self._kafka,
            topics=self._topics,
            now_ms=self._now_ms,
            stop=run.stop,
            health=self._health.add(name),
            options=self._options,
            relevance=self._relevance,
        )
        await loop.run()

    def _forget(self, name: str) -> None:
        """Leave a collector that is no longer to run out of the health and of the gauges."""
        self._given_up.pop(name, None)
        self._health.remove(name)
        metrics.unregister(name)


async def collect(
    configs: Mapping[str, CollectorConfig],
    *,
    kafka: Mapping[str, object],
    topics: str,
    now_ms: Callable[[], int],
    stop: asyncio.Event,
    health: Health | None = None,
    options: LoopOptions | None = None,
    relevance: Relevance = EVERYTHING,
) -> None:
    """Run the collectors that ``configs`` names until ``stop`` is set, then drain and return; see :class:`Collectors`.

    Raises:
        KeyError: a name that is not in :data:`ingest.registry.PLATFORMS`.
        UserError: every collector has ended because only the operator can fix it; one line for each.
    """
    collectors = Collectors(
        configs, kafka=kafka, topics=topics, now_ms=now_ms, health=health, options=options, relevance=relevance
    )
    await collectors.run(stop)


def _known(configs: Mapping[str, CollectorConfig]) -> dict[str, CollectorConfig]:
    for name in configs:
        _ = PLATFORMS[name]
    return dict(configs)
