"""``hubbub replay`` and ``hubbub dead-letters``: records on their way into, or back into, the topics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hubbub.cli.control_characters import strip_controls
from transport.errors import UserError

__all__ = ["register"]

MAX_SHOWN_CHARS = 300


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.command(epilog="Example: hubbub replay recording.ndjson.gz --speed max --until-idle")(replay)
    app.command("dead-letters", epilog="Example: hubbub dead-letters --reason bad_time --replay")(dead_letters)


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="Recorded signals: NDJSON, plain, .gz or .zst."
        ),
    ],
    speed: Annotated[str, typer.Option(help="Times as fast as recorded, or max.")] = "1",
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Return when all of it is scored.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Publish recorded signals, as a collector would have."""
    from hubbub.operate import replay as replaying  # noqa: PLC0415 (each command loads only what it runs)
    from hubbub.settings import load  # noqa: PLC0415
    from ingest.signal import InvalidSignalError  # noqa: PLC0415

    factor = _speed(speed)
    kafka = load().kafka
    console = Console(stderr=True)
    refused: dict[str, int] = {}

    def refuse(file: Path, number: int, error: InvalidSignalError) -> None:
        refused[error.reason] = refused.get(error.reason, 0) + 1
        if sum(refused.values()) <= 5:
            why = strip_controls(f"{file.name}, line {number}: {error}")
            console.print(Text(why if len(why) <= MAX_SHOWN_CHARS else f"{why[:MAX_SHOWN_CHARS]}…", style="yellow"))

    async def run(progress: Progress) -> replaying.Replayed:
        task = progress.add_task("publishing", total=None)
        done = await replaying.replay(
            replaying.read_recordings(files, refuse),
            kafka=kafka.client_options(),
            prefix=kafka.topic_prefix,
            speed=factor,
            on_progress=lambda r: progress.update(task, description=f"published {r.published:,} signals"),
        )
        progress.update(task, total=1, completed=1)
        if until_idle and done.published:
            task = progress.add_task("scoring", total=None)
            await replaying.wait_until_scored(
                done.token,
                kafka=kafka.client_options(),
                prefix=kafka.topic_prefix,
                on_progress=lambda some, all_: progress.update(task, total=all_, completed=some),
            )
        return done

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        done = asyncio.run(run(progress))
    result = {
        "published": done.published,
        "refused": refused,
        "first_ms": done.first_ms,
        "last_ms": done.last_ms,
        "seconds": round(done.seconds, 3),
        "scored": until_idle and bool(done.published),
    }
    if json:
        typer.echo(orjson.dumps(result).decode())
    else:
        rate = done.published / done.seconds if done.seconds else 0
        typer.echo(f"published {done.published:,} signals in {done.seconds:.1f} s ({rate:,.0f}/s)")
        if refused:
            typer.echo(f"left out {sum(refused.values()):,} lines that are no signal: {refused}")
    if not done.published:
        raise UserError(
            "the files hold no signals; each line must be a signal as docs/reference/contracts.md describes it"
        )


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise typer.BadParameter(f"{text!r} is neither a number above 0 nor 'max'", param_hint="--speed")
    return factor


def dead_letters(
    reason: Annotated[str | None, typer.Option(help="Only those with this reason.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only those of this stage.")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Publish them again to the topic they came from.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Look into records nobody could use, and send them through again."""
    from hubbub.operate import dead_letters as letters  # noqa: PLC0415
    from hubbub.settings import load  # noqa: PLC0415

    kafka = load().kafka
    options = kafka.client_options()
    found = asyncio.run(letters.read(options, kafka.topic_prefix, stage=stage, reason=reason))
    again = asyncio.run(letters.replay(found, options)) if replay and found else 0
    if json:
        for letter in found:
            typer.echo(orjson.dumps(letters.as_json(letter)).decode())
        return
    if not found:
        typer.echo("no dead letters")
        return
    table = Table(box=None, header_style="dim")
    for column in ("stage", "reason", "topic", "partition", "offset", "detail"):
        table.add_column(column, overflow="fold" if column == "detail" else "ellipsis")
    for letter in found[-50:]:
        # What a collector gave up stands in no topic.
        place = (letter.topic or letter.collector or "", letter.partition, letter.offset)
        cells = (letter.stage, letter.reason, *("" if part is None else str(part) for part in place), letter.detail)
        table.add_row(*(Text(strip_controls(cell)) for cell in cells))
    console = Console()
    console.print(table)
    console.print(Text(f"{len(found):,} dead letters" + (", the last 50 shown" if len(found) > 50 else "")))
    if replay:
        console.print(f"{again:,} records published again to where they came from")
