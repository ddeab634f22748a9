"""The command line: what a person types and what they are told.

Owns arguments, output and exit codes: 0 done, 1 failed, 2 wrong usage. Every error of the user's is one line that says
what to do; a stack trace means a fault of ours. One file a group of commands.
"""

from __future__ import annotations

import asyncio
import sys

import typer
from aiokafka.errors import KafkaConnectionError, KafkaError
from rich.console import Console

from hubbub.broker import BrokerError
from hubbub.cli import inspection, publishing, roles, running, setup
from hubbub.errors import UserError
from hubbub.settings import SettingsError, load
from streams.resolve.beats import BeatError

__all__ = ["app", "main"]

app = typer.Typer(
    name="hubbub",
    help="Tells how loud a story is, right now.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (running, roles, publishing, inspection, setup):
    group.register(app)


def main() -> int:
    """Run the command line and return the exit code."""
    try:
        code = app(standalone_mode=False)
    except typer.Exit as exit_:
        return int(exit_.exit_code)
    except typer.Abort:
        return 130
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except (UserError, SettingsError, BrokerError, BeatError, LookupError) as error:
        return _fail(str(error))
    except KafkaConnectionError:
        where = load().kafka.bootstrap_servers
        return _fail(
            f"no broker answers at {where}; start one with 'hubbub up', or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS"
        )
    except KafkaError as error:
        return _fail(f"the broker refuses: {error}")
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        usage = getattr(error, "exit_code", None)
        show = getattr(error, "show", None)
        if usage is None or show is None:
            raise
        show()
        return int(usage)
    return int(code or 0)


def _fail(message: str) -> int:
    Console(stderr=True, highlight=False).print(f"[bold red]hubbub:[/] {message}", markup=True, soft_wrap=True)
    return 1
