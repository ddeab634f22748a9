"""All roles on this machine: the broker, the topics, and one process for each role.

Owns what ``hubbub up`` and ``hubbub demo`` have in common: the processes, their ports, and that all of them end with
the block. The roles are made in :mod:`hubbub.process.wiring` and kept alive by :mod:`hubbub.process.supervisor`.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import EmbeddedBroker, free_port
from hubbub.process.supervisor import Child, Supervisor
from hubbub.settings import KafkaSettings
from transport.admin import broker_problem
from transport.errors import UserError

ROLES = ("collect", "resolve", "score", "serve")
"""In the order in which they are stopped."""
ALSO_READS = {"collect": frozenset({"resolve"})}
"""The roles whose settings another needs: collectors leave out what no watched beat wants."""
READY_SECONDS = 60.0
"""How long all roles may take to get ready. On the embedded broker a group takes some seconds to form."""
HEALTHY_BROKER_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""An embedded broker that keeps dying is started again after a pause that doubles from the one to the other."""


@asynccontextmanager
async def broker_at(kafka: KafkaSettings) -> AsyncIterator[EmbeddedBroker | None]:
    """Make sure that a broker answers where ``kafka`` says. Yield the embedded one if it had to be started.

    Raises:
        UserError: no broker answers, and an embedded one cannot take its place.
        BrokerError: the embedded broker cannot run.
    """
    problem = await broker_problem(kafka.client_options())
    if problem is None:
        yield None
        return
    host, _, port = kafka.bootstrap_servers.partition(":")
    if problem.listens or host not in {"127.0.0.1", "localhost"} or not port.isdigit():
        raise UserError(problem.message)
    async with EmbeddedBroker(port=int(port)) as broker:
        yield broker


@asynccontextmanager
async def running(
    kafka: KafkaSettings, children: Sequence[Child], on_line: Callable[[str, str], None]
) -> AsyncIterator[Supervisor]:
    """Create the topics, run ``children``, and yield when they are ready. Stop them at the end of the block.

    Raises:
        UserError: a role does not get ready.
    """
    await topic_setup.create(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    async with Supervisor(children, on_line) as supervisor:
        await supervisor.ready(READY_SECONDS)
        yield supervisor


async def run_all(
    kafka: KafkaSettings,
    children: Sequence[Child],
    on_line: Callable[[str, str], None],
    on_ready: Callable[[], None],
    on_embedded: Callable[[], None],
    *,
    reload: asyncio.Event,
) -> None:
    """Run broker and roles until cancelled. An embedded broker that dies is started again, empty, with new roles.

    ``on_line``: see :class:`Supervisor`. ``on_ready``: the roles are ready. ``on_embedded``: an embedded broker runs.
    ``reload``: set it to make the roles read their settings again.

    Raises:
        UserError: no broker answers at the start, or a role cannot be kept running.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        async with broker_at(kafka) as broker:
            if broker is not None:
                on_embedded()
            started_at = time.monotonic()
            supervisor = Supervisor(children, on_line)
            roles = asyncio.create_task(_run_roles(kafka, supervisor, on_ready))
            died = asyncio.create_task(broker.wait() if broker is not None else asyncio.Event().wait())
            reloading = asyncio.create_task(_pass_on(reload, supervisor))
            try:
                await asyncio.wait({roles, died}, return_when=asyncio.FIRST_COMPLETED)
                if not died.done():
                    await roles
                supervisor.abandon()  # their work was in the broker that is gone
            finally:
                for task in (died, roles, reloading):
                    task.cancel()
                await asyncio.gather(roles, died, reloading, return_exceptions=True)
        if time.monotonic() - started_at >= HEALTHY_BROKER_SECONDS:
            pause_seconds = FIRST_PAUSE_SECONDS
        on_line(
            "broker",
            f"the embedded broker ended (exit code {died.result()}); all records it held are lost. "
            f"Starting it again, empty, in {pause_seconds:g} s",
        )
        await asyncio.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)


async def _run_roles(kafka: KafkaSettings, supervisor: Supervisor, on_ready: Callable[[], None]) -> None:
    await topic_setup.create(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    async with supervisor:
        await supervisor.ready(READY_SECONDS, keep_waiting=True)
        on_ready()
        raise UserError(await supervisor.failure())


async def _pass_on(reload: asyncio.Event, supervisor: Supervisor) -> None:
    while True:
        await reload.wait()
        reload.clear()
        supervisor.reload()


def role_children(environment: Mapping[str, str], collectors: Sequence[str] | None) -> list[Child]:
    """Return one child for each role, in the order in which they are to be stopped.

    ``environment``: their settings, as ``HUBBUB_…`` variables, besides those of this process. No role is given the
    settings of another unless it needs them, since they may be secrets. ``collectors``: which to run; None: those that
    the settings choose, also when these change. If it is empty, ``collect`` is left out.
    """
    children = []
    names = tuple(collectors or ())
    for role in ROLES if collectors is None or names else ROLES[1:]:
        port = free_port()
        variables = {**os.environ, **environment, "HUBBUB_METRICS_PORT": str(port)}
        others = tuple(f"HUBBUB_{other.upper()}" for other in ROLES if other not in {role, *ALSO_READS.get(role, ())})
        settings = {name: value for name, value in variables.items() if not name.upper().startswith(others)}
        command = [sys.executable, "-m", "hubbub", role, *(names if role == "collect" else ())]
        children.append(Child(role, command, settings, port, waited_for=role != "collect"))
    return children
