"""The processes of one participant: started together, measured while they run, killed together.

Owns the reads of /proc. Must never know what the processes do.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["EndedError", "Processes", "Sample"]

EVERY_SECONDS = 0.2
STOP_SECONDS = 15.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class EndedError(RuntimeError):
    """A process has failed. The message has the end of its output."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The usage of the processes at ``at_ms`` (UTC epoch ms): CPU seconds so far, and resident bytes."""

    at_ms: int
    cpu_seconds: float
    resident_bytes: int


class Processes:
    """The ``commands``, running in ``folder`` until the ``with`` block ends. Their output goes to files there."""

    def __init__(self, commands: Sequence[Sequence[str]], environment: Mapping[str, str], folder: Path) -> None:
        self._commands = commands
        self._environment = {**os.environ, **environment}
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self._logs: list[Path] = []
        self.samples: list[Sample] = []
        """The samples so far, in order."""
        self._cpu_ticks: dict[int, int] = {}
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL"] if setpriv else []  # they die with this process
        for number, command in enumerate(self._commands):
            log = self._folder / f"process-{number}.log"
            self._logs.append(log)
            with log.open("wb") as output:
                self._started.append(
                    subprocess.Popen(
                        [*prefix, *command],
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=self._environment,
                        cwd=self._folder,
                    )
                )
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._watch.join()
        for process in self._started:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._started:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def check(self) -> None:
        """Raise EndedError if a process has failed."""
        for process, command, log in zip(self._started, self._commands, self._logs, strict=True):
            if code := process.poll():
                last = log.read_text(errors="replace").strip()[-2_000:]
                raise EndedError(f"{' '.join(command)} ended with {code}: {last}")

    def kill(self) -> None:
        """Kill all of them, as a crash does (SIGKILL)."""
        for process in self._started:
            process.kill()
            process.wait()

    def cpu_seconds(self, from_ms: int, to_ms: int) -> float:
        """Return the CPU time used between two times."""
        return self._at(to_ms).cpu_seconds - self._at(from_ms).cpu_seconds

    def peak_bytes(self) -> int:
        """Return the peak of the resident memory of all together."""
        return max((sample.resident_bytes for sample in self.samples), default=0)

    def _at(self, at_ms: int) -> Sample:
        place = bisect_left(self.samples, at_ms, key=lambda sample: sample.at_ms)
        return self.samples[min(place, len(self.samples) - 1)]

    def _sample(self) -> None:
        while not self._done.is_set():
            resident = 0
            for pid in self._tree():
                try:
                    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # the process has just ended
                self._cpu_ticks[pid] = int(stat[11]) + int(stat[12])
                resident += int(stat[21]) * os.sysconf("SC_PAGE_SIZE")
            cpu_seconds = sum(self._cpu_ticks.values()) / TICKS_PER_SECOND
            self.samples.append(Sample(time.time_ns() // 1_000_000, cpu_seconds, resident))
            self._done.wait(EVERY_SECONDS)

    def _tree(self) -> list[int]:
        """Return the processes and all their descendants."""
        found, new = [], [process.pid for process in self._started]
        while new:
            found.extend(new)
            children: list[int] = []
            for pid in new:
                for task in Path(f"/proc/{pid}/task").glob("*/children"):
                    try:
                        children.extend(int(child) for child in task.read_text().split())
                    except OSError:
                        continue  # the process has just ended
            new = children
        return found
