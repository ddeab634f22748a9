"""``hubbub stories``: operator commands on stories."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from hubbub.cli.options import JsonLines, Story
from hubbub.cli.output import print_json, strip_controls
from hubbub.operate import operator_commands
from hubbub.operate.operator_commands import publish, read_threads
from hubbub.settings import load
from streams.records.stories import OperatorCommand
from streams.resolve.threads import ThreadIndex

app = typer.Typer(name="stories", no_args_is_help=True, help="Merge, split, pin, rename or block stories.")


@app.command(epilog="Example: hubbub stories merge bank-outage quillon-ledger-outage")
def merge(
    story: Annotated[str, typer.Argument(help="The story that ends, by slug or id.")],
    into: Annotated[str, typer.Argument(help="The story that it becomes part of, by slug or id.")],
    json: JsonLines = False,
) -> None:
    """Make one story part of another."""
    _run(lambda threads, now_ms: operator_commands.merge(threads, story, into, now_ms), json=json)


@app.command(epilog="Example: hubbub stories split bank-outage reddit:t3_18wuc1r")
def split(
    story: Story,
    threads: Annotated[list[str], typer.Argument(help="Threads of the story, by the ids of their root posts.")],
    title: Annotated[str | None, typer.Option("--title", help="The title of the new story.")] = None,
    json: JsonLines = False,
) -> None:
    """Move threads into a new story, for everything in them from now on."""
    _run(lambda known, now_ms: operator_commands.split(known, story, threads, title, now_ms), json=json)


@app.command(epilog="Example: hubbub stories pin reddit:t3_18wuc1r bank-outage")
def pin(
    thread: Annotated[str, typer.Argument(help="A thread, known or not, by the id of its root post.")],
    story: Story,
    json: JsonLines = False,
) -> None:
    """Give a thread to a story, for everything in it from now on."""
    _run(lambda threads, now_ms: operator_commands.pin(threads, thread, story, now_ms), json=json)


@app.command(epilog="Example: hubbub stories rename bank-outage Bankrun")
def rename(story: Story, title: Annotated[str, typer.Argument(help="The new title.")], json: JsonLines = False) -> None:
    """Give a story another title. Its slug stays, and so does every link to it."""
    _run(lambda threads, now_ms: operator_commands.rename(threads, story, title, now_ms), json=json)


@app.command(epilog="Example: hubbub stories block daily-giveaway")
def block(story: Story, json: JsonLines = False) -> None:
    """End a story, and ignore everything about it from now on."""
    _run(lambda threads, now_ms: operator_commands.block(threads, story, now_ms), json=json)


@app.command("list", epilog="Example: hubbub stories list --json")
def list_commands(json: JsonLines = False) -> None:
    """List the commands that were given."""
    kafka = load().kafka
    threads = asyncio.run(read_threads(kafka.client_options(), kafka.topic_prefix))
    for command in threads.commands.values():
        _print(command, threads, json=json)
    if not threads.commands and not json:
        typer.echo("no commands were given")


def _run(make: Callable[[ThreadIndex, int], list[OperatorCommand]], *, json: bool) -> None:
    settings = load()
    kafka, prefix = settings.kafka.client_options(), settings.kafka.topic_prefix

    async def run() -> None:
        threads = await read_threads(kafka, prefix)
        commands = make(threads, settings.clock()())
        await publish(commands, kafka, prefix)
        for command in commands:
            _print(command, threads, json=json)

    asyncio.run(run())
    if not json:
        typer.echo("resolve carries it out with the next new post; 'hubbub stories list' lists all commands")


def _print(command: OperatorCommand, threads: ThreadIndex, *, json: bool) -> None:
    """Print a command as a line for a person or a program."""
    if json:
        print_json(command)
        return

    def slug(name: str) -> str:
        info = threads.stories.get(name)
        return strip_controls(info.slug if info is not None else name)

    into = strip_controls(command.found.slug) if command.found else slug(command.into)
    what = {
        "merge": f"merge {slug(command.subject)} into {into}",
        "pin": f"pin {strip_controls(command.subject)} to {into}",
        "rename": f"rename {slug(command.subject)} to “{strip_controls(command.title)}”",
        "block": f"block {slug(command.subject)}",
    }[command.kind]
    typer.echo(f"{datetime.fromtimestamp(command.given_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC  {what}")
