"""A role whose event loop stands still ends by itself, and says where it stood."""

from __future__ import annotations

import subprocess
import sys

HANGS = """
import asyncio, time
from hubbub import role
from hubbub.settings import Settings

role.HUNG_SECONDS = 0.6

async def work(stop):
    await asyncio.sleep({pause})
    time.sleep({hang})

raise SystemExit(role.run_role("score", Settings(metrics_port=0), lambda: (work, list)))
"""


def run(*, pause: float, hang: float) -> subprocess.CompletedProcess[str]:
    program = HANGS.format(pause=pause, hang=hang)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)


def test_a_loop_that_hangs_ends_the_process_and_shows_where() -> None:
    ended = run(pause=0.0, hang=20.0)
    assert ended.returncode == 1
    assert "Timeout (0:00:00.600000)!" in ended.stderr
    assert 'File "<string>", line 10 in work' in ended.stderr


def test_a_loop_that_comes_round_goes_on() -> None:
    ended = run(pause=1.5, hang=0.0)
    assert ended.returncode == 0, ended.stderr
    assert "Timeout" not in ended.stderr
