"""All roles on this machine: broker, topics and one process for each role.

Owns what ``hubbub up`` and ``hubbub demo`` have in common: which processes there are, on which ports, and that all of
them end with the block. What the roles are is :mod:`hubbub.process.wiring`; how they are kept
alive, :mod:`hubbub.process.supervisor`.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import EmbeddedBroker
from hubbub.process.supervisor import Child, Supervisor
from hubbub.settings import KafkaSettings
from transport.admin import broker_answers
from transport.errors import UserError

__all__ = ["READY_SECONDS", "broker_at", "free_port", "role_children", "running"]

READY_SECONDS = 60.0
"""How long all roles may take to get ready; on the embedded broker a group takes some seconds to form."""


@asynccontextmanager
async def broker_at(kafka: KafkaSettings) -> AsyncIterator[bool]:
    """Make sure that a broker answers where ``kafka`` says; yield True if it is one of our own, embedded.

    Raises:
        UserError: none answers, and an embedded one cannot take its place.
        BrokerError: the embedded broker cannot run.
    """
    if await broker_answers(kafka.client_options()):
        yield False
        return
    host, _, port = kafka.bootstrap_servers.partition(":")
    if host not in {"127.0.0.1", "localhost"} or not port.isdigit():
        raise UserError(
            f"no broker answers at {kafka.bootstrap_servers}; start it, or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS"
        )
    async with EmbeddedBroker(port=int(port)):
        yield True


@asynccontextmanager
async def running(
    kafka: KafkaSettings, children: Sequence[Child], tell: Callable[[str, str], None]
) -> AsyncIterator[Supervisor]:
    """Make the topics, run ``children`` and yield when those that are waited for are ready; stop them on leaving.

    Raises:
        UserError: a role does not get ready.
    """
    await topic_setup.create(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    async with Supervisor(children, tell) as supervisor:
        await supervisor.ready(READY_SECONDS)
        yield supervisor


def role_children(environment: Mapping[str, str], collectors: Sequence[str]) -> list[Child]:
    """Return one child for each role, in the order in which they are to be stopped.

    ``environment``: settings for all of them, as ``HUBBUB_…`` variables. ``collectors``: which to run; none: no
    collecting.
    """
    commands = {"resolve": ["resolve"], "score": ["score"], "serve": ["serve"]}
    if collectors:
        commands = {"collect": ["collect", *collectors], **commands}
    children = []
    for role, command in commands.items():
        port = free_port()
        settings = {**environment, "HUBBUB_METRICS_PORT": str(port)}
        command_line = [sys.executable, "-m", "hubbub", *command]
        children.append(Child(role, command_line, settings, port, waited_for=role != "collect"))
    return children


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
