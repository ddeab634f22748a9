"""``hubbub replay``, ``hubbub dead-letters`` and ``hubbub skip``: records into the topics, back into them, and past."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hubbub.cli.options import JsonLines, JsonObject, Recordings
from hubbub.cli.output import print_json, strip_controls
from hubbub.operate import dead_letters as letters
from hubbub.operate import replay as replaying
from hubbub.recordings import read_recordings
from hubbub.settings import load
from ingest.signal import InvalidSignalError
from transport.dead_letter import DeadLetter
from transport.errors import UserError

MAX_SHOWN_CHARS = 300
SHOWN_INVALID = 5
SHOWN_LETTERS = 50

app = typer.Typer()


@app.command(epilog="Example: hubbub replay recording.ndjson.gz --speed max --until-idle")
def replay(
    files: Recordings,
    speed: Annotated[str, typer.Option(help="Times as fast as recorded, or max.")] = "1",
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Return when all signals are scored.")] = False,
    json: JsonObject = False,
) -> None:
    """Publish recorded signals as a collector would have."""
    factor = _speed(speed)
    settings = load()
    kafka, now_ms = settings.kafka, settings.clock()()
    options, prefix = kafka.client_options(), kafka.topic_prefix
    console = Console(stderr=True)
    refused: dict[str, int] = {}

    def on_invalid(file: Path, number: int, error: InvalidSignalError) -> None:
        refused[error.reason] = refused.get(error.reason, 0) + 1
        if sum(refused.values()) <= SHOWN_INVALID:
            why = strip_controls(f"{file.name}, line {number}: {error}")
            console.print(Text(why if len(why) <= MAX_SHOWN_CHARS else f"{why[:MAX_SHOWN_CHARS]}…", style="yellow"))

    async def run(progress: Progress) -> replaying.Replayed:
        task = progress.add_task("publishing", total=None)
        done = await replaying.replay(
            read_recordings(files, on_invalid, now_ms),  # one from the future would take event time there
            kafka=options,
            prefix=prefix,
            speed=factor,
            on_progress=lambda r: progress.update(task, description=f"published {r.published:,} signals"),
        )
        progress.update(task, total=1, completed=1)
        if until_idle and done.published:
            task = progress.add_task("scoring", total=None)
            await replaying.wait_until_scored(
                done.token,
                kafka=options,
                prefix=prefix,
                on_progress=lambda some, all_: progress.update(task, total=all_, completed=some),
            )
        return done

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        done = asyncio.run(run(progress))
    if not done.published:
        raise UserError("the files hold no signals; docs/reference/contracts.md describes what each line must be")
    if json:
        result = {
            "published": done.published,
            "refused": refused,
            "first_ms": done.first_ms,
            "last_ms": done.last_ms,
            "seconds": round(done.seconds, 3),
            "scored": until_idle,
        }
        print_json(result)
        return
    rate = done.published / done.seconds if done.seconds else 0
    typer.echo(f"published {done.published:,} signals in {done.seconds:.1f} s ({rate:,.0f}/s)")
    if refused:
        typer.echo(f"skipped {sum(refused.values()):,} lines that are not signals: {refused}")


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


@app.command(epilog="Example: hubbub dead-letters --reason bad_time --replay")
def dead_letters(
    reason: Annotated[str | None, typer.Option(help="Only those with this reason.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only those of this stage.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only those written at this time (UTC) or later.")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Publish them again to the topics they came from.")] = False,
    json: JsonLines = False,
) -> None:
    """List records that could not be used, and publish them again."""
    settings = load()
    kafka, began_ms = settings.kafka, settings.clock()()
    options = kafka.client_options()
    since_ms = int(since.replace(tzinfo=UTC).timestamp() * 1000) if since else 0
    found = asyncio.run(letters.read(options, kafka.topic_prefix, stage=stage, reason=reason, since_ms=since_ms))
    if json:
        print_json(*found)
    elif not found:
        typer.echo("no dead letters")
    else:
        table = Table(box=None, header_style="dim")
        for column in ("at", "stage", "reason", "topic", "partition", "offset", "detail"):
            table.add_column(column, overflow="fold" if column == "detail" else "ellipsis")
        for letter in found[-SHOWN_LETTERS:]:
            # An item that a collector rejected stands in no topic.
            place = (letter.topic or letter.collector or "", letter.partition, letter.offset)
            cells = (_utc(letter.at_ms), letter.stage, letter.reason, *place, letter.detail)
            table.add_row(*(Text("" if cell is None else strip_controls(str(cell))) for cell in cells))
        console = Console()
        console.print(table)
        note = f", the last {SHOWN_LETTERS} shown" if len(found) > SHOWN_LETTERS else ""
        console.print(Text(f"{len(found):,} dead letters{note}: {_counts(found)}"), soft_wrap=True)
    if not replay or not found:
        return
    done = asyncio.run(letters.redrive(found, options))
    counts = f": {_counts(done.published)}" if done.published else ""
    typer.echo(f"{len(done.published):,} records published again to where they came from{counts}", err=json)
    typer.echo(f"to see only what was rejected since: hubbub dead-letters --since {_utc(began_ms)}", err=json)
    for why, left in (("the record is gone", done.gone), ("the record is too large", done.too_large)):
        for letter in left:
            where = f"{letter.topic}, partition {letter.partition}, offset {letter.offset}"
            typer.echo(f"{where}: not published again: {why}", err=True)


def _counts(dead: Iterable[DeadLetter]) -> str:
    """Return how many there are for each stage and reason, most first."""
    counted = Counter((letter.stage, letter.reason) for letter in dead).most_common()
    return strip_controls(", ".join(f"{count:,} {stage} {reason}" for (stage, reason), count in counted))


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@app.command(epilog="Example: hubbub skip signals:3:1234")
def skip(
    place: Annotated[str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET", help="Of the record.")],
    json: JsonObject = False,
) -> None:
    """Let a role go on without one record that stops it. The record is kept as a dead letter."""
    kafka = load().kafka
    asyncio.run(letters.skip(place, kafka.client_options(), kafka.topic_prefix))
    if json:
        print_json({"skipped": place})
    else:
        typer.echo(f"{place} is a dead letter; its role passes over it now")
