"""``hubbub topics`` and ``hubbub doctor``: making the ground ready, and finding out what is wrong with it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.text import Text

from hubbub.cli.control_characters import strip_controls

__all__ = ["register"]

MARKS = {True: ("✓ ", "green"), False: ("✗ ", "bold red"), None: ("· ", "dim")}


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    topics = typer.Typer(no_args_is_help=True, help="Make or verify the topics.")
    topics.command("create", epilog="Example: hubbub topics create")(create)
    topics.command("check", epilog="Example: hubbub topics check --json")(check)
    app.add_typer(topics, name="topics")
    app.command(epilog="Example: hubbub doctor --no-platforms --json")(doctor)


def create(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Make the topics that are missing; those that exist are left as they are."""
    from hubbub.operate import topic_setup  # noqa: PLC0415 (each command loads only what it runs)
    from hubbub.settings import load  # noqa: PLC0415

    kafka = load().kafka
    made = asyncio.run(
        topic_setup.create(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    )
    if json:
        typer.echo(orjson.dumps(asdict(made)).decode())
        return
    for topic in made.created:
        typer.echo(f"made     {topic}")
    for topic in made.existing:
        typer.echo(f"existed  {topic}")


def check(json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Verify partitions, retention, compaction and replication of the topics."""
    from hubbub.operate import topic_setup  # noqa: PLC0415
    from hubbub.settings import load  # noqa: PLC0415

    kafka = load().kafka
    problems = asyncio.run(
        topic_setup.check(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    )
    console = Console(highlight=False)
    for problem in problems:
        if json:
            typer.echo(orjson.dumps(asdict(problem)).decode())
        else:
            mark = MARKS[None if problem.unverified else False]
            console.print(
                Text.assemble(mark, f"{problem.topic}: {problem.what}; ", (problem.fix, "dim")), soft_wrap=True
            )
    if any(not problem.unverified for problem in problems):
        raise typer.Exit(1)
    if not json:
        console.print(Text.assemble(MARKS[True], "the topics are as they must be"))


def doctor(
    platforms: Annotated[bool, typer.Option("--platforms/--no-platforms", help="Look at the platforms too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Check settings, broker, topics, stages and credentials, and say what to fix."""
    from hubbub.operate.doctor import examine  # noqa: PLC0415

    findings = asyncio.run(examine(platforms=platforms))
    console = Console(highlight=False)
    for finding in findings:
        if json:
            typer.echo(orjson.dumps(finding.as_json()).decode())
        else:
            fix = strip_controls(f": {finding.fix}" if finding.fix else "")
            console.print(Text.assemble(MARKS[finding.ok], strip_controls(finding.what), (fix, "dim")), soft_wrap=True)
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)
