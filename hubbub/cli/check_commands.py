"""``hubbub topics``, ``doctor`` and ``collectors``: what Hubbub needs, and whether it is there."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hubbub.cli.options import JsonLines, JsonObject
from hubbub.cli.output import plain_table, print_json, strip_controls
from hubbub.operate import collector_reports, topic_setup
from hubbub.operate.collector_reports import SourceRow
from hubbub.settings import load
from ingest.registry import PLATFORMS

STYLES = {"usual": "green", "learning": "dim", "low": "yellow", "silent": "bold red", "late": "bold red"}
MARKS = {True: ("✓ ", "green"), False: ("✗ ", "bold red"), None: ("· ", "dim")}

Health = Annotated[bool, typer.Option("--health", help="Show how complete each source is now.")]

app = typer.Typer()
topics = typer.Typer(no_args_is_help=True, help="Create or check the topics.")
app.add_typer(topics, name="topics")


@topics.command(epilog="Example: hubbub topics create")
def create(json: JsonObject = False) -> None:
    """Create the topics that are missing. Existing topics stay as they are."""
    kafka = load().kafka
    result = asyncio.run(
        topic_setup.create(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    )
    if json:
        print_json(result)
        return
    for topic in result.created:
        typer.echo(f"created  {topic}")
    for topic in result.existing:
        typer.echo(f"existed  {topic}")


@topics.command(epilog="Example: hubbub topics check --json")
def check(json: JsonLines = False) -> None:
    """Check partitions, retention, compaction and replication of the topics."""
    kafka = load().kafka
    problems = asyncio.run(
        topic_setup.check(kafka.client_options(), kafka.topic_prefix, kafka.partitions, kafka.replication)
    )
    console = Console(highlight=False)
    for problem in problems:
        if json:
            print_json(problem)
        else:
            mark = MARKS[None if problem.unverified else False]
            line = Text.assemble(mark, f"{problem.topic}: {problem.what}; ", (problem.fix, "dim"))
            console.print(line, soft_wrap=True)
    if any(not problem.unverified for problem in problems):
        raise typer.Exit(1)
    if not json:
        console.print(Text.assemble(MARKS[True], "the topics are as they should be"))


@app.command(epilog="Example: hubbub doctor --no-platforms --json")
def doctor(
    platforms: Annotated[bool, typer.Option("--platforms/--no-platforms", help="Check the platforms too.")] = True,
    json: JsonLines = False,
) -> None:
    """Check settings, broker, topics, stages and credentials, and say what to fix."""
    from hubbub.operate.doctor import examine  # noqa: PLC0415 (loads what only the doctor runs)

    findings = asyncio.run(examine(platforms=platforms))
    console = Console(highlight=False)
    for finding in findings:
        if json:
            print_json(finding)
        else:
            fix = strip_controls(f": {finding.fix}" if finding.fix else "")
            console.print(Text.assemble(MARKS[finding.ok], strip_controls(finding.what), (fix, "dim")), soft_wrap=True)
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


@app.command(epilog="Example: hubbub collectors --json")
def collectors(health: Health = False, json: JsonLines = False) -> None:
    """List the collectors: what each needs, gives and allows; with --health how complete each source is now."""
    settings = load()
    if health:
        _print_reports(asyncio.run(collector_reports.read(settings)), json=json)
        return
    chosen = settings.collect.chosen()
    rows = [
        {
            "name": spec.name,
            "display_name": spec.display_name,
            "on": spec.name in chosen,
            "needs_account": spec.needs_account,
            "needs": spec.needs,
            "gives": spec.gives,
            "capabilities": sorted(spec.capabilities),
            "rate_limit": spec.rate_limit,
            "terms": spec.terms,
            "terms_url": spec.terms_url,
        }
        for spec in PLATFORMS.values()
    ]
    if json:
        print_json(*rows)
        return
    table = plain_table("collector", "runs", "needs", "gives")
    for row in rows:
        on = "by default" if row["on"] else "when set up"
        table.add_row(*(Text(str(cell)) for cell in (row["name"], on, row["needs"], row["gives"])))
    Console().print(table)


def _print_reports(rows: list[SourceRow], *, json: bool) -> None:
    if json:
        print_json(*rows)
        return
    table = plain_table("collector", "source", "says", "> items", "> usual", "> in", "> newest", "budget", "problem")
    shown = [row for row in rows if not row.source or row.says in {"low", "silent"}]
    for row in shown:
        compared = row.hours > 0
        table.add_row(
            Text(row.collector),
            Text(strip_controls(row.source or "all")),
            Text(row.says, style=STYLES.get(row.says, "")),
            f"{row.items:,}" if compared else "",
            f"{row.expected:,.0f}" if compared else "",
            f"{row.hours} h" if compared else "",
            "" if row.newest_age_seconds is None else _age(row.newest_age_seconds),
            "; ".join(map(str, row.budget or ())),
            Text(strip_controls(row.problem or "")),
        )
    Console().print(table)
    if any(row.says == "learning" for row in shown):
        typer.echo("learning: what is usual is known once a source was followed for three days")
    if len(shown) < len(rows):
        typer.echo(f"{len(rows) - len(shown)} other sources give what is usual, or too little is known of them: --json")
    if not rows:
        typer.echo("no collector has written a report yet; one does so within a minute: hubbub collect")


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
