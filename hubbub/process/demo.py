"""The whole system on this machine, without an account or a network, over a simulated world with a known truth.

Owns the run of ``hubbub demo``: an embedded broker, the simulated platforms, and all roles as real processes. At the
end it compares the ranking with the truth.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from hubbub.clock import WorldClock, wall_clock
from hubbub.evaluate.stories.world_agreement import WorldAgreement, compare_with_truth
from hubbub.operate.operator_commands import read_threads
from hubbub.process.embedded_broker import EmbeddedBroker, free_port
from hubbub.process.local import role_children, running
from hubbub.process.simulated_platforms import collector_settings, platforms
from hubbub.process.supervisor import Child, Supervisor
from hubbub.settings import KafkaSettings
from hubbub.world.generated import DEMO, generate, lasting
from hubbub.world.recorded import read_recording
from hubbub.world.servers import SIMULATORS
from hubbub.world.truth import truth
from hubbub.world.world import World
from ingest.registry import PLATFORMS
from streams.records.noise_score import NoiseScore
from streams.serve.read import read_scores

HOUR_MS = 3_600_000
START_SECONDS = 12.0
"""The world's time begins this long after the start, because the roles need about that long to get ready."""
QUIET_SECONDS = 4.0
"""Signals in flight when collecting ends are scored within this time."""
SECONDS_PER_HOUR = 15.0
"""How long an hour of the generated world lasts: it runs at 240 times real speed."""
SEED = 25
"""A world whose stories the matcher keeps apart. With most seeds it merges two of the dozen."""
BEAT = "ai"
"""What the generated world's stories are about. Its chatter is left out at the source."""
PARTITIONS = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts of a running demo."""

    page_url: str
    kafka: KafkaSettings
    broker: EmbeddedBroker
    supervisor: Supervisor

    async def failure(self) -> str:
        """Wait until the broker ends or a role cannot be kept running; return why the demo cannot continue."""
        roles = asyncio.ensure_future(self.supervisor.failure())
        broker = asyncio.ensure_future(self.broker.wait())
        try:
            await asyncio.wait({roles, broker}, return_when=asyncio.FIRST_COMPLETED)
            return f"the embedded broker ended (exit code {broker.result()})" if broker.done() else roles.result()
        finally:
            roles.cancel()
            broker.cancel()


class Demo:
    """One run over a generated world of ``hours`` or, with ``data``, over recorded signals.

    ``seconds``: how long it lasts. None: ``SECONDS_PER_HOUR`` for each hour.
    """

    def __init__(self, seconds: float | None = None, data: Path | None = None, hours: float = DEMO.hours) -> None:
        self._seconds = hours * SECONDS_PER_HOUR if seconds is None else seconds
        self._data = data
        self._size = lasting(hours)
        started_ms = wall_clock() + int(START_SECONDS * 1000)
        if data is None:
            span_ms = int(hours * HOUR_MS)
            # The world ends now, so that nothing in it is from the future.
            self.clock = WorldClock(wall_clock() - span_ms, started_ms, span_ms / 1000 / self._seconds)
            self._world: World = generate(SEED, self.clock.origin_ms, self._size, SIMULATORS)
        else:
            self._world, _ = read_recording(data)
            span_ms = max(1, self._world.ends_ms - self._world.begins_ms)
            self.clock = WorldClock(self._world.begins_ms, started_ms, span_ms / 1000 / self._seconds)

    @property
    def ends_at(self) -> float:
        """The time when collecting ends, in seconds of the wall clock."""
        return self.clock.started_ms / 1000 + self._seconds

    @asynccontextmanager
    async def running(self, on_step: Callable[[str], None]) -> AsyncIterator[Stage]:
        """Start everything and yield when all roles are ready. ``on_step`` gets a line for each step.

        Raises:
            UserError: a part does not start.
        """
        size = ("--hours", self._size.hours, "--stories", self._size.stories, "--chatter", self._size.chatter)
        world = ("--seed", SEED, *size) if self._data is None else ("--data", self._data.resolve())
        async with EmbeddedBroker() as broker, platforms(self.clock, *map(str, world)) as urls:
            simulated = ", ".join(PLATFORMS[name].display_name for name in SIMULATORS)
            on_step(f"broker at {broker.bootstrap_servers}; {simulated} simulated on loopback")
            kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)
            port = free_port()
            on_step("starting collect, resolve, score and serve")
            async with running(kafka, self._children(kafka, urls, port), lambda *_: None) as supervisor:
                yield Stage(f"http://127.0.0.1:{port}/", kafka, broker, supervisor)

    async def result(self, stage: Stage) -> tuple[dict[str, NoiseScore], WorldAgreement | None]:
        """End collecting, wait until signals in flight are scored, and compare the scores with the truth.

        Return the scores, and their agreement with the truth; None for recorded signals, whose truth is not known.
        """
        at_ms = self.clock()
        await stage.supervisor.stop("collect")
        await asyncio.sleep(QUIET_SECONDS)
        scores = await read_scores(stage.kafka.client_options(), stage.kafka.topic_prefix)
        if self._data is not None:
            return scores, None
        threads = await read_threads(stage.kafka.client_options(), stage.kafka.topic_prefix)
        facts = truth(self._world, at_ms)
        posts = [post for story in facts.stories for post in story.posts]
        stories = {post: found for post in posts if (found := threads.current_stories(post))}
        return scores, compare_with_truth(facts, stories, scores)

    def _children(self, kafka: KafkaSettings, urls: dict[str, str], port: int) -> list[Child]:
        environment = {
            **collector_settings(self.clock, urls, fast=True, recorded=self._data is not None),
            "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "HUBBUB_KAFKA__PARTITIONS": str(kafka.partitions),
            "HUBBUB_SERVE__PORT": str(port),
            "HUBBUB_LOG_FORMAT": "json",
        }
        if self._data is None:
            environment["HUBBUB_RESOLVE__BEATS"] = f'["{BEAT}"]'
        return role_children(environment, list(SIMULATORS))
