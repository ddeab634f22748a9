"""The registry: every collector there is, and running several of them side by side.

Owns the list of platforms. It is the only place that knows all of them; adding a platform adds one line here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from ingest.collector import CollectorConfig, CollectorSpec
from ingest.errors import GiveUpError
from ingest.health import Health
from ingest.loop import CollectorLoop, LoopOptions
from ingest.platforms.hackernews.collector import SPEC as HACKERNEWS
from ingest.platforms.reddit.collector import SPEC as REDDIT

__all__ = ["COLLECTORS", "collect"]

COLLECTORS: Final[Mapping[str, CollectorSpec[Any]]] = MappingProxyType(
    {spec.name: spec for spec in (HACKERNEWS, REDDIT)}
)
"""By name. (Any: each has a config class of its own, and a mapping cannot say which.)"""


async def collect(
    names: Collection[str],
    configs: Mapping[str, CollectorConfig],
    *,
    kafka: Mapping[str, object],
    topics: str,
    now_ms: Callable[[], int],
    stop: asyncio.Event,
    health: Health | None = None,
    options: LoopOptions | None = None,
) -> None:
    """Run the collectors ``names`` side by side until ``stop`` is set, then drain and return.

    ``configs``: by name, each of the class its spec names; a collector without an entry gets that class's defaults.
    ``kafka``: connection options of aiokafka. ``topics``: the prefix of all topics' names. ``now_ms``: the clock, UTC
    epoch milliseconds. ``health``: is kept up to date, to be read by others meanwhile.

    One collector's troubles never hold up another. One that only the operator can mend ends alone.

    Raises:
        KeyError: a name that is not in :data:`COLLECTORS`.
        pydantic.ValidationError: a collector without an entry in ``configs`` has options that must be given.
        GiveUpError: every collector has ended because only the operator can mend it; one line for each.
    """
    health = health or Health()
    loops = [
        CollectorLoop(
            spec,
            configs[name] if name in configs else spec.config(),
            kafka=kafka,
            topics=topics,
            now_ms=now_ms,
            stop=stop,
            health=health.add(name),
            options=options or LoopOptions(),
        )
        for name, spec in ((name, COLLECTORS[name]) for name in names)
    ]
    given_up: list[str] = []

    async def run(name: str, loop: CollectorLoop) -> None:
        try:
            await loop.run()
        except GiveUpError as error:
            given_up.append(f"{name}: {error}")
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise RuntimeError(f"collector {name} was cancelled from within") from error

    # Whatever else ends one ends all: one that was missing while the others go on would not be missed.
    async with asyncio.TaskGroup() as group:
        for name, loop in zip(names, loops, strict=True):
            group.create_task(run(name, loop))
    if given_up and len(given_up) == len(loops):
        raise GiveUpError("\n".join(given_up))
