"""The whole system on this machine, with no account and no network, over a simulated world that knows the truth.

Owns the run of ``hubbub demo``: an embedded broker, the simulated platforms, all roles as real processes, and at the
end the ranking, held against the truth of the world.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from hubbub.clock import WorldClock, wall_clock
from hubbub.evaluate.agreement import Agreement, agree
from hubbub.process.embedded_broker import EmbeddedBroker
from hubbub.process.local import free_port, role_children, running
from hubbub.process.simulated_platforms import collector_settings, platforms
from hubbub.process.supervisor import Child, Supervisor
from hubbub.settings import KafkaSettings
from hubbub.world.generated import DEMO, generate
from hubbub.world.recorded import read_recording
from hubbub.world.truth import truth
from hubbub.world.world import World
from streams.records.public import NoiseScore
from streams.resolve.threads import ThreadIndex
from streams.serve.read import read_scores
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["Demo", "Stage"]

HOUR_MS = 3_600_000
START_SECONDS = 12.0
"""The world's time begins so long after the start: the roles take about that long to get ready."""
QUIET_SECONDS = 4.0
"""What is in flight when collecting ends is scored within this."""
SEED = 1
PARTITIONS = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """What is there while the demo runs."""

    page_url: str
    kafka: KafkaSettings
    clock: WorldClock
    supervisor: Supervisor
    log: Path


class Demo:
    """One run of ``seconds``, over the generated world or, with ``data``, over recorded signals."""

    def __init__(self, seconds: float, data: Path | None = None, *, seed: int = SEED) -> None:
        self._seconds = seconds
        self._data = data
        self._seed = seed
        started_ms = wall_clock() + int(START_SECONDS * 1000)
        if data is None:
            span_ms = int(DEMO.hours * HOUR_MS)
            # The world ends at the hour that it is now, so that nothing in it is from the future.
            self.clock = WorldClock(wall_clock() - span_ms, started_ms, span_ms / 1000 / seconds)
            self._world: World = generate(seed, self.clock.origin_ms)
        else:
            self._world, self.left_out = read_recording(data)
            span_ms = max(1, self._world.ends_ms - self._world.begins_ms)
            self.clock = WorldClock(self._world.begins_ms, started_ms, span_ms / 1000 / seconds)

    @property
    def ends_at(self) -> float:
        """When collecting ends, in seconds of the wall clock."""
        return self.clock.started_ms / 1000 + self._seconds

    @asynccontextmanager
    async def running(self, tell: Callable[[str], None]) -> AsyncIterator[Stage]:
        """Start everything and yield when all roles are ready; ``tell`` is told of each step.

        Raises:
            UserError: a part does not start.
            BrokerError: the embedded broker cannot run.
        """
        with tempfile.TemporaryDirectory(prefix="hubbub-demo-") as folder:
            log = Path(folder, "roles.log")
            with log.open("a", encoding="utf-8") as lines:  # noqa: ASYNC230 (a local file, a line at a time)
                async with EmbeddedBroker() as broker, self._platforms() as urls:
                    tell(f"broker at {broker.bootstrap_servers}; Reddit and Hacker News simulated on loopback")
                    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)
                    port = free_port()
                    children = self._children(kafka, urls, port)

                    def note(child: str, line: str) -> None:
                        lines.write(f"{child}: {line}\n")
                        lines.flush()

                    tell("starting collect, resolve, score and serve")
                    async with running(kafka, children, note) as supervisor:
                        yield Stage(f"http://127.0.0.1:{port}/", kafka, self.clock, supervisor, log)

    async def result(self, stage: Stage) -> tuple[dict[str, NoiseScore], Agreement | None]:
        """End collecting, let what is in flight be scored, and return the scores and how they agree with the truth."""
        at_ms = self.clock()
        await stage.supervisor.stop("collect")
        await asyncio.sleep(QUIET_SECONDS)
        scores = await read_scores(stage.kafka.client_options(), stage.kafka.topic_prefix)
        if self._data is not None:
            return scores, None
        threads = ThreadIndex()
        async with TopicReader(name("stories"), stage.kafka.client_options()) as tail:
            for record in await tail.read_to_end():
                threads.apply(record.key or b"", record.value)
        facts = truth(self._world, at_ms)
        posts = [post for story in facts.stories for post in story.posts]
        stories = {post: found for post in posts if (found := threads.by_now(post))}
        return scores, agree(facts, stories, scores)

    def _children(self, kafka: KafkaSettings, urls: dict[str, str], port: int) -> list[Child]:
        environment = {
            **collector_settings(self.clock, urls),
            "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "HUBBUB_KAFKA__PARTITIONS": str(kafka.partitions),
            "HUBBUB_SERVE__PORT": str(port),
            "HUBBUB_LOG_FORMAT": "json",
            "HUBBUB_COLLECT__REDDIT__REQUESTS_PER_MINUTE": "1200",
            "HUBBUB_COLLECT__REDDIT__SUBMISSIONS_POLL_SECONDS": "1",
            "HUBBUB_COLLECT__REDDIT__COMMENTS_POLL_SECONDS": "1",
            "HUBBUB_COLLECT__REDDIT__REOBSERVE_SECONDS": "2",
            "HUBBUB_COLLECT__REDDIT__SWEEP_SECONDS": "5",
            "HUBBUB_COLLECT__HACKERNEWS__REQUESTS_PER_MINUTE": "6000",
            "HUBBUB_COLLECT__HACKERNEWS__POLL_SECONDS": "1",
            "HUBBUB_COLLECT__HACKERNEWS__UPDATES_SECONDS": "3",
            "HUBBUB_COLLECT__HACKERNEWS__FRONT_PAGE_SECONDS": "5",
            "HUBBUB_COLLECT__HACKERNEWS__REOBSERVE_SECONDS": "2",
            "HUBBUB_COLLECT__HACKERNEWS__MISSING_RETRY_SECONDS": "1",
        }
        if self._data is not None:
            # The ids of recorded items have gaps of millions; those before the first are not worth asking for.
            environment["HUBBUB_COLLECT__HACKERNEWS__CATCH_UP_MAX_ITEMS"] = "200"
        return role_children(environment, ["hackernews", "reddit"])

    def _platforms(self) -> AbstractAsyncContextManager[dict[str, str]]:
        data = () if self._data is None else ("--data", str(self._data.resolve()))
        return platforms(self.clock, "--seed", str(self._seed), *data)


def seconds_left(demo: Demo) -> float:
    """Return how long the demo goes on."""
    return demo.ends_at - time.time()
