"""All roles on this machine: the commands and ports of the processes that ``hubbub up`` and ``hubbub demo`` run.

Owns the list of child processes. What the roles are is :mod:`hubbub.roles`; how they are kept alive, ``supervise``.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping, Sequence

from hubbub.supervise import Child

__all__ = ["free_port", "role_children"]


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
        children.append(Child(role, [sys.executable, "-m", "hubbub", *command], settings, port))
    return children


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
