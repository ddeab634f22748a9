"""The roles, made from settings: what each process of a deployment runs.

Owns the wiring between the settings and the four roles. Each imports only what it runs, since their libraries take
seconds to load. Must never know how a process starts and ends
(:mod:`hubbub.process.run_role`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from hubbub.clock import WorldClock
from hubbub.process.run_role import run_role
from hubbub.settings import Settings
from ingest.collector import CollectorConfig
from ingest.health import Health
from ingest.registry import PLATFORMS
from ingest.relevance import EVERYTHING, Relevance


@dataclass(slots=True)
class _Collector:
    """The collectors that ``configs`` names, with their options, as one role."""

    configs: Mapping[str, CollectorConfig]
    relevance: Relevance
    kafka: Mapping[str, object]
    prefix: str
    now_ms: Callable[[], int]
    _health: Health = field(default_factory=Health, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        from ingest.collect import collect  # noqa: PLC0415 (see above)

        await collect(
            self.configs,
            kafka=self.kafka,
            topics=self.prefix,
            now_ms=self.now_ms,
            stop=stop,
            health=self._health,
            relevance=self.relevance,
        )

    def problems(self) -> list[str]:
        return list(self._health.problems)


def run_collect(settings: Settings, names: Sequence[str]) -> int:
    """Collect from the platforms ``names``; return the exit code.

    Raises:
        SettingsError: no such collector, or one that needs an account that is not set.
        BeatError: a beat cannot be read.
    """
    configs, relevance = settings.collect.configs(names), relevance_to(settings.resolve.beats)
    return run_role("collect", settings, partial(_Collector, configs, relevance))


def relevance_to(names: Sequence[str]) -> Relevance:
    """Return what the beats ``names`` want, as resolve decides it.

    Raises:
        BeatError: a beat cannot be read.
    """
    from streams.resolve.matching.beats import load_beats, relevant_beats  # noqa: PLC0415

    beats = load_beats(names)
    if any(beat.takes_everything for beat in beats.values()):
        return EVERYTHING
    accounts = dict.fromkeys(account for beat in beats.values() for account in beat.accounts)
    return Relevance(lambda signal: bool(relevant_beats(beats, signal)), tuple(accounts))


def run_resolve(settings: Settings) -> int:
    """Gather signals into stories; return the exit code."""
    from streams.resolve.matching.beats import load_beats  # noqa: PLC0415
    from streams.resolve.worker import Resolver  # noqa: PLC0415

    make = partial(Resolver, config=settings.resolve, beats=load_beats(settings.resolve.beats))
    return run_role("resolve", settings, make, needs_broker=True)


def run_score(settings: Settings) -> int:
    """Score stories; return the exit code.

    Raises:
        FiguresError: the operator's file of public figures cannot be used.
    """
    from scoring import DEFAULT  # noqa: PLC0415
    from streams.score.reading import TextReader  # noqa: PLC0415
    from streams.score.worker import ScoreWorker  # noqa: PLC0415

    reader = TextReader.load(settings.score.figures_file)
    for spec in PLATFORMS.values():
        DEFAULT.add_platform(spec.name, spec.loud_interactions, spec.views_per_like)
    make = partial(ScoreWorker, config=settings.score, reader=reader)
    return run_role("score", settings, make, needs_broker=True)


def run_serve(settings: Settings) -> int:
    """Serve the page, the API and the WebSocket; return the exit code."""
    from streams.serve.role import Server  # noqa: PLC0415

    clock = settings.clock()
    rate = clock.speed if isinstance(clock, WorldClock) else 1.0
    names = {name: spec.display_name for name, spec in PLATFORMS.items()}
    make = partial(Server, config=settings.serve, clock_rate=rate, platform_names=names)
    return run_role("serve", settings, make)
