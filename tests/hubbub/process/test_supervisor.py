"""Child processes: started again when they fail, given up when they cannot start, stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from hubbub.process.embedded_broker import free_port
from hubbub.process.exit_reason import TRY_AGAIN
from hubbub.process.supervisor import Child, RestartHistory, RestartPolicy, Supervisor
from tests.eventually import eventually
from transport.errors import UserError

STAYS = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); time.sleep(60)"
POLICY = RestartPolicy(tries=3, first_pause_seconds=1, longest_pause_seconds=8, healthy_seconds=20)


def child(name: str, code: str, *arguments: str) -> Child:
    return Child(name, [sys.executable, "-c", code, *arguments])


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


async def never_returns(_: float) -> None:
    await asyncio.Event().wait()


def test_a_child_that_fails_before_it_ever_ran_well_is_given_up() -> None:
    history = RestartHistory(POLICY)
    assert [history.pause_after(1, 0.5) for _ in range(3)] == [1, 2, None]


def test_a_child_that_waits_for_a_dependency_is_never_given_up_and_its_pause_grows_to_a_limit() -> None:
    history = RestartHistory(POLICY)
    pauses = [history.pause_after(TRY_AGAIN, 0.5) for _ in range(100)]
    assert pauses[:5] == [1, 2, 4, 8, 8]
    assert pauses[-1] == 8


def test_a_child_that_ran_well_once_is_never_given_up() -> None:
    history = RestartHistory(POLICY)
    assert history.pause_after(1, 0.5) == 1
    assert history.pause_after(1, 20) == 1, "the pause begins small again"
    assert None not in [history.pause_after(1, 0.5) for _ in range(100)]
    assert history.failures == 101
    assert history.pause_after(1, 20) == 1
    assert history.failures == 1, "counted since it last ran well"


async def test_a_child_that_dies_is_started_again_and_the_line_names_it(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('x'); import time; time.sleep(60)"
    lines: list[str] = []
    async with Supervisor([child("score", code)], lambda _, line: lines.append(line), sleep=no_pause) as supervisor:
        await eventually(lambda: starts.exists() and starts.read_text())
        os.kill(supervisor.pid("score"), signal.SIGKILL)
        await eventually(lambda: len(starts.read_text()) == 2)
    assert lines == ["score ended (killed by signal 9); starting it again in 0.5 s"]


async def test_a_child_that_keeps_failing_after_it_ran_well_is_reported_as_stuck_and_started_again() -> None:
    """The other roles go on, so the run must not end; but the operator has to act."""
    times = itertools.chain([0.0, 30.0], itertools.repeat(30.0))
    lines: list[str] = []
    async with Supervisor(
        [child("score", "exit(1)")],
        lambda _, line: lines.append(line),
        policy=POLICY,
        clock=lambda: next(times),
        sleep=no_pause,
    ):
        await eventually(lambda: len(lines) >= 4, within_seconds=30)
    assert lines[:2] == [f"score ended (exit code 1); starting it again in {pause} s" for pause in (1, 2)]
    assert lines[3].startswith("score ended (exit code 1); starting it again in 8 s. It has failed 4 times in a row ")


async def test_a_child_that_was_ready_is_not_given_up_however_soon_it_fails(tmp_path: Path) -> None:
    """Half a million invalid records end ``resolve`` again and again, seconds after it was ready."""
    port, was_ready = free_port(), tmp_path / "ready"
    code = (
        "import http.server, pathlib, sys\n"
        "class Ready(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.send_header('Content-Type', 'application/json')\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'{}')\n"
        "    def log_message(self, *_): pass\n"
        "ready = pathlib.Path(sys.argv[1])\n"
        "if not ready.exists():\n"
        "    with http.server.HTTPServer(('127.0.0.1', int(sys.argv[2])), Ready) as server: server.handle_request()\n"
        "    ready.touch()\n"
        "sys.exit(1)"
    )
    resolve = Child("resolve", [sys.executable, "-c", code, str(was_ready), str(port)], health_port=port)
    async with Supervisor([resolve], lambda *_: None, policy=POLICY, sleep=no_pause) as supervisor:
        await supervisor.ready(30)
        await eventually(lambda: supervisor.restarts > 2 * POLICY.tries, within_seconds=30)


async def test_a_child_that_cannot_start_is_given_up_with_its_last_lines() -> None:
    failing = child("a", "import sys; sys.exit('no such port')")
    async with Supervisor([failing], lambda *_: None, sleep=no_pause) as supervisor:
        why = await asyncio.wait_for(supervisor.failure(), 30)
    assert why.startswith("a failed 4 times before it ever ran well (exit code 1); its last lines: no such port")


async def test_a_child_without_its_dependency_is_started_again_and_again() -> None:
    waiting = child("a", f"exit({TRY_AGAIN})")
    async with Supervisor([waiting], lambda *_: None, policy=RestartPolicy(tries=1), sleep=no_pause) as supervisor:
        await eventually(lambda: supervisor.restarts >= 3, within_seconds=30)


async def test_a_child_stopped_during_its_pause_is_not_started_again(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    paused, resume = asyncio.Event(), asyncio.Event()

    async def pause(_: float) -> None:
        paused.set()
        await resume.wait()

    code = f"open({str(starts)!r}, 'a').write('x')"
    async with Supervisor([child("a", code)], lambda *_: None, sleep=pause) as supervisor:
        await asyncio.wait_for(paused.wait(), 30)
        await supervisor.stop("a")
        resume.set()
        assert await supervisor.failure() == "all roles have ended"
    assert starts.read_text() == "x"


async def test_children_are_asked_to_stop_in_order() -> None:
    lines: list[str] = []
    code = (
        "import signal, sys, time\n"
        "def end(*_): print(sys.argv[1], file=sys.stderr); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', file=sys.stderr)\n"
        "time.sleep(60)"
    )
    async with Supervisor([child(n, code, n) for n in ("first", "second")], lambda _, line: lines.append(line)):
        await eventually(lambda: lines.count("up") == 2)
    assert lines[2:] == ["first", "second"]


async def test_a_request_to_read_the_settings_again_reaches_all_and_ends_none_that_is_about_to_start() -> None:
    lines: list[str] = []
    handles = (
        "import signal, sys, time\n"
        "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, file=sys.stderr)\n"
        "signal.signal(signal.SIGHUP, lambda *_: print('again', file=sys.stderr))\n"
        "print('up', file=sys.stderr)\n"
        "while True: time.sleep(60)"
    )
    ended = child("ended", "pass")
    children = [child("a", handles), child("b", handles), ended]
    async with Supervisor(children, lambda _, line: lines.append(line), sleep=never_returns) as supervisor:
        await eventually(lambda: lines.count("up") == 2 and any("ended (exit code 0)" in line for line in lines))
        assert lines.count("True") == 2
        supervisor.reload()
        await eventually(lambda: lines.count("again") == 2)
        assert supervisor.restarts == 1


async def test_a_child_that_ignores_the_request_to_stop_is_killed() -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', file=sys.stderr)\n"
        "time.sleep(600)"
    )
    lines: list[str] = []
    deaf = child("deaf", code)
    async with Supervisor(
        [deaf], lambda _, line: lines.append(line), policy=RestartPolicy(drain_seconds=0.3)
    ) as supervisor:
        await eventually(lambda: lines == ["up"])
        await asyncio.wait_for(supervisor.stop("deaf"), 30)
        await eventually(lambda: not runs(supervisor, "deaf"))


async def test_a_stopped_child_stays_stopped_while_another_runs() -> None:
    async with Supervisor([child("a", STAYS), child("b", STAYS)], lambda *_: None) as supervisor:
        await eventually(lambda: runs(supervisor, "a") and runs(supervisor, "b"))
        await supervisor.stop("a")
        assert not runs(supervisor, "a")
        assert runs(supervisor, "b")
        assert supervisor.restarts == 0


async def test_abandoned_children_are_killed_and_not_started_again() -> None:
    async with Supervisor([child("a", STAYS), child("b", STAYS)], lambda *_: None) as supervisor:
        await eventually(lambda: runs(supervisor, "a") and runs(supervisor, "b"))
        supervisor.abandon()
        assert await asyncio.wait_for(supervisor.failure(), 30) == "all roles have ended"
        assert supervisor.restarts == 0


async def test_a_child_that_never_gets_ready_is_an_error_that_says_what_is_missing() -> None:
    waiting = Child("a", [sys.executable, "-c", STAYS], health_port=free_port())
    now = iter(range(1_000))
    async with Supervisor([waiting], lambda *_: None, clock=lambda: float(next(now)), sleep=no_pause) as supervisor:
        with pytest.raises(UserError, match="a is not ready after 5 s: it does not answer"):
            await supervisor.ready(5)


async def test_waiting_for_ready_goes_on_with_a_line_each_time_when_asked_to() -> None:
    waiting = Child("a", [sys.executable, "-c", STAYS], health_port=free_port())
    lines: list[str] = []
    now = iter(range(100_000))
    enough = asyncio.Event()

    def on_line(_: str, line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            enough.set()

    async with Supervisor([waiting], on_line, clock=lambda: float(next(now)), sleep=no_pause) as supervisor:
        await _until(enough, supervisor.ready(5, keep_waiting=True))
    assert set(lines) == {"a is not ready after 5 s: it does not answer; waiting"}


async def _until(event: asyncio.Event, work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    await asyncio.wait_for(event.wait(), 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def runs(supervisor: Supervisor, name: str) -> bool:
    try:
        return supervisor.pid(name) > 0
    except LookupError:
        return False
