"""``hubbub eval``: how well the system works on recordings with a known truth."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from hubbub.cli.options import JsonLines, JsonObject, existing_file
from hubbub.cli.output import plain_table, print_json, strip_controls
from hubbub.evaluate.precision_recall import PrecisionRecall

SHOWN_CHARS = 200
"""Bounds a headline or a link in a line about it; the number of the line leads to the whole."""

app = typer.Typer(name="eval", no_args_is_help=True, help="Measure against recordings with a known truth.")


@app.command(epilog="Example: hubbub eval stories recording.ndjson.gz --json")
def stories(
    file: Annotated[
        Path,
        existing_file(
            "Signals with a field label, the story each belongs to (null: none): NDJSON, plain, .gz or .zst."
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
    files: Annotated[list[Path] | None, existing_file("Recorded signals; none: the simulated world.")] = None,
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


@app.command(epilog="Example: hubbub eval pairs recording.ndjson.gz pairs.ndjson --beat ferries.toml")
def pairs(
    recording: Annotated[Path, existing_file("Signals: NDJSON, plain, .gz or .zst.")],
    pairs: Annotated[
        Path,
        existing_file('Pairs of posts, one object a line: {"a": id, "b": id, "same": whether they are one story}.'),
    ],
    beat: Annotated[
        str, typer.Option(help="Gather only what is relevant to this beat: a name, or a TOML file.")
    ] = "ai",
    wrong: Annotated[bool, typer.Option("--wrong", help="List the wrong pairs.")] = False,
    json: JsonObject = False,
) -> None:
    """Measure whether posts that belong to one story are put together, by pairs labelled by reading."""
    from hubbub.evaluate.pairs.evaluation import evaluate_pairs, read_posts  # noqa: PLC0415
    from hubbub.evaluate.pairs.labelled import read_pairs  # noqa: PLC0415
    from streams.resolve.matching.beats import load_beat  # noqa: PLC0415
    from streams.resolve.matching.matcher import Matcher  # noqa: PLC0415

    watched, labelled = load_beat(beat), read_pairs(pairs)
    result = evaluate_pairs(read_posts(recording), labelled, watched, Matcher(watched))
    if json:
        drawn = {way: asdict(counts) | counts.ratios() for way, counts in result.drawn.items()}
        ratios = {"measured": result.measured, **result.counts.ratios()}
        print_json(asdict(result) | ratios | {"drawn": drawn})
        return
    table = plain_table("pairs", "> same", "> together", "> both", "> precision", "> recall", "> F1")
    for name, counts in (("all", result.counts), *result.drawn.items()):
        sizes = (counts.right + counts.missed, counts.right + counts.false, counts.right)
        table.add_row(strip_controls(name), *map(str, sizes), *_shown(counts))
    console = Console(highlight=False, markup=False)
    console.print(table)
    _print_line(
        console,
        f"{result.posts:,} posts in {result.stories:,} stories; "
        f"{result.measured:,} of {result.pairs:,} pairs measured: {result.missing:,} have a post that "
        f"is not in the recording, {result.irrelevant:,} one that is irrelevant to the beat",
    )
    for pair in result.wrong if wrong else ():
        found = "apart, but one story" if pair.same else "together, but not one story"
        _print_line(console, f"line {pair.line}: {found}")
        for id_, title in zip((pair.a, pair.b), pair.titles, strict=True):
            _print_line(console, f"  {_short(id_)}  {_short(title)}")


@app.command(epilog="Example: hubbub eval figures headlines.tsv --json")
def figures(
    file: Annotated[
        Path,
        existing_file(
            "A line is: a headline, TAB, the ids of the figures that it names, comma between. # begins a comment."
        ),
    ],
    figures_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="Your own figures, as in the settings of score."),
    ] = None,
    json: JsonObject = False,
) -> None:
    """Measure whether the public figures found in headlines are those that are meant."""
    from hubbub.evaluate.answers.figures import evaluate_figures, read_headlines  # noqa: PLC0415
    from streams.score.reading import TextReader  # noqa: PLC0415

    result = evaluate_figures(read_headlines(file), TextReader.load(figures_file))
    if json:
        print_json(asdict(result) | result.counts.ratios())
        return
    console = Console(highlight=False, markup=False)
    _print_line(console, f"{result.right} of {result.of} headlines right")
    _print_counts(console, "figures", result.counts)
    for case in result.wrong:
        unknown = f" (not listed: {_names(case.unknown)})" if case.unknown else ""
        _print_line(
            console,
            f"line {case.line}: expected {_names(case.expected)}{unknown}, found {_names(case.found)}: "
            f"{_short(case.headline)}",
        )


@app.command(epilog="Example: hubbub eval links links.tsv --json")
def links(
    file: Annotated[
        Path,
        existing_file(
            "Lines of same or different and two links, or page or none and one; TAB between; # begins a comment."
        ),
    ],
    json: JsonObject = False,
) -> None:
    """Measure whether links to one page are recognised as one page, and others are not."""
    from hubbub.evaluate.answers.links import evaluate_links, read_links  # noqa: PLC0415
    from streams.resolve.matching.canonical import canonical  # noqa: PLC0415

    result = evaluate_links(read_links(file), canonical)
    if json:
        print_json(asdict(result) | result.counts.ratios())
        return
    console = Console(highlight=False, markup=False)
    _print_line(console, f"{result.right} of {result.of} lines right")
    _print_counts(console, "same page", result.counts)
    for case in result.wrong:
        _print_line(console, f"line {case.line}: expected {case.expected}, found {case.found}")
        for link, key in zip(case.links, case.keys, strict=True):
            _print_line(console, f"  {_short(link)}  key {_short(key or 'none')}")


def _print_counts(console: Console, name: str, counts: PrecisionRecall) -> None:
    table = plain_table("", "> precision", "> recall", "> F1")
    table.add_row(name, *_shown(counts))
    console.print(table)


def _print_line(console: Console, line: str) -> None:
    console.print(strip_controls(line), soft_wrap=True)


def _shown(counts: PrecisionRecall) -> list[str]:
    return ["unknown" if ratio is None else f"{ratio:.3f}" for ratio in counts.ratios().values()]


def _names(ids: tuple[str, ...]) -> str:
    return ", ".join(ids) or "none"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
