"""Options and arguments that several commands have, with one wording each."""

from pathlib import Path
from typing import Annotated

import typer

JsonObject = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Story = Annotated[str, typer.Argument(help="A story's slug or id, as 'hubbub scores' shows it.")]
Recordings = Annotated[
    list[Path],
    typer.Argument(exists=True, dir_okay=False, readable=True, help="Recorded signals: NDJSON, plain, .gz or .zst."),
]
