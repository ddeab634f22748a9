"""The command line: what a person types and what they are told.

Owns arguments, output and exit codes: 0 done, 1 failed, 2 wrong usage. Every error of the user's is one line that says
what to do; a stack trace means a fault of ours. One file a group of commands.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.text import Text

from hubbub.cli import (
    check_commands,
    eval_commands,
    record_commands,
    role_commands,
    run_commands,
    score_commands,
    story_commands,
)
from hubbub.cli.control_characters import strip_controls
from hubbub.process.embedded_broker import BrokerError
from hubbub.settings import SettingsError, load
from streams.resolve.matching.beats import BeatError
from streams.score.reading import FiguresError
from transport.errors import UserError
from transport.kafka import BrokerAwayError, KafkaError

__all__ = ["app", "main"]

INTERRUPTED = 130
"""The exit code of a command that was interrupted: 128 and SIGINT."""

app = typer.Typer(
    name="hubbub",
    help="Tells how loud a story is, right now.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    run_commands,
    role_commands,
    record_commands,
    score_commands,
    story_commands,
    eval_commands,
    check_commands,
):
    group.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, ``arguments`` or what the process was given, and return the exit code."""
    # What the libraries log is for the roles, which set logging up for themselves; here it is told in one line.
    logging.basicConfig(level=logging.CRITICAL)
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except (typer.Abort, KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 (raised again unless it is the user's to mend)
        return _tell(error)


def _tell(error: Exception) -> int:
    """Tell the user what went wrong, in one line, and return the exit code; a fault of ours is raised again."""
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if code is not None:
        # click's own errors know how to show themselves; typer.Exit has nothing to show.
        if show is not None:
            show()
        return int(code)
    if isinstance(error, BrokerAwayError):
        where = load().kafka.bootstrap_servers
        message = f"no broker answers at {where}; start one with 'hubbub up', or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS"
    elif isinstance(error, KafkaError):
        message = f"the broker refuses: {error}"
    elif isinstance(error, (UserError, SettingsError, BrokerError, BeatError, FiguresError, LookupError)):
        message = str(error)
    else:
        raise error
    console = Console(stderr=True, highlight=False)
    for line in message.splitlines():
        console.print(Text.assemble(("hubbub: ", "bold red"), strip_controls(line)), soft_wrap=True)
    return 1
