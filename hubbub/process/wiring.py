"""The roles, made from settings: what each process of a deployment runs.

Owns the wiring between the settings and the four roles. Each imports only what it runs, since their libraries take
seconds to load. Must never know how a process starts and ends
(:mod:`hubbub.process.run_role`).
"""

from collections.abc import Sequence
from functools import partial

from hubbub.clock import WorldClock
from hubbub.process.run_role import run_role
from hubbub.settings import Settings
from ingest.registry import PLATFORMS


def run_collect(settings: Settings, names: Sequence[str]) -> int:
    """Collect from the platforms ``names``, or if there are none, from those of the settings; return the exit code.

    Raises:
        SettingsError: no such collector, or one that needs an account that is not set.
        BeatError: a beat cannot be read.
    """
    from hubbub.process.collect_role import CollectRole  # noqa: PLC0415
    from streams.resolve.matching.beats import load_beats  # noqa: PLC0415

    settings.collect.configs(names or settings.collect.chosen())  # a mistake is one line, and nothing starts
    load_beats(settings.resolve.beats)
    return run_role("collect", settings, partial(CollectRole, settings, names))


def run_resolve(settings: Settings) -> int:
    """Gather signals into stories; return the exit code.

    Raises:
        BeatError: a beat cannot be read.
    """
    from hubbub.process.resolve_role import ResolveRole  # noqa: PLC0415
    from streams.resolve.matching.beats import load_beats  # noqa: PLC0415

    load_beats(settings.resolve.beats)
    return run_role("resolve", settings, partial(ResolveRole, settings), needs_broker=True)


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
