"""Options and arguments that several commands have, with one wording each."""

from pathlib import Path
from typing import Annotated

import typer
from typer.models import ArgumentInfo


def existing_file(help_text: str) -> ArgumentInfo:
    """Return an argument that is a file, which is there and can be read."""
    argument: ArgumentInfo = typer.Argument(exists=True, dir_okay=False, readable=True, help=help_text)
    return argument


JsonObject = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Story = Annotated[str, typer.Argument(help="A story's slug or id, as 'hubbub scores' shows it.")]
Recordings = Annotated[list[Path], existing_file("Recorded signals: NDJSON, plain, .gz or .zst.")]
