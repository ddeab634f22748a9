"""The command line: arguments, output and exit codes.

Owns the list of commands and the message for every error. Exit codes: 0 done, 1 failed, 2 wrong usage. A user's mistake
is one line that says what to do; only a fault of ours shows a stack. One file for each group of commands: a command
parses, calls and prints.
"""

import asyncio
import logging
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

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
from hubbub.cli.output import strip_controls
from hubbub.settings import load
from transport.admin import broker_problem
from transport.errors import UserError
from transport.kafka import BrokerAwayError, KafkaError

__all__ = ["app", "main"]

INTERRUPTED = 130
"""The exit code of an interrupted command: 128 + SIGINT."""

app = typer.Typer(
    name="hubbub",
    help="Shows how loud a story is, right now.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    run_commands,
    role_commands,
    record_commands,
    score_commands,
    check_commands,
    story_commands,
    eval_commands,
):
    app.add_typer(group.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hubbub {version('hubbub')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Show how loud a story is, right now."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. ``arguments``: None takes those of the process."""
    # A command reports a library's error in its own line. Roles set up their own logging.
    logging.basicConfig(level=logging.CRITICAL)
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except (typer.Abort, KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 (the last resort of the program: every error gets its message here)
        # click's own errors print themselves, and typer.Exit prints nothing. Typer has a copy of click of its own.
        if (code := getattr(error, "exit_code", None)) is not None:
            getattr(error, "show", lambda: None)()
            return int(code)
        message = _message(error)
        if message is None:
            traceback.print_exception(error)
            message = "this is a fault of Hubbub; please report it with the lines above"
        console = Console(stderr=True, highlight=False)
        for line in message.splitlines():
            console.print(Text.assemble(("hubbub: ", "bold red"), strip_controls(line)), soft_wrap=True)
        return 1


def _message(error: Exception) -> str | None:
    """Return what is wrong and how to fix it; None for a fault of ours."""
    if isinstance(error, BrokerAwayError):
        problem = asyncio.run(broker_problem(load().kafka.client_options()))
        return problem.message if problem is not None else "the broker was away for a moment; try again"
    if isinstance(error, KafkaError):
        return f"the broker refused: {error}; see the broker's log, then try again"
    return str(error) if isinstance(error, UserError) else None
