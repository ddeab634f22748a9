"""``hubbub eval``: how well the system works on recordings with a known truth."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from hubbub.cli.options import JsonLines, JsonObject
from hubbub.cli.output import plain_table, print_json, strip_controls

app = typer.Typer(name="eval", no_args_is_help=True, help="Measure against recordings with a known truth.")


@app.command(epilog="Example: hubbub eval stories recording.ndjson.gz --json")
def stories(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Signals with a field label, the story each belongs to (null: none): NDJSON, plain, .gz or .zst.",
        ),
    ],
    json: JsonObject = False,
) -> None:
    """Measure how well posts are gathered into stories, compared with labels."""
    from hubbub.evaluate.stories.evaluation import evaluate  # noqa: PLC0415
    from hubbub.evaluate.stories.labelled import read_labelled  # noqa: PLC0415 (each command loads only what it runs)
    from streams.resolve.matching.beats import load_beat  # noqa: PLC0415
    from streams.resolve.matching.matcher import Matcher  # noqa: PLC0415

    result = evaluate(read_labelled(file), Matcher(load_beat("general")))
    if json:
        print_json(asdict(result) | {"signals_per_second": result.signals_per_second})
        return
    table = plain_table("", "> precision", "> recall", "> F1")
    for name, measured in (("final stories", result.final), ("at arrival", result.arrival)):
        table.add_row(name, f"{measured.precision:.3f}", f"{measured.recall:.3f}", f"{measured.f1:.3f}")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{result.signals:,} signals, {result.labelled:,} of them in {result.of:,} labelled stories; "
        f"{result.stories:,} stories made, {result.found:,} of {result.of:,} found; "
        f"{result.signals_per_second:,.0f} signals/s",
        soft_wrap=True,
    )
    decided = ", ".join(f"{stage} {count:,}" for stage, count in result.stages.items())
    console.print(f"decided by {decided}", soft_wrap=True)


@app.command(epilog="Example: hubbub eval spikes recording.ndjson.gz --world")
def spikes(
    files: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="Recorded signals; none: the simulated world."),
    ] = None,
    world: Annotated[bool, typer.Option("--world", help="Also measure on the simulated world.")] = False,
    json: JsonLines = False,
) -> None:
    """Measure how soon spikes are found, and how many are missed or false, beside three simpler detectors."""
    from hubbub.evaluate.spikes.table import trial_table  # noqa: PLC0415
    from hubbub.evaluate.spikes.trials import read, trials  # noqa: PLC0415

    recordings = [read(file) for file in files or ()]
    out, err = Console(highlight=False), Console(stderr=True)
    with err.status("reading") as status:
        measurements = trials(
            recordings, world=world or not recordings, begin=lambda to: status.update(strip_controls(to))
        )
        for name, measured in measurements:
            if json:
                print_json({"set": name, **msgspec.structs.asdict(measured)})
            else:
                out.print(trial_table(strip_controls(name), measured))
