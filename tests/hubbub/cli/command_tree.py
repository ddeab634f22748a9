"""Every command of the command line, found by walking it: a new command is tested without being listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from hubbub.cli import app

__all__ = ["COMMANDS", "LONG_RUNNING", "example"]

Path = tuple[str, ...]

LONG_RUNNING = {("demo",), ("up",), ("collect",), ("resolve",), ("score",), ("serve",)}
"""Commands that run until they are stopped."""


def _walk(group: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "commands", None):
            yield from _walk(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS: dict[Path, Any] = dict(_walk(typer.main.get_command(app)))
"""By words. (Any: typer has a copy of click of its own, without types.)"""


def example(path: Path) -> list[str]:
    """Return the words of the example in the help of the command ``path``, without ``hubbub``."""
    words = (COMMANDS[path].epilog or "").removeprefix("Example: ").split()
    while words and "=" in words[0]:
        del words[0]
    assert words[: len(path) + 1] == ["hubbub", *path]
    return words[1:]
