"""How generated parts of the documentation are written in Markdown.

Owns the form of a table, and how a default and the limits of an option are shown. Must never know which tables there
are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

SIGNS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with a line for each row."""
    lines = (head, ["---"] * len(head), *rows)
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def shown(default: object) -> str:
    """Return a default as the reader would write it."""
    if default is PydanticUndefined:
        return "required"
    if default is None or default in ("", ()):
        return "none"
    if isinstance(default, tuple | Mapping | bool):
        return f"`{json.dumps(default, default=_plain)}`"
    return f"`{default}`"


def _plain(value: object) -> object:
    """Return what an option holds as JSON has it: of a table with options of its own, those that are set."""
    return value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, BaseModel) else str(value)


def meaning(definition: FieldInfo) -> str:
    """Return what an option does, with its limits."""
    limits = [
        f"{sign} {getattr(limit, name)}"
        for limit in definition.metadata
        for name, sign in ([SIGNS[type(limit)]] if type(limit) in SIGNS else [])
    ]
    return " ".join([*(definition.description or "").replace("``", "`").split(), ", ".join(limits)]).rstrip()


def items_shown(default: object) -> Iterator[str]:
    """Yield each item of a list or a table, as the reader would write it; a value that is neither is the only one."""
    if isinstance(default, Mapping):
        for name, inner in default.items():
            values = ", ".join(map(str, inner)) if isinstance(inner, tuple) else ""
            yield f"`{name}` ({values})" if values else f"`{name}`"
    elif isinstance(default, tuple) and default:
        yield from (f"`{item}`" for item in default)
    else:
        yield shown(default)
