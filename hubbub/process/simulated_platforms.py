"""The simulated platforms as a process of their own, and the settings with which collectors read them.

Owns the start and the end of that process. :mod:`hubbub.world` serves the platforms.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson

from hubbub.clock import WorldClock
from hubbub.process.child_process import kill_child, start_child
from hubbub.world.servers import SIMULATORS
from transport.errors import UserError


@asynccontextmanager
async def platforms(clock: WorldClock, *arguments: str) -> AsyncIterator[dict[str, str]]:
    """Run the simulated platforms and yield what they report: ``NAME_url`` for each platform.

    ``arguments``: see ``python -m hubbub.world --help``.

    Raises:
        UserError: they do not start.
    """
    command = [sys.executable, "-m", "hubbub.world", "--clock", str(clock), *arguments]
    with tempfile.TemporaryFile() as errors:
        process = await start_child(command, stdout=asyncio.subprocess.PIPE, stderr=errors)
        try:
            if process.stdout is None:
                raise RuntimeError("the simulated platforms have no output")
            ready = await process.stdout.readline()
            if not ready:
                await process.wait()
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                raise UserError(f"the simulated platforms did not start: {lines[-1] if lines else 'no output'}")
            yield orjson.loads(ready)
        finally:
            await kill_child(process)


def collector_settings(
    clock: WorldClock, urls: dict[str, str], *, fast: bool = False, recorded: bool = False
) -> dict[str, str]:
    """Return the settings, as environment variables, of a collector that reads all of the platforms at ``urls``.

    ``fast``: it polls often enough for a world some hundred times as fast as real time. ``recorded``: the world is a
    recording.
    """
    settings = {"HUBBUB_WORLD_CLOCK": str(clock)}
    for name, simulator in SIMULATORS.items():
        options = simulator.options(urls[f"{name}_url"])
        if fast:
            options |= simulator.fast_options
        if recorded:
            options |= simulator.recorded_options
        for option, value in options.items():
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            settings[f"HUBBUB_COLLECT__{name.upper()}__{option.upper()}"] = text
    return settings
