"""Child processes: started again when they fail, given up when they cannot start, stopped in order."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from hubbub.process import supervisor as supervise
from hubbub.process.local import free_port
from hubbub.process.supervisor import Child, Supervisor
from transport.errors import UserError


def child(name: str, code: str, *arguments: str) -> Child:
    return Child(name, [sys.executable, "-c", code, *arguments])


STAYS = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); time.sleep(60)"


async def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('x'); import time; time.sleep(60)"
    told: list[str] = []
    async with Supervisor([child("a", code)], lambda _, line: told.append(line)) as supervisor:
        async with asyncio.timeout(10):
            while not starts.exists() or supervisor.restarts == 0:
                if starts.exists() and supervisor.restarts == 0:
                    supervisor.kill("a")
                await asyncio.sleep(0.05)
            while len(starts.read_text()) < 2:
                await asyncio.sleep(0.05)
    assert any("starting it again" in line for line in told)


async def test_a_child_that_cannot_start_is_given_up_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "FIRST_PAUSE_SECONDS", 0.01)
    async with Supervisor([child("a", "import sys; sys.exit('no such port')")], lambda *_: None) as supervisor:
        async with asyncio.timeout(10):
            why = await supervisor.failure()
    assert "a ended" in why
    assert "no such port" in why


async def test_a_child_that_is_stopped_while_it_waits_to_be_started_again_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervise, "FIRST_PAUSE_SECONDS", 0.3)
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('x')"
    async with Supervisor([child("a", code)], lambda *_: None) as supervisor:
        async with asyncio.timeout(10):
            while not supervisor.restarts:
                await asyncio.sleep(0.02)
        await supervisor.stop("a")
        await asyncio.sleep(0.8)
    assert starts.read_text() == "x"


async def test_children_are_stopped_in_their_order_and_asked_first() -> None:
    said: list[str] = []
    code = (
        "import signal, sys, time\n"
        "def end(*_): print(sys.argv[1], file=sys.stderr); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', file=sys.stderr)\n"
        "time.sleep(60)"
    )
    async with Supervisor([child(n, code, n) for n in ("first", "second")], lambda _, line: said.append(line)):
        async with asyncio.timeout(10):
            while said.count("up") < 2:
                await asyncio.sleep(0.02)
    assert said[2:] == ["first", "second"]


async def test_a_child_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "DRAIN_SECONDS", 0.3)
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', file=sys.stderr)\n"
        "time.sleep(60)"
    )
    said: list[str] = []
    async with Supervisor([child("deaf", code)], lambda _, line: said.append(line)):
        async with asyncio.timeout(10):
            while not said:
                await asyncio.sleep(0.02)
        began = time.monotonic()
    assert time.monotonic() - began < 3


async def test_a_stopped_child_stays_stopped() -> None:
    async with Supervisor([child("a", STAYS), child("b", STAYS)], lambda *_: None) as supervisor:
        async with asyncio.timeout(10):
            while True:
                try:
                    supervisor.pid("a"), supervisor.pid("b")
                    break
                except LookupError:
                    await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        await supervisor.stop("a")
        await asyncio.sleep(0.5)
        with pytest.raises(LookupError):
            supervisor.pid("a")
        assert supervisor.pid("b")
        assert supervisor.restarts == 0


async def test_a_child_that_never_gets_ready_is_told(unused_port: int) -> None:
    waiting = Child("a", [sys.executable, "-c", STAYS], health_port=unused_port)
    async with Supervisor([waiting], lambda *_: None) as supervisor:
        with pytest.raises(UserError, match="a is not ready after 1 s: it does not answer"):
            await supervisor.ready(1)


@pytest.fixture
def unused_port() -> int:
    return free_port()
