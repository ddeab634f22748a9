"""The roles, made from settings: what each process of a deployment runs.

Owns the wiring between the settings and the four roles. Must never know how a process starts and ends
(:mod:`hubbub.process.run_role`).
"""

import asyncio
from collections.abc import Sequence

from hubbub.clock import WorldClock
from hubbub.process.health_server import Problems
from hubbub.process.run_role import Role, run_role
from hubbub.settings import Settings
from ingest.collect import collect
from ingest.health import Health
from ingest.registry import PLATFORMS
from scoring import DEFAULT
from streams.resolve.matching.beats import load_beat
from streams.resolve.worker import Resolver
from streams.score.reading import TextReader
from streams.score.worker import ScoreWorker
from streams.serve.role import Server


def run_collect(settings: Settings, names: Sequence[str]) -> int:
    """Collect from the platforms ``names``; return the exit code.

    Raises:
        SettingsError: no such collector, or one that needs an account that is not set.
    """
    configs = settings.collect.configs(names)

    def make() -> tuple[Role, Problems]:
        health = Health()

        async def role(stop: asyncio.Event) -> None:
            await collect(
                names,
                configs,
                kafka=settings.kafka.client_options(),
                topics=settings.kafka.topic_prefix,
                now_ms=settings.clock(),
                stop=stop,
                health=health,
            )

        return role, lambda: list(health.problems)

    return run_role("collect", settings, make)


def run_resolve(settings: Settings) -> int:
    """Gather signals into stories; return the exit code."""
    beats = {beat.name: beat for beat in map(load_beat, settings.resolve.beats)}

    def make() -> tuple[Role, Problems]:
        resolver = Resolver(
            kafka=settings.kafka.client_options(),
            prefix=settings.kafka.topic_prefix,
            config=settings.resolve,
            beats=beats,
            now_ms=settings.clock(),
        )
        return resolver.run, resolver.problems

    return run_role("resolve", settings, make, needs_broker=True)


def run_score(settings: Settings) -> int:
    """Score stories; return the exit code.

    Raises:
        FiguresError: the operator's file of public figures cannot be used.
    """
    reader = TextReader.load(settings.score.figures_file)
    for spec in PLATFORMS.values():
        DEFAULT.add_platform(spec.name, spec.loud_interactions, spec.views_per_like)

    def make() -> tuple[Role, Problems]:
        scorer = ScoreWorker(
            kafka=settings.kafka.client_options(),
            prefix=settings.kafka.topic_prefix,
            config=settings.score,
            reader=reader,
            now_ms=settings.clock(),
        )
        return scorer.run, scorer.problems

    return run_role("score", settings, make, needs_broker=True)


def run_serve(settings: Settings) -> int:
    """Serve the page, the API and the WebSocket; return the exit code."""
    clock = settings.clock()

    def make() -> tuple[Role, Problems]:
        server = Server(
            kafka=settings.kafka.client_options(),
            prefix=settings.kafka.topic_prefix,
            config=settings.serve,
            now_ms=clock,
            clock_rate=clock.speed if isinstance(clock, WorldClock) else 1.0,
            platform_names={name: spec.display_name for name, spec in PLATFORMS.items()},
        )
        return server.run, server.problems

    return run_role("serve", settings, make)
