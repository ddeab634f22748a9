"""``hubbub collect``, ``resolve``, ``score``, ``serve``: one role in each process, for production."""

from typing import Annotated

import typer

from hubbub.settings import load

app = typer.Typer()


@app.command(epilog="Example: hubbub collect hackernews reddit")
def collect(
    names: Annotated[list[str] | None, typer.Argument(help="Collectors to run; see: hubbub collectors.")] = None,
) -> None:
    """Collect activity from platforms into the topic signals."""
    from hubbub.process import wiring  # noqa: PLC0415 (each command loads only what it runs)

    raise typer.Exit(wiring.run_collect(load(), names or ()))


@app.command(epilog="Example: HUBBUB_KAFKA__BOOTSTRAP_SERVERS=broker:9092 hubbub resolve")
def resolve() -> None:
    """Gather signals into stories."""
    from hubbub.process import wiring  # noqa: PLC0415

    raise typer.Exit(wiring.run_resolve(load()))


@app.command(epilog="Example: HUBBUB_KAFKA__BOOTSTRAP_SERVERS=broker:9092 hubbub score")
def score() -> None:
    """Score stories as they change."""
    from hubbub.process import wiring  # noqa: PLC0415

    raise typer.Exit(wiring.run_score(load()))


@app.command(epilog="Example: HUBBUB_SERVE__PORT=8470 hubbub serve")
def serve() -> None:
    """Serve the page, the API and the WebSocket."""
    from hubbub.process import wiring  # noqa: PLC0415

    raise typer.Exit(wiring.run_serve(load()))
