"""What blocks an event loop: the CPU time of every callback, and what the long ones were at.

Owns the measurement, for loops of asyncio itself (uvloop's cannot be watched, and run the same callbacks). CPU time
does not count what other processes take of a shared machine. Must never know what the loop runs.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

__all__ = ["Block", "LoopWatch"]

_HANDLE: Final[Any] = asyncio.Handle
"""Its method ``_run`` runs a callback; there is no other hook."""
LONG_MS: Final = 20.0
SAMPLE_SECONDS: Final = 0.005
FRAMES: Final = 6
"""Innermost frames that are kept of a long callback."""


@dataclass(frozen=True, slots=True)
class Block:
    """A callback that took long. ``ms``: CPU time of the loop's thread. ``at``: where it was."""

    ms: float
    at: str


@dataclass(slots=True)
class LoopWatch:
    """Watches the loop of the thread that enters the block, as long as the block runs.

    ``long_ms``: callbacks of this length are kept. ``longest_ms``: of the loop's thread alone.
    ``longest_with_threads_ms``: of all threads meanwhile. A thread that holds the interpreter blocks the loop, too, so
    the truth is between the two.
    """

    long_ms: float = LONG_MS
    longest_ms: float = 0.0
    longest_with_threads_ms: float = 0.0
    blocks: list[Block] = field(default_factory=list)
    _thread: int = 0
    _since: float | None = None
    _at: str = ""
    _done: threading.Event = field(default_factory=threading.Event)
    _sampler: threading.Thread | None = None
    _run: Any = None

    def __enter__(self) -> Self:
        self._thread = threading.get_ident()
        self._run = run = _HANDLE._run  # noqa: SLF001

        def timed(handle: asyncio.Handle) -> None:
            if threading.get_ident() != self._thread:
                run(handle)
                return
            of_all, since = time.process_time(), time.thread_time()
            self._since = since
            run(handle)
            self._since = None
            self._took(1e3 * (time.thread_time() - since), 1e3 * (time.process_time() - of_all))

        _HANDLE._run = timed  # noqa: SLF001
        gc.callbacks.append(self._collected)
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        gc.callbacks.remove(self._collected)
        _HANDLE._run = self._run  # noqa: SLF001
        if self._sampler is not None:
            self._sampler.join()

    def _took(self, ms: float, with_threads_ms: float) -> None:
        self.longest_ms = max(self.longest_ms, ms)
        self.longest_with_threads_ms = max(self.longest_with_threads_ms, with_threads_ms)
        if ms >= self.long_ms:
            self.blocks.append(Block(ms, self._at))
        self._at = ""

    def _collected(self, phase: str, info: Mapping[str, int]) -> None:
        """Note that garbage was collected. No sample is taken meanwhile."""
        if phase == "stop" and self._since is not None and threading.get_ident() == self._thread:
            took_ms = 1e3 * (time.thread_time() - self._since)
            if took_ms >= self.long_ms / 2:
                self._at = f"garbage collection, generation {info['generation']} < {self._at}"

    def _sample(self) -> None:
        """Note where a callback is that has run for half of what is long."""
        clock = time.pthread_getcpuclockid(self._thread)
        while not self._done.wait(SAMPLE_SECONDS):
            since = self._since
            if since is not None and not self._at and 1e3 * (time.clock_gettime(clock) - since) >= self.long_ms / 2:
                self._at = _where(sys._current_frames().get(self._thread))  # noqa: SLF001 (made for profilers)


def _where(frame: FrameType | None) -> str:
    """Return the innermost frames, innermost first."""
    if frame is None:
        return ""
    frames = traceback.extract_stack(frame)[-FRAMES:]
    return " < ".join(f"{_short(one.filename)}:{one.lineno} {one.name}" for one in reversed(frames))


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-3:])
