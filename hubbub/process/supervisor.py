"""Several roles on one machine: started together, started again when they fail, stopped in order.

Owns child processes and nothing of what they do. A child that fails is started again after a growing pause. The run
ends only if a child fails several times, by a fault of its own, before it has ever run healthily.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from hubbub.process.child_process import kill_child, start_child, stop_child
from hubbub.process.exit_reason import TRY_AGAIN
from transport.errors import UserError

READY_POLL_SECONDS = 0.1
LAST_LINES = 5
"""Lines of a child's standard error that are kept for the message when the run ends."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When to start a child again, and when to give up.

    ``tries``: failures in a row before the first healthy run after which the run ends. ``healthy_seconds``: a child
    that ran this long had started well; the pause begins small again. ``drain_seconds``: how long a child may take to
    end when it is asked to.
    """

    tries: int = 4
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 30.0
    healthy_seconds: float = 20.0
    drain_seconds: float = 12.0


class RestartHistory:
    """What one child's endings say about its next start.

    ``was_healthy``: it has been ready, or has run long enough. ``failures``: how often it failed in a row by a fault of
    its own, since it last ran healthily.
    """

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._pause_seconds = policy.first_pause_seconds
        self.was_healthy = False
        self.failures = 0

    def pause_after(self, code: int, ran_seconds: float) -> float | None:
        """Return the pause before the next start of a child that ended with ``code``; None: give up.

        A child that waits for a dependency (``TRY_AGAIN``) never counts. One that was healthy before is never given up:
        the other children still do their work, and the page still shows it.
        """
        if ran_seconds >= self._policy.healthy_seconds:
            self.was_healthy = True
            self.failures = 0
            self._pause_seconds = self._policy.first_pause_seconds
        if code != TRY_AGAIN:
            self.failures += 1
            if self.failures >= self._policy.tries and not self.was_healthy:
                return None
        pause_seconds = self._pause_seconds
        self._pause_seconds = min(2 * pause_seconds, self._policy.longest_pause_seconds)
        return pause_seconds


@dataclass(slots=True)
class Child:
    """A process to run.

    ``environment``: all its variables; those of this process, unless given. ``health_port``: where it serves its
    health; None: it is ready when it runs. ``waited_for``: whether the start waits until it is ready, or only until it
    runs: a platform that is down must not block the start.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    health_port: int | None = None
    waited_for: bool = True


class Supervisor:
    """Keeps ``children`` running inside an ``async with`` block. At its end they are stopped, first ones first."""

    def __init__(
        self,
        children: Sequence[Child],
        on_line: Callable[[str, str], None],
        *,
        policy: RestartPolicy = RestartPolicy(),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``on_line(child, line)`` gets what the children write to standard error, and each restart.

        ``clock``: seconds, from any start. ``sleep``: how to wait.
        """
        self._children = children
        self._on_line = on_line
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._histories = {child.name: RestartHistory(policy) for child in children}
        self._last_lines: dict[str, deque[str]] = {child.name: deque(maxlen=LAST_LINES) for child in children}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped: set[str] = set()
        self.restarts = 0

    async def __aenter__(self) -> Supervisor:
        self._tasks = [asyncio.create_task(self._keep(child), name=child.name) for child in self._children]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped.update(child.name for child in self._children)
        for child in self._children:
            await self.stop(child.name)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, name: str) -> None:
        """Ask one child to finish its work, and wait until it has ended. It is not started again."""
        self._stopped.add(name)
        process = self._processes.get(name)
        if process is not None and process.returncode is None:
            await stop_child(process, self._policy.drain_seconds)

    def reload(self) -> None:
        """Ask all children that run to read their settings again. One that starts later reads them anyway."""
        for process in self._processes.values():
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGHUP)

    def abandon(self) -> None:
        """Kill all children and start none again."""
        self._stopped.update(child.name for child in self._children)
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def last_lines(self) -> str:
        """Return the last line that each child wrote to standard error."""
        return " | ".join(f"{name}: {lines[-1]}" for name, lines in self._last_lines.items() if lines) or "nothing"

    def pid(self, name: str) -> int:
        """Return the process id of a running child.

        Raises:
            LookupError: the child is not running.
        """
        process = self._processes.get(name)
        if process is None or process.returncode is not None:
            raise LookupError(f"{name} is not running")
        return process.pid

    async def failure(self) -> str:
        """Wait until a child cannot be kept running; return why."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                return str(error)
        return "all roles have ended"

    async def ready(self, timeout_seconds: float, *, keep_waiting: bool = False) -> None:
        """Return when every child is ready.

        ``keep_waiting``: after the timeout, report what is missing and wait on.

        Raises:
            UserError: a child cannot be kept running, or is not ready in time; the message says what it lacks.
        """
        failure = asyncio.create_task(self.failure())
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
                for child in self._children:
                    deadline = self._clock() + timeout_seconds
                    while (missing := await _missing(session, child)) is not None:
                        if failure.done():
                            raise UserError(failure.result())
                        if self._clock() > deadline:
                            problem = f"{child.name} is not ready after {timeout_seconds:.0f} s: {missing}"
                            if not keep_waiting:
                                raise UserError(problem)
                            self._on_line(child.name, f"{problem}; waiting")
                            deadline = self._clock() + timeout_seconds
                        await self._sleep(READY_POLL_SECONDS)
                    self._histories[child.name].was_healthy |= child.health_port is not None
        finally:
            failure.cancel()

    async def _keep(self, child: Child) -> None:
        history = self._histories[child.name]
        while child.name not in self._stopped:
            started_at = self._clock()
            code = await self._run(child)
            if child.name in self._stopped:
                return
            pause_seconds = history.pause_after(code, self._clock() - started_at)
            if pause_seconds is None:
                last = " | ".join(self._last_lines[child.name]) or "nothing"
                raise UserError(
                    f"{child.name} failed {history.failures} times before it ever ran well (exit code {code}); "
                    f"its last lines: {last}"
                )
            self.restarts += 1
            line = f"{child.name} ended ({_reason(code)}); starting it again in {pause_seconds:g} s"
            if history.failures >= self._policy.tries:
                line += (
                    f". It has failed {history.failures} times in a row and does no work; its lines above say why. "
                    "Fix that: see 'A role fails' in docs/runbook.md"
                )
            self._on_line(child.name, line)
            await self._sleep(pause_seconds)

    async def _run(self, child: Child) -> int:
        process = await start_child(child.command, stderr=asyncio.subprocess.PIPE, env=child.environment)
        self._processes[child.name] = process
        try:
            if process.stderr is not None:
                async for line in process.stderr:
                    text = line.decode(errors="replace").rstrip()
                    self._last_lines[child.name].append(text)
                    self._on_line(child.name, text)
            return await process.wait()
        finally:
            await kill_child(process)


def _reason(code: int) -> str:
    if code == TRY_AGAIN:
        return "a dependency was away, or it was out of date"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


async def _missing(session: aiohttp.ClientSession, child: Child) -> str | None:
    """Return what ``child`` still needs to be ready; None if it is ready."""
    if child.health_port is None:
        return None
    path = "readyz" if child.waited_for else "healthz"
    try:
        async with session.get(f"http://127.0.0.1:{child.health_port}/{path}") as response:
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError):
        return "it does not answer"
    return "; ".join(answer.get("problems", ())) or None
