"""How a role ends that cannot go on, and what it says of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HANGS = """
import asyncio, time
from hubbub.process import run_role as role
from hubbub.settings import Settings

role.HUNG_SECONDS = 0.6

async def work(stop):
    await asyncio.sleep({pause})
    time.sleep({hang})

raise SystemExit(role.run_role("score", Settings(metrics_port=0), lambda: (work, list)))
"""


FAILS = """
from hubbub.process import run_role as role
from hubbub.settings import Settings

async def work(stop):
    error = {error}
    error.add_note("the record is at offset 7 of candidates, partition 0")
    raise error

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


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        ('ValueError("too many\\nby far")', True),
        ('KeyError("url")', True),
        ('OSError("no route")', False),
        ('LookupError("no topic")', False),
        ('__import__("aiokafka").errors.KafkaConnectionError("gone")', False),
        ('__import__("streams.runtime.watchdog").runtime.watchdog.StalledError("stuck")', False),
    ],
)
def test_a_failure_is_told_in_a_line_and_with_its_stack_if_it_is_a_fault_of_ours(error: str, is_fault: bool) -> None:
    program = FAILS.format(error=error)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    (told,) = [json.loads(line) for line in ended.stderr.splitlines() if '"event": "failed"' in line]
    assert told["error"].endswith("; the record is at offset 7 of candidates, partition 0")
    assert ("in work" in told.get("exception", "")) is is_fault
