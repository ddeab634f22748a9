"""Several roles on one machine: started together, restarted when they fail, stopped in order.

Owns child processes and nothing of what they do. A role that fails is started again after a pause that grows; one that
cannot start at all ends the run, with what it said.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from hubbub.process.child_process import tied
from transport.errors import UserError

__all__ = ["Child", "Supervisor"]

HEALTHY_SECONDS = 20.0
"""A child that lived so long had started well: its next failure is a new one."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
TRIES = 4
DRAIN_SECONDS = 12.0


@dataclass(slots=True)
class Child:
    """A process to run.

    ``health_port``: where it answers for its health; None: it is ready when it runs. ``waited_for``: whether it must be
    ready before others go on, or only running: a platform that is down keeps nobody from starting.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    health_port: int | None = None
    waited_for: bool = True


class Supervisor:
    """Keeps ``children`` running inside an ``async with`` block; on leaving it they are stopped, first ones first."""

    def __init__(
        self,
        children: Sequence[Child],
        tell: Callable[[str, str], None],
        *,
        tries: int = TRIES,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        """``tell(child, line)`` gets what the children write to standard error.

        ``tries``: failures in a row, none of them after a healthy start, before the run is given up.
        ``longest_pause_seconds``: before a child is started again.
        """
        self._children = children
        self._tell = tell
        self._tries = tries
        self._longest_pause_seconds = longest_pause_seconds
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._last_lines: dict[str, deque[str]] = {child.name: deque(maxlen=5) for child in children}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._stopped: set[str] = set()
        self.restarts = 0

    async def __aenter__(self) -> Supervisor:
        self._tasks = [asyncio.create_task(self._keep(child), name=child.name) for child in self._children]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        for child in self._children:
            await self.stop(child.name)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, name: str) -> None:
        """Ask one child to finish what it has in hand, and wait until it has ended; it is not started again."""
        self._stopped.add(name)
        process = self._processes.get(name)
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), DRAIN_SECONDS)
        except TimeoutError:
            self.kill(name)

    def kill(self, name: str | None = None) -> None:
        """Kill one child, or all of them, at once."""
        for child, process in self._processes.items():
            if name in {None, child} and process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    def last_words(self) -> str:
        """Return the last line that each child wrote to standard error."""
        return " | ".join(f"{name}: {lines[-1]}" for name, lines in self._last_lines.items() if lines) or "nothing"

    def pid(self, name: str) -> int:
        """Return the process id of a child that runs.

        Raises:
            LookupError: it does not run now.
        """
        process = self._processes.get(name)
        if process is None or process.returncode is not None:
            raise LookupError(f"{name} does not run now")
        return process.pid

    async def metrics(self, name: str) -> dict[str, float]:
        """Return what a child tells at /metrics, each metric summed over its labels."""
        (child,) = (child for child in self._children if child.name == name)
        totals: dict[str, float] = {}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(f"http://127.0.0.1:{child.health_port}/metrics") as response,
        ):
            for family in text_string_to_metric_families(await response.text()):
                for sample in family.samples:
                    totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    async def failure(self) -> str:
        """Wait until a child cannot be kept running; return why."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                return str(error)
        return "all roles have ended"

    async def ready(self, timeout_seconds: float) -> None:
        """Return when every child says that it is ready.

        Raises:
            UserError: one does not get ready in time, or cannot be kept running; the message says what it lacks.
        """
        deadline = time.monotonic() + timeout_seconds
        failure = asyncio.create_task(self.failure())
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
                for child in self._children:
                    while (lacks := await _lacks(session, child)) is not None:
                        if failure.done():
                            raise UserError(failure.result())
                        if time.monotonic() > deadline:
                            raise UserError(f"{child.name} is not ready after {timeout_seconds:.0f} s: {lacks}")
                        await asyncio.sleep(0.1)
        finally:
            failure.cancel()

    async def _keep(self, child: Child) -> None:
        pause, failures = FIRST_PAUSE_SECONDS, 0
        while True:
            began = time.monotonic()
            code = await self._run(child)
            if self._stopping or child.name in self._stopped:
                return
            if time.monotonic() - began >= HEALTHY_SECONDS:
                pause, failures = FIRST_PAUSE_SECONDS, 0
            failures += 1
            if failures >= self._tries:
                said = " | ".join(self._last_lines[child.name]) or "nothing"
                raise UserError(f"{child.name} ended {failures} times in a row (exit code {code}); it said: {said}")
            self.restarts += 1
            self._tell(child.name, f"ended with exit code {code}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            if self._stopping or child.name in self._stopped:
                return
            pause = min(2 * pause, self._longest_pause_seconds)

    async def _run(self, child: Child) -> int:
        process = await asyncio.create_subprocess_exec(
            *tied(child.command),
            env={**os.environ, **child.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C in a terminal reaches the supervisor alone, which stops its children in order.
            start_new_session=True,
            limit=2**20,
        )
        self._processes[child.name] = process
        try:
            if process.stderr is not None:
                async for line in process.stderr:
                    text = line.decode(errors="replace").rstrip()
                    self._last_lines[child.name].append(text)
                    self._tell(child.name, text)
            return await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _lacks(session: aiohttp.ClientSession, child: Child) -> str | None:
    """Return what ``child`` says keeps it from being ready; None if it is."""
    if child.health_port is None:
        return None
    path = "readyz" if child.waited_for else "healthz"
    try:
        async with session.get(f"http://127.0.0.1:{child.health_port}/{path}") as response:
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError):
        return "it does not answer"
    return "; ".join(answer.get("problems", ())) or None
