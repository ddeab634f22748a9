"""``hubbub stories``: what an operator may order of stories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from streams.records.stories import OperatorCommand
    from streams.resolve.threads import ThreadIndex

from hubbub.cli.control_characters import strip_controls

__all__ = ["register"]

Story = Annotated[str, typer.Argument(help="A story's slug or id, as 'hubbub scores' shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    stories = typer.Typer(no_args_is_help=True, help="Merge, split, pin, rename or block stories.")
    stories.command("merge", epilog="Example: hubbub stories merge bank-outage quillon-ledger-outage")(merge)
    stories.command("split", epilog="Example: hubbub stories split bank-outage reddit:t3_18wuc1r")(split)
    stories.command("pin", epilog="Example: hubbub stories pin reddit:t3_18wuc1r bank-outage")(pin)
    stories.command("rename", epilog="Example: hubbub stories rename bank-outage Bankrun")(rename)
    stories.command("block", epilog="Example: hubbub stories block daily-giveaway")(block)
    stories.command("list", epilog="Example: hubbub stories list --json")(list_orders)
    app.add_typer(stories, name="stories")


def merge(
    story: Annotated[str, typer.Argument(help="The story that goes, by slug or id.")],
    into: Annotated[str, typer.Argument(help="The story that it becomes part of, by slug or id.")],
    json: Json = False,
) -> None:
    """Make one story part of another."""
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415 (each command loads only what it runs)

    _give(lambda threads, now_ms: orders.merge(threads, story, into, now_ms), json=json)


def split(
    story: Story,
    threads: Annotated[list[str], typer.Argument(help="Threads of it, each by the id of its first post.")],
    title: Annotated[str | None, typer.Option("--title", help="What the new story is called.")] = None,
    json: Json = False,
) -> None:
    """Make threads of a story a story of their own, for what is said in them from now on."""
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415

    _give(lambda known, now_ms: orders.split(known, story, threads, title, now_ms), json=json)


def pin(
    thread: Annotated[str, typer.Argument(help="A thread, seen before or not, by the id of its first post.")],
    story: Story,
    json: Json = False,
) -> None:
    """Give a thread to a story, for what is said in it from now on."""
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415

    _give(lambda threads, now_ms: orders.pin(threads, thread, story, now_ms), json=json)


def rename(
    story: Story, title: Annotated[str, typer.Argument(help="What it is to be called.")], json: Json = False
) -> None:
    """Call a story by another title; its slug, and so every link to it, stays."""
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415

    _give(lambda threads, now_ms: orders.rename(threads, story, title, now_ms), json=json)


def block(story: Story, json: Json = False) -> None:
    """End a story, and ignore what is said in it from now on."""
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415

    _give(lambda threads, now_ms: orders.block(threads, story, now_ms), json=json)


def list_orders(json: Json = False) -> None:
    """Show what was ordered."""
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415
    from hubbub.settings import load  # noqa: PLC0415

    settings = load()
    threads = asyncio.run(orders.read_threads(settings.kafka.client_options(), settings.kafka.topic_prefix))
    given = list(threads.orders.values())
    for order in given:
        typer.echo(_line(order, threads, json=json))
    if not given and not json:
        typer.echo("nothing was ordered")


def _give(make: Callable[[ThreadIndex, int], list[OperatorCommand]], *, json: bool) -> None:
    from hubbub.operate import operator_commands as orders  # noqa: PLC0415
    from hubbub.settings import load  # noqa: PLC0415

    settings = load()
    kafka, prefix = settings.kafka.client_options(), settings.kafka.topic_prefix

    async def give() -> None:
        threads = await orders.read_threads(kafka, prefix)
        given = make(threads, settings.clock()())
        await orders.give(given, kafka, prefix)
        for order in given:
            typer.echo(_line(order, threads, json=json))

    asyncio.run(give())
    if not json:
        typer.echo("resolve does it with the next new post; 'hubbub stories list' shows all orders")


def _line(order: OperatorCommand, threads: ThreadIndex, *, json: bool) -> str:
    """Return an order as a line for a person or a program."""

    if json:
        return msgspec.json.encode(order).decode()

    def called(name: str) -> str:
        info = threads.story(name)
        return strip_controls(info.slug if info is not None else name)

    into = strip_controls(order.found.slug) if order.found else called(order.into)
    what = {
        "merge": f"merge {called(order.subject)} into {called(order.into)}",
        "pin": f"pin {strip_controls(order.subject)} to {into}",
        "rename": f"rename {called(order.subject)} to “{strip_controls(order.title)}”",
        "block": f"block {called(order.subject)}",
    }[order.kind]
    return f"{datetime.fromtimestamp(order.given_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC  {what}"
