"""``hubbub demo`` and ``hubbub up``: all roles on this machine."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hubbub.cli.options import JsonObject
from hubbub.process.terminal import Terminal
from hubbub.settings import load

app = typer.Typer()


@app.command(epilog="Example: hubbub demo --seconds 90 --json")
def demo(
    seconds: Annotated[
        float | None, typer.Option(min=10, help="How long to run, once the roles are ready. Default: 15 for each hour.")
    ] = None,
    hours: Annotated[float, typer.Option(min=1, max=72, help="How long the generated world lasts.")] = 6.0,
    json: JsonObject = False,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Recorded signals to serve instead of a generated world."),
    ] = None,
) -> None:
    """Run the whole system without an account or a network, on simulated platforms."""
    from hubbub.cli.live_display import show_demo  # noqa: PLC0415 (each command loads only what it runs)
    from hubbub.process.demo import Demo  # noqa: PLC0415

    load()  # its processes read them too; a mistake in them is reported once, here
    _until_asked(show_demo(Demo(seconds, data, hours), as_json=json))


@app.command(epilog="Example: hubbub up --no-collect")
def up(
    collect: Annotated[bool, typer.Option("--collect/--no-collect", help="Collect from the real platforms.")] = True,
    collectors: Annotated[
        list[str] | None, typer.Option("--collector", help="Only these; see: hubbub collectors.")
    ] = None,
) -> None:
    """Run all roles on this machine against the real platforms."""
    from hubbub.cli.live_display import show_up  # noqa: PLC0415

    settings = load()
    names = (tuple(collectors) if collectors else None) if collect else ()
    settings.collect.configs(settings.collect.chosen() if names is None else names)
    reload = asyncio.Event()
    _until_asked(show_up(settings, names, reload), reload)


def _until_asked(main: Coroutine[object, object, None], reload: asyncio.Event | None = None) -> None:
    """Run ``main``. The first Ctrl-C or SIGTERM cancels it, which stops all processes in order. The second kills.

    SIGHUP sets ``reload``, unless it comes because the terminal is gone.
    """
    terminal = Terminal()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(main)

        def ask() -> None:
            if task.cancelling():
                os._exit(130)  # child processes die with this one
            Console(stderr=True).print(Text("stopping; Ctrl-C again stops at once", style="dim"))
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ask)
        if reload is not None:
            loop.add_signal_handler(signal.SIGHUP, lambda: ask() if terminal.is_gone() else reload.set())
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelling():
                raise

    asyncio.run(run())
