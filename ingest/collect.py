"""Runs several collectors side by side.

Owns how one that fails, hangs or gives up is kept from holding up another. Must never know a platform.
"""

import asyncio
from collections.abc import Callable, Mapping

from ingest.collector import CollectorConfig
from ingest.health import Health
from ingest.loop import CollectorLoop, LoopOptions
from ingest.registry import PLATFORMS
from ingest.relevance import EVERYTHING, Relevance
from transport.errors import UserError


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
    """Run the collectors that ``configs`` names side by side until ``stop`` is set, then drain and return.

    ``configs``: their options, each of the class that its spec names.
    ``kafka``: connection options of aiokafka. ``topics``: the prefix of all topics' names. ``now_ms``: the clock, UTC
    epoch milliseconds. ``health``: kept up to date, to be read meanwhile. ``relevance``: which root posts
    of firehoses to publish.

    A failing collector never holds up another. One that only the operator can fix ends alone.

    Raises:
        KeyError: a name that is not in :data:`ingest.registry.PLATFORMS`.
        UserError: every collector has ended because only the operator can fix it; one line for each.
    """
    health = health or Health()
    loops = {
        name: CollectorLoop(
            PLATFORMS[name],
            config,
            kafka=kafka,
            topics=topics,
            now_ms=now_ms,
            stop=stop,
            health=health.add(name),
            options=options or LoopOptions(),
            relevance=relevance,
        )
        for name, config in configs.items()
    }
    given_up: list[str] = []

    async def run(name: str, loop: CollectorLoop) -> None:
        try:
            await loop.run()
        except UserError as error:
            given_up.append(f"{name}: {error}")
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise RuntimeError(f"collector {name} was cancelled from within") from error

    # Any other end of one collector ends all of them: otherwise no alarm would show that one is missing.
    async with asyncio.TaskGroup() as group:
        for name, loop in loops.items():
            group.create_task(run(name, loop))
    if given_up and len(given_up) == len(loops):
        raise UserError("\n".join(given_up))
