"""``hubbub scores`` and ``explain``: the ranking, and why a story has its score."""

import asyncio
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.live import Live

from hubbub.cli.options import JsonLines, JsonObject, Story
from hubbub.cli.output import print_json, strip_controls
from hubbub.settings import load
from transport.errors import UserError

app = typer.Typer()


@app.command(epilog="Example: hubbub scores --top 20 --json")
def scores(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep showing changes until Ctrl-C.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many stories.")] = 20,
    json: JsonLines = False,
) -> None:
    """Show the ranking now, or as it changes."""
    from hubbub.cli.ranking import ranking, ranking_table  # noqa: PLC0415 (each command loads only what it runs)
    from streams.serve.read import follow_scores, read_scores  # noqa: PLC0415

    settings = load()
    kafka, prefix, now_ms = settings.kafka.client_options(), settings.kafka.topic_prefix, settings.clock()

    async def follow_json() -> None:
        async for changes in follow_scores(kafka, prefix):
            print_json(*filter(None, changes.scores.values()))

    async def follow_table() -> None:
        with Live(auto_refresh=False) as live:
            async for changes in follow_scores(kafka, prefix):
                if changes.caught_up:
                    ranked = ranking(changes.live, top)
                    live.update(ranking_table(ranked, now_ms(), live.console.width), refresh=True)

    if follow:
        asyncio.run(follow_json() if json else follow_table())
        return
    ranked = ranking(asyncio.run(read_scores(kafka, prefix)), top)
    if json:
        print_json(*ranked)
    elif ranked:
        console = Console()
        console.print(ranking_table(ranked, now_ms(), console.width))
    else:
        typer.echo("no stories yet; publish some with 'hubbub replay', or start collecting with 'hubbub up'")


@app.command(epilog="Example: hubbub explain meta-employee-tracking")
def explain(story: Story, json: JsonObject = False) -> None:
    """Show why a story has its score."""
    from hubbub.cli.explanation import render  # noqa: PLC0415
    from hubbub.operate.find_story import find, merged_into  # noqa: PLC0415
    from hubbub.operate.matches import read_matches  # noqa: PLC0415
    from streams.score.explaining import explain_score  # noqa: PLC0415
    from streams.serve.read import read_scores  # noqa: PLC0415

    settings = load()
    kafka, prefix = settings.kafka.client_options(), settings.kafka.topic_prefix
    known = asyncio.run(read_scores(kafka, prefix))
    if not any(story in {score.story, score.slug} for score in known.values()):
        into = known.get(asyncio.run(merged_into(story, kafka, prefix)) or "")
        if into is not None:
            typer.echo(strip_controls(f"{story} was merged into {into.slug} ({into.story}):"), err=True)
            story = into.story
    score = find(story, known)
    explained = explain_score(score)
    try:
        matches = asyncio.run(read_matches([post.id for post in score.top], score.beat, kafka, prefix))
    except UserError as error:
        typer.echo(f"why its posts are in the story is unknown: {strip_controls(str(error))}", err=True)
        matches = {}
    if json:
        print_json(
            msgspec.to_builtins(score) | msgspec.to_builtins(explained) | {"matches": msgspec.to_builtins(matches)}
        )
    else:
        Console(highlight=False).print(render(score, explained, matches))
