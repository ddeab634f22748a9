"""How a role's process starts without a broker, and how it ends when it cannot continue."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys

import pytest

from hubbub.process.exit_reason import FAILED, TRY_AGAIN
from hubbub.process.run_role import LONGEST_PAUSE_SECONDS, wait_for_broker
from transport.admin import BrokerProblem

HANGS = """
import asyncio, time, types
from hubbub.process.run_role import run_role
from hubbub.settings import Settings

async def work(stop):
    await asyncio.sleep({pause})
    time.sleep({hang})

role = types.SimpleNamespace(run=work, problems=list)
raise SystemExit(run_role("score", Settings(metrics_port=0), lambda **_: role, hung_seconds=0.6))
"""

FAILS = """
import types
from hubbub.process.run_role import run_role
from hubbub.settings import Settings

async def work(stop):
    error = {error}
    error.add_note("the record is at offset 7 of candidates, partition 0")
    raise error

role = types.SimpleNamespace(run=work, problems=list)
raise SystemExit(run_role("score", Settings(metrics_port=0), lambda **_: role))
"""

NEEDS_BROKER = """
import types
from hubbub.process.run_role import run_role
from hubbub.settings import load

async def work(stop):
    raise AssertionError("the role must not start")

role = types.SimpleNamespace(run=work, problems=list)
raise SystemExit(run_role("score", load(), lambda **_: role, needs_broker=True))
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


def test_a_stuck_event_loop_ends_the_process_and_shows_where() -> None:
    ended = run(HANGS.format(pause=0.0, hang=50.0))
    assert ended.returncode == FAILED
    assert "Timeout (0:00:00.600000)!" in ended.stderr
    assert 'File "<string>", line 8 in work' in ended.stderr


def test_an_event_loop_that_runs_is_left_alone() -> None:
    ended = run(HANGS.format(pause=1.5, hang=0.0))
    assert ended.returncode == 0, ended.stderr
    assert "Timeout" not in ended.stderr


@pytest.mark.parametrize(
    ("error", "code", "has_stack"),
    [
        ('KeyError("url")', FAILED, True),
        ('ExceptionGroup("tasks", [KeyError("url")])', FAILED, True),
        ('OSError("disk full")', FAILED, False),
        ('__import__("transport.errors").errors.UserError("no such topic")', FAILED, False),
        ('__import__("aiokafka").errors.KafkaConnectionError("gone")', TRY_AGAIN, False),
        ('__import__("transport.errors").errors.RestartError("stuck")', TRY_AGAIN, False),
    ],
)
def test_a_failure_is_one_line_and_only_a_defect_shows_its_stack(error: str, code: int, *, has_stack: bool) -> None:
    ended = run(FAILS.format(error=error))
    assert ended.returncode == code
    (line,) = [json.loads(line) for line in ended.stderr.splitlines() if '"event": "failed"' in line]
    assert line["error"].endswith("; the record is at offset 7 of candidates, partition 0") or "Group" in error
    assert ("in work" in line.get("exception", "")) is (has_stack and "Group" not in error)


async def test_a_role_without_a_broker_waits_with_one_line_and_stops_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = socket.socket()  # so that no broker of another test listens there
    held.bind(("127.0.0.1", 0))
    monkeypatch.setenv("HUBBUB_KAFKA__BOOTSTRAP_SERVERS", f"127.0.0.1:{held.getsockname()[1]}")
    monkeypatch.setenv("HUBBUB_METRICS_PORT", "0")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", NEEDS_BROKER, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(30):
        lines: list[dict[str, str]] = []
        while not lines or "waiting" not in lines[-1]["event"]:
            lines.append(json.loads(await process.stderr.readline()))
        process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in (await process.stderr.read()).splitlines()]
        assert await process.wait() == 0
    held.close()
    ours = [line["event"] for line in (*lines, *rest) if "Unable connect" not in line["event"]]
    assert ours == ["started", "no broker answers; waiting for it", "stopped"]


async def test_a_broker_is_waited_for_with_growing_pauses_until_it_answers() -> None:
    away = BrokerProblem("no broker answers at broker:9092", listens=False)
    problems = iter([away] * 50 + [None])
    waiting: list[str] = []
    pauses: list[float] = []

    async def problem() -> BrokerProblem | None:
        return next(problems)

    async def sleep(seconds: float) -> bool:
        assert waiting == ["no broker answers at broker:9092"]
        pauses.append(seconds)
        return False

    await wait_for_broker(problem, waiting, sleep)
    assert waiting == []
    assert len(pauses) == 50
    assert pauses[0] <= 0.5
    assert LONGEST_PAUSE_SECONDS / 2 <= min(pauses[10:]) <= max(pauses) <= LONGEST_PAUSE_SECONDS
