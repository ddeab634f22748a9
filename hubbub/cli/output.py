"""What commands print: text by untrusted users, JSON, and tables.

Owns which characters of a text are shown on a terminal, and how a table looks there.
"""

import unicodedata

import msgspec
import typer
from rich.table import Table


def strip_controls(text: str) -> str:
    """Return ``text`` without control, format, surrogate and private-use characters.

    They could move the cursor, reverse the line, or hide text.
    """
    return "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"})


def print_json(*values: object) -> None:
    """Print each of ``values`` as one line of JSON."""
    for value in values:
        typer.echo(msgspec.json.encode(value).decode())


def plain_table(*columns: str) -> Table:
    """Return a table without lines. A column whose name begins with ``> `` is right-aligned."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        right = column.startswith("> ")
        table.add_column(column.removeprefix("> "), justify="right" if right else "left", overflow="fold")
    return table
