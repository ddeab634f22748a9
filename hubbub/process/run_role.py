"""One role's process: its event loop, its signals, its health server, and how it ends.

Owns what ``collect``, ``resolve``, ``score`` and ``serve`` have in common. The first SIGINT or SIGTERM asks the role to
finish its work. The second ends the process at once, which loses nothing that was acknowledged. SIGHUP makes the role
read its settings again.
"""

import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import logging
import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog

from hubbub.process.exit_reason import FAILED, TRY_AGAIN, exit_code, first_cause, in_one_line, is_defect
from hubbub.process.health_server import HealthServer
from hubbub.process.logs import configure
from hubbub.process.reload import Reload
from hubbub.process.terminal import Terminal
from hubbub.redaction import Redaction
from hubbub.settings import Settings, load, secrets
from transport.admin import BrokerProblem, broker_problem
from transport.retry import Backoff

PORTS: Final = {"collect": 9101, "resolve": 9102, "score": 9103, "serve": 9104}
"""The port of each role's /metrics, unless ``metrics_port`` sets another."""
COLLECT_AFTER: Final = 100_000, 20, 10
"""Allocations before the garbage collector looks for cycles, and how often it visits older generations. Python's
defaults suit small programs: with a few thousand stories in memory an eighth of the time went there for nothing."""
COLLECTORS_COLLECT_AFTER: Final = 10_000, 20, 100
"""The same for ``collect``. Its requests leave cycles: 100 000 objects at once blocked the event loop for 120 ms."""
DRAIN_SECONDS: Final = 10.0
"""How long a role may take to finish its work when asked to stop."""
HUNG_SECONDS: Final = 300.0
"""An event loop that has not run for this long is stuck, and the process ends."""
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
"""A role continues at most this long after its broker does, and asks it a few times a minute while it is away."""

M_MMAP_THRESHOLD: Final = -3
LARGE_BYTES: Final = 262_144
"""malloc.h: allocations from this size on are mapped, and unmapped when freed. By itself glibc raises the limit after
one large batch, and then keeps such memory."""

log = structlog.get_logger(__name__)


class Role(Protocol):
    """A role: its work, and whether it can do it. It may also be :class:`hubbub.process.reload.Reloadable`."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set."""

    def problems(self) -> list[str]:
        """Return what keeps the role from working now, one sentence each; empty if it is ready."""


class MakeRole(Protocol):
    """Makes a role inside the running loop."""

    def __call__(self, *, kafka: Mapping[str, object], prefix: str, now_ms: Callable[[], int]) -> Role:
        """``kafka``: connection options of aiokafka. ``prefix``: of the topics' names. ``now_ms``: UTC epoch ms."""


def run_role(
    name: str, settings: Settings, make: MakeRole, *, needs_broker: bool = False, hung_seconds: float = HUNG_SECONDS
) -> int:
    """Run a role until it is asked to stop; return 0. A failure ends the process (see ``exit_reason``).

    ``needs_broker``: the role cannot start without a broker, so one that is away is waited for; other roles wait by
    themselves.
    """
    output = _Output(name)
    output.adopt(settings)
    _give_large_buffers_back()
    gc.freeze()
    gc.set_threshold(*(COLLECTORS_COLLECT_AFTER if name == "collect" else COLLECT_AFTER))
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(name, settings, make, output, needs_broker=needs_broker, hung_seconds=hung_seconds))
    finally:
        faulthandler.cancel_dump_traceback_later()


class _Output:
    """What this process shows of itself, without any secret that the settings ever had."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._secrets: set[str] = set()
        self.redacted = Redaction(())

    def adopt(self, settings: Settings) -> None:
        """Log as ``settings`` say from now on."""
        self._secrets.update(secrets(settings))
        self.redacted = Redaction(self._secrets)
        configure(level=settings.log_level, style=settings.log_format, role=self._role, secrets=self._secrets)


def _give_large_buffers_back() -> None:
    """Set :data:`LARGE_BYTES` where the C library is glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


async def _run(
    name: str, settings: Settings, make: MakeRole, output: _Output, *, needs_broker: bool, hung_seconds: float
) -> int:
    terminal = Terminal()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        loop.call_later(DRAIN_SECONDS, _stop_draining, name)

    async def stopped_within(seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
        return stop.is_set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    _watch_loop(loop, hung_seconds)
    kafka = settings.kafka
    options = kafka.client_options()
    role = make(kafka=options, prefix=kafka.topic_prefix, now_ms=settings.clock())
    reload = Reload(settings, role, name, read=load, adopt=output.adopt)
    loop.add_signal_handler(signal.SIGHUP, lambda: on_signal() if terminal.is_gone() else reload.ask())
    waiting: list[str] = []
    health = HealthServer(
        lambda: [output.redacted(problem) for problem in waiting or role.problems()],
        host=settings.metrics_host,
        port=settings.metrics_port if settings.metrics_port is not None else PORTS[name],
        allowed_hosts=settings.metrics_allowed_hosts,
    )
    try:
        async with health, asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(reload.watch())
            log.info("started", metrics=f"http://{settings.metrics_host}:{health.port}/metrics")
            if needs_broker:
                await wait_for_broker(lambda: broker_problem(options), waiting, stopped_within)
            if not stop.is_set():
                await role.run(stop)
            watching.cancel()
    except Exception as raised:
        error = first_cause(raised)
        code = exit_code(error)
        stack = error if settings.log_level == "debug" or is_defect(error) else None
        log.log(
            logging.ERROR if code == TRY_AGAIN else logging.CRITICAL, "failed", error=in_one_line(error), exc_info=stack
        )
        # No clean-up: a library's thread may hang. The next start reads again what was not acknowledged.
        logging.shutdown()
        os._exit(code)
    log.info("stopped")
    return 0


async def wait_for_broker(
    problem: Callable[[], Awaitable[BrokerProblem | None]],
    waiting: list[str],
    sleep: Callable[[float], Awaitable[bool]],
) -> None:
    """Return when there is no ``problem`` with the broker, or when ``sleep`` says to stop.

    Log only why the broker does not answer, and that it answers. Meanwhile ``waiting`` says why the role is not ready.
    """
    backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, random.Random())
    while (why := await problem()) is not None:
        if waiting != [why.message]:
            waiting[:] = [why.message]
            log.warning("no broker answers; waiting for it", why=why.message)
        if await sleep(backoff.next_seconds()):
            return
    if waiting:
        log.info("the broker answers again")
        waiting.clear()


def _watch_loop(loop: asyncio.AbstractEventLoop, hung_seconds: float) -> None:
    """End the process with code 1 and a stack, unless the loop calls this again in time."""
    faulthandler.dump_traceback_later(hung_seconds, exit=True)
    loop.call_later(hung_seconds / 10, _watch_loop, loop, hung_seconds)


def _stop_draining(name: str) -> None:
    log.error("shutdown timed out; unacknowledged records will be reprocessed", role=name)
    os._exit(FAILED)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 (absent on Windows)
    except ImportError:
        return None
    return uvloop.new_event_loop
