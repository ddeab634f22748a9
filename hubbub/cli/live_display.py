"""What a person sees of a running demo, or of all roles running."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import msgspec
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hubbub.cli.control_characters import strip_controls
from hubbub.cli.ranking import ranking, ranking_table
from hubbub.evaluate.agreement import Agreement
from hubbub.process.demo import Demo, Stage
from hubbub.process.local import broker_at, role_children, running
from hubbub.settings import Settings
from streams.records.public import NoiseScore
from streams.serve.read import follow_scores
from transport.errors import UserError

__all__ = ["show_demo", "show_up"]

SHOWN = 15
REFRESH_SECONDS = 0.5


async def show_demo(demo: Demo, *, as_json: bool) -> None:
    """Run the demo, show it as it goes, and print what came of it.

    Raises:
        UserError: a part does not start, or does not keep running.
    """
    console = Console(stderr=True, highlight=False)

    def tell(line: str) -> None:
        console.print(Text(f"· {line}", style="dim"))

    async with demo.running(tell) as stage:
        console.print(Text.assemble("the page is at ", (stage.page_url, "bold underline")))
        watch = asyncio.create_task(_watch(demo, stage, console))
        failure = asyncio.create_task(stage.supervisor.failure())
        ended = asyncio.create_task(asyncio.sleep(max(0.0, demo.ends_at - time.time())))
        try:
            await asyncio.wait({watch, failure, ended}, return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                raise UserError(f"the demo cannot go on: {failure.result()}")
        finally:
            for task in (watch, failure, ended):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
        tell("collecting has ended; scoring what is in flight")
        scores, agreement = await demo.result(stage)
        page_url, now_ms = stage.page_url, demo.clock()
        if not scores:
            raise UserError(f"nothing was scored; the roles said last: {stage.supervisor.last_words()}")
    if as_json:
        result = {"page": page_url, "stories": ranking(scores, SHOWN), "agreement": agreement}
        typer.echo(msgspec.json.encode(result).decode())
        return
    out = Console(highlight=False)
    out.print(ranking_table(ranking(scores, SHOWN), now_ms, out.width))
    if agreement is not None:
        out.print()
        out.print(_agreement_table(agreement))


async def show_up(settings: Settings, collectors: Sequence[str]) -> None:
    """Run all roles until cancelled, passing on what they log.

    Raises:
        UserError: no broker, or a role does not keep running.
    """
    console = Console(stderr=True, highlight=False)

    def note(_: str, line: str) -> None:
        console.print(Text(strip_controls(line)), soft_wrap=True)

    style = settings.log_format if settings.log_format != "auto" else ("console" if console.is_terminal else "json")
    environment = {"HUBBUB_LOG_FORMAT": style, "FORCE_COLOR": ""} if style == "json" else {"HUBBUB_LOG_FORMAT": style}
    async with broker_at(settings.kafka) as embedded:
        if embedded:
            console.print(
                Text(
                    f"no broker at {settings.kafka.bootstrap_servers}: started the embedded one, in memory. "
                    "What it holds ends with this command.",
                    style="yellow",
                )
            )
        async with running(settings.kafka, role_children(environment, collectors), note) as supervisor:
            host = "127.0.0.1" if settings.serve.host in {"0.0.0.0", "::"} else settings.serve.host  # noqa: S104
            console.print(Text.assemble("ready; the page is at ", (f"http://{host}:{settings.serve.port}/", "bold")))
            raise UserError(await supervisor.failure())


async def _watch(demo: Demo, stage: Stage, console: Console) -> None:
    """Show the ranking as it changes: redrawn on a terminal, a line now and then elsewhere."""
    board: dict[str, NoiseScore] = {}
    told = 0.0
    live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
    with live or contextlib.nullcontext():
        async for _ in _boards(stage, board):
            left = max(0, round(demo.ends_at - time.time()))
            ranked = ranking(board, SHOWN)
            if live is not None:
                header = Text(f"{stage.page_url}   {len(board)} stories   {left} s left", style="dim")
                live.update(Group(header, ranking_table(ranked, demo.clock(), console.width)), refresh=True)
            elif time.monotonic() - told >= 10:
                told = time.monotonic()
                loudest = f"; the loudest at {ranked[0].noise:.1f}: {strip_controls(ranked[0].title)}" if ranked else ""
                console.print(Text(f"· {left} s left, {len(board)} stories{loudest}", style="dim"), soft_wrap=True)


async def _boards(stage: Stage, board: dict[str, NoiseScore]) -> AsyncIterator[None]:
    shown = 0.0
    async for changes in follow_scores(stage.kafka.client_options(), stage.kafka.topic_prefix):
        for story, score in changes.scores.items():
            if score is None:
                board.pop(story, None)
            else:
                board[story] = score
        if time.monotonic() - shown >= REFRESH_SECONDS:
            shown = time.monotonic()
            yield


def _agreement_table(agreement: Agreement) -> Group:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column, justify in (
        ("expected", "right"),
        ("measured", "right"),
        ("posts together", "right"),
        ("story", "left"),
    ):
        table.add_column(column, justify="right" if justify == "right" else "left")
    for item in agreement.found:
        measured = "—" if item.noise is None else f"{item.noise:.1f}"
        table.add_row(
            f"{item.expected:.1f}", measured, f"{item.together}/{item.posts}", Text(strip_controls(item.title))
        )
    rank = "—" if agreement.spearman is None else f"{agreement.spearman:.2f}"
    summary = (
        f"against the truth of the simulated world: rank correlation {rank}; "
        f"{agreement.found_once} of {agreement.stories} stories found once, {agreement.split_in_three} split in three"
    )
    return Group(Text(summary, style="bold"), table)
