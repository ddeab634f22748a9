"""``hubbub topics`` and ``hubbub doctor``: making the ground ready, and finding out what is wrong with it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.text import Text

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    topics = typer.Typer(no_args_is_help=True, help="Make or verify the topics.")
    topics.command("create", epilog="Example: hubbub topics create")(create)
    topics.command("check", epilog="Example: hubbub topics check --json")(check)
    app.add_typer(topics, name="topics")
    app.command(epilog="Example: hubbub doctor --json")(doctor)


def create(json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Make the topics that are missing; those that exist are left as they are."""
    from hubbub import topics  # noqa: PLC0415 (each command loads only what it runs)
    from hubbub.settings import load  # noqa: PLC0415

    kafka = load().kafka
    made = asyncio.run(topics.create(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication))
    del json
    typer.echo(made)


def check(json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Verify partitions, retention, compaction and replication of the topics."""
    from hubbub import topics  # noqa: PLC0415
    from hubbub.settings import load  # noqa: PLC0415

    kafka = load().kafka
    problems = asyncio.run(
        topics.check(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    )
    del json
    typer.echo(problems)


def doctor(json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Check settings, broker, topics and credentials, and say what to fix."""
    from hubbub.doctor import examine  # noqa: PLC0415

    findings = asyncio.run(examine())
    if json:
        for finding in findings:
            typer.echo(orjson.dumps(finding.as_json()).decode())
    else:
        console = Console(highlight=False)
        for finding in findings:
            mark, style = ("✓", "green") if finding.ok else ("✗", "bold red")
            console.print(Text.assemble((mark, style), " ", finding.what, ("  " + finding.fix if finding.fix else "")))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
