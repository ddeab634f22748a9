"""The display of ``hubbub demo`` and ``hubbub up`` while they run.

Owns what is printed, and when. Must never know how the roles are run.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from hubbub.cli.output import plain_table, print_json, strip_controls
from hubbub.cli.ranking import ranking, ranking_table
from hubbub.evaluate.stories.world_agreement import WorldAgreement
from hubbub.process.collect_role import relevance_to
from hubbub.process.demo import Demo, Stage
from hubbub.process.local import role_children, run_all
from hubbub.settings import Settings
from ingest.registry import PLATFORMS
from streams.serve.read import follow_scores
from transport.errors import UserError

SHOWN = 15
REFRESH_SECONDS = 0.5
LINE_SECONDS = 10.0


async def show_demo(demo: Demo, *, as_json: bool) -> None:
    """Run the demo, show it live, and print its result.

    Raises:
        UserError: a part does not start, or does not keep running.
    """
    console = Console(stderr=True, highlight=False)

    def on_step(line: str) -> None:
        console.print(Text(f"· {line}", style="dim"), soft_wrap=True)

    async with demo.running(on_step) as stage:
        console.print(Text.assemble("the page is at ", (stage.page_url, "bold underline")))
        watch = asyncio.create_task(_watch(demo, stage, console))
        failure = asyncio.create_task(stage.failure())
        ended = asyncio.create_task(asyncio.sleep(max(0.0, demo.ends_at - time.time())))
        try:
            await asyncio.wait({watch, failure, ended}, return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                raise UserError(f"the demo ended early: {failure.result()}")
            if watch.done():
                watch.result()
        finally:
            for task in (watch, failure, ended):
                task.cancel()
            await asyncio.gather(watch, failure, ended, return_exceptions=True)
        on_step("collecting has ended; scoring what is in flight")
        scores, agreement = await demo.result(stage)
        page_url, now_ms = stage.page_url, demo.clock()
        if not scores:
            raise UserError(f"nothing was scored; the last lines of the roles: {stage.supervisor.last_lines()}")
    if as_json:
        result = {"page": page_url, "stories": ranking(scores, SHOWN), "agreement": agreement}
        print_json(result)
        return
    out = Console(highlight=False)
    out.print(ranking_table(ranking(scores, SHOWN), now_ms, out.width))
    if agreement is not None:
        out.print()
        out.print(_agreement_table(agreement))


async def show_up(settings: Settings, collectors: Sequence[str] | None, reload: asyncio.Event) -> None:
    """Run all roles until cancelled, and print what they log. ``collectors``, ``reload``: see ``process.local``.

    Raises:
        UserError: no broker answers, or a role does not keep running.
    """
    console = Console(stderr=True, highlight=False)

    def on_line(_: str, line: str) -> None:
        console.print(Text(strip_controls(line)), soft_wrap=True)

    def on_embedded() -> None:
        servers = settings.kafka.bootstrap_servers
        warning = f"no broker at {servers}: started the embedded one. It keeps its records in memory: they end with it."
        console.print(Text(warning, style="yellow"), soft_wrap=True)

    def on_ready() -> None:
        host = "127.0.0.1" if settings.serve.host in {"0.0.0.0", "::"} else settings.serve.host  # noqa: S104
        console.print(Text.assemble("ready; the page is at ", (f"http://{host}:{settings.serve.port}/", "bold")))

    for note in collecting_notes(settings, collectors):
        console.print(Text(f"· {note}", style="dim"), soft_wrap=True)
    style = settings.log_format if settings.log_format != "auto" else ("console" if console.is_terminal else "json")
    # Without colours, whatever the terminal's are: their codes would be torn where control characters are stripped.
    children = role_children({"HUBBUB_LOG_FORMAT": style, "FORCE_COLOR": ""}, collectors)
    await run_all(settings.kafka, children, on_line, on_ready, on_embedded, reload=reload)


def collecting_notes(settings: Settings, collectors: Sequence[str] | None) -> Iterator[str]:
    """Yield what a newcomer should know of the ``collectors`` that run; None: those that the settings choose."""
    chosen = settings.collect.chosen()
    if collectors is None and settings.collect.names is None:
        off = [spec.display_name for name, spec in PLATFORMS.items() if name not in chosen]
        if off:
            yield f"not set up: {', '.join(off)}. What each needs: hubbub collectors"
    if (chosen if collectors is None else collectors) and relevance_to(settings.resolve.beats).everything:
        beats = ", ".join(settings.resolve.beats)
        yield f"all that the platforms give is used (beats: {beats}). For AI alone: HUBBUB_RESOLVE__BEATS='[\"ai\"]'"


async def _watch(demo: Demo, stage: Stage, console: Console) -> None:
    """Show the ranking as it changes: redrawn on a terminal, one line every ten seconds elsewhere."""
    shown_at = 0.0
    pause_seconds = REFRESH_SECONDS if console.is_terminal else LINE_SECONDS
    live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
    with live or contextlib.nullcontext():
        async for changes in follow_scores(stage.kafka.client_options(), stage.kafka.topic_prefix):
            if time.monotonic() - shown_at < pause_seconds:
                continue
            shown_at = time.monotonic()
            left = max(0, round(demo.ends_at - time.time()))
            ranked = ranking(changes.live, SHOWN)
            if live is not None:
                header = Text(f"{stage.page_url}   {len(changes.live)} stories   {left} s left", style="dim")
                live.update(Group(header, ranking_table(ranked, demo.clock(), console.width)), refresh=True)
            else:
                loudest = f"; loudest, at {ranked[0].noise:.1f}: {strip_controls(ranked[0].title)}" if ranked else ""
                console.print(
                    Text(f"· {left} s left, {len(changes.live)} stories{loudest}", style="dim"), soft_wrap=True
                )


def _agreement_table(agreement: WorldAgreement) -> Group:
    table = plain_table("> expected", "> measured", "> posts together", "story")
    for item in agreement.found:
        measured = "—" if item.noise is None else f"{item.noise:.1f}"
        table.add_row(
            f"{item.expected:.1f}", measured, f"{item.together}/{item.posts}", Text(strip_controls(item.title))
        )
    rank = "—" if agreement.spearman is None else f"{agreement.spearman:.2f}"
    summary = (
        f"compared with the truth of the simulated world: rank correlation {rank}; "
        f"{agreement.found_once} of {agreement.stories} stories found once, {agreement.split_in_three} split in three"
    )
    return Group(Text(summary, style="bold"), table)
