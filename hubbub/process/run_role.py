"""The life of one role's process: its loop, its signals, its health server, its end.

Owns what is the same for ``collect``, ``resolve``, ``score`` and ``serve``. The first SIGINT or SIGTERM asks the role
to finish what it has in hand; the second ends it at once, which loses nothing that was acknowledged.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable

import structlog

from hubbub.process.health_server import HealthServer, Problems
from hubbub.process.logs import configure
from hubbub.settings import Settings
from transport.kafka import KafkaError

__all__ = ["PORTS", "run_role"]

PORTS = {"collect": 9101, "resolve": 9102, "score": 9103, "serve": 9104}
"""Where each role's /metrics is, unless ``metrics_port`` says otherwise."""
DRAIN_SECONDS = 10.0
"""How long a role may take to finish what it has in hand."""
HUNG_SECONDS = 300.0
"""An event loop that has not come round for so long is taken for dead."""
COLLECT_AFTER = 100_000, 20, 10
"""How many objects come into being before cycles are looked for, and how often among older ones. Python's own numbers
are for small programs: with some thousand stories in memory an eighth of the time went there, and nothing was found."""

M_MMAP_THRESHOLD = -3
LARGE_BYTES = 262_144
"""Of malloc.h: from which size on memory is taken from the system for itself, and given back when it is free. Left to
itself, glibc learns to keep what it once gave for a large batch."""

log = structlog.get_logger(__name__)

Role = Callable[[asyncio.Event], Awaitable[None]]


def run_role(name: str, settings: Settings, make: Callable[[], tuple[Role, Problems]]) -> int:
    """Run a role until it is asked to stop; return the exit code: 0 stopped when asked, 1 failed.

    ``make`` is called inside the running loop and returns the role and what it says of its readiness.
    """
    configure(level=settings.log_level, style=settings.log_format, role=name)
    _give_large_buffers_back()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_live(name, settings, make))
    finally:
        faulthandler.cancel_dump_traceback_later()


def _give_large_buffers_back() -> None:
    """Tell the C library what :data:`LARGE_BYTES` says; where it is not glibc, leave it as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


async def _live(name: str, settings: Settings, make: Callable[[], tuple[Role, Problems]]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        loop.call_later(DRAIN_SECONDS, _give_up, name)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    _still_alive(loop)
    role, problems = make()
    port = settings.metrics_port if settings.metrics_port is not None else PORTS[name]
    try:
        async with HealthServer(problems, host=settings.metrics_host, port=port) as health:
            log.info("started", metrics=f"http://{settings.metrics_host}:{health.port}/metrics")
            await role(stop)
    except Exception as error:
        first = _first(error)
        show = settings.log_level == "debug" or _is_fault(first)
        log.critical("failed", error=_in_a_line(first), exc_info=first if show else None)
        # No clean-up: threads of libraries may hang, and whatever was not acknowledged is read again by the next start.
        logging.shutdown()
        os._exit(1)
    log.info("stopped")
    return 0


def _still_alive(loop: asyncio.AbstractEventLoop) -> None:
    """Have the process end with code 1, and say where it was, unless this is called again in time: by the loop."""
    faulthandler.dump_traceback_later(HUNG_SECONDS, exit=True)
    loop.call_later(HUNG_SECONDS / 10, _still_alive, loop)


def _give_up(name: str) -> None:
    log.error("not drained in time; what was not acknowledged is read again at the next start", role=name)
    os._exit(1)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _in_a_line(error: BaseException) -> str:
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    return "; ".join([said, *getattr(error, "__notes__", ())])


def _is_fault(error: BaseException) -> bool:
    """Say whether nobody foresaw this: it is a fault of ours, which can only be found with the stack it came from."""
    ours = type(error).__module__.partition(".")[0] in {"hubbub", "ingest", "scoring", "streams"}
    return not ours and not isinstance(error, KafkaError | OSError) and type(error) is not LookupError


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 (absent on Windows)
    except ImportError:
        return None
    return uvloop.new_event_loop
