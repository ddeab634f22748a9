"""The simulated platforms as a process of their own, and the settings by which collectors read them.

Owns the starting and the end of that process. What the platforms serve is :mod:`hubbub.world`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson

from hubbub.clock import WorldClock
from hubbub.process.child_process import tied
from transport.errors import UserError

__all__ = ["collector_settings", "platforms"]


@asynccontextmanager
async def platforms(clock: WorldClock, *arguments: str) -> AsyncIterator[dict[str, str]]:
    """Run the simulated platforms and yield what they say of themselves: ``reddit_url`` and ``hackernews_url``.

    ``arguments``: see ``python -m hubbub.world --help``.

    Raises:
        UserError: they do not start.
    """
    command: Sequence[str] = [sys.executable, "-m", "hubbub.world", "--clock", str(clock), *arguments]
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *tied(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            if process.stdout is None:
                raise RuntimeError("the simulated platforms have no output")
            ready = await process.stdout.readline()
            if not ready:
                await process.wait()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().splitlines()
                raise UserError(f"the simulated platforms did not start: {said[-1] if said else 'they said nothing'}")
            yield orjson.loads(ready)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def collector_settings(clock: WorldClock, urls: dict[str, str]) -> dict[str, str]:
    """Return the settings, as environment variables, of a collector that reads all of the platforms at ``urls``."""
    return {
        "HUBBUB_WORLD_CLOCK": str(clock),
        "HUBBUB_COLLECT__REDDIT__CLIENT_ID": "simulated",
        "HUBBUB_COLLECT__REDDIT__CLIENT_SECRET": "simulated",  # the simulated platform takes any
        "HUBBUB_COLLECT__REDDIT__REDDIT_URL": urls["reddit_url"],
        "HUBBUB_COLLECT__REDDIT__OAUTH_URL": urls["reddit_url"],
        "HUBBUB_COLLECT__REDDIT__SUBREDDITS": '["all"]',
        "HUBBUB_COLLECT__HACKERNEWS__BASE_URL": urls["hackernews_url"],
    }
