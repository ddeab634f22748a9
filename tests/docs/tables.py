"""The tables of the documentation that are made from the code: settings, metrics, topics.

A table stands in a Markdown file between ``<!-- table: NAME -->`` and ``<!-- end -->``. test_docs.py compares them with
the code; ``make docs`` writes them again.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import hubbub
import ingest
import streams
from hubbub.settings import Settings
from transport.topics import DAY_MS, TOPICS

ROOT = Path(__file__).parents[2]
PREFIX = "HUBBUB_"
SIGNS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}


def pages() -> list[Path]:
    """Return every Markdown file of the project."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "deploy").rglob("*.md"))]


def render(page: str) -> str:
    """Return ``page`` with every table as the code has it now."""
    return re.sub(
        r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)",
        lambda found: found[1] + TABLES[found[2]]() + found[3],
        page,
        flags=re.DOTALL,
    )


def settings() -> Iterator[tuple[str, FieldInfo, object]]:
    """Yield every setting: its environment variable, its definition, its default."""
    yield from _settings(Settings, PREFIX)


def metrics() -> list[MetricWrapperBase]:
    """Return every metric of the project, by name. They live in modules named ``metrics``."""
    found = {}
    for package in (hubbub, ingest, streams):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".metrics"):
                found.update({metric._name: metric for metric in _metrics(importlib.import_module(module.name))})
    return [found[name] for name in sorted(found)]


def _settings(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo, object]]:
    for name, definition in model.model_fields.items():
        variable = prefix + name.upper()
        inner = next((kind for kind in _alternatives(definition.annotation) if _is_model(kind)), None)
        if inner is None:
            yield variable, definition, definition.get_default(call_default_factory=True)
        else:
            yield from _settings(inner, f"{variable}__")


def _alternatives(annotation: Any) -> Sequence[Any]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _metrics(module: ModuleType) -> Iterator[MetricWrapperBase]:
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase):
            yield value


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _settings_table() -> str:
    rows = []
    for variable, definition, default in settings():
        limits = [f"{sign} {getattr(limit, name)}" for limit in definition.metadata for name, sign in _signs(limit)]
        about = " ".join(part for part in (definition.description, ", ".join(limits)) if part)
        rows.append((f"`{variable}`", _shown(default), about))
    return _table(("Variable", "Default", "What it is"), rows)


def _signs(limit: object) -> list[tuple[str, str]]:
    return [SIGNS[type(limit)]] if type(limit) in SIGNS else []


def _shown(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None or default in ("", ()):
        return "none"
    return f"`{json.dumps(default) if isinstance(default, tuple) else default}`"


def _metrics_table() -> str:
    rows: list[tuple[str, ...]] = []
    for metric in metrics():
        name = metric._name + ("_total" if metric._type == "counter" else "")
        rows.append((f"`{name}`", str(metric._type), ", ".join(metric._labelnames), metric._documentation))
    return _table(("Metric", "Kind", "Labels", "What it counts"), rows)


def _topics_table() -> str:
    rows: list[tuple[str, ...]] = []
    for topic in TOPICS:
        partitions = "`kafka.partitions`" if topic.partitions is None else str(topic.partitions)
        kept = "last of each key" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} d"
        rows.append((f"`{topic.name}`", topic.key, partitions, kept, topic.purpose))
    return _table(("Topic", "Key", "Partitions", "Kept", "What it holds"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "settings": _settings_table,
    "metrics": _metrics_table,
    "topics": _topics_table,
}


def main() -> None:
    """Write every table again."""
    for page in pages():
        page.write_text(render(page.read_text()))


if __name__ == "__main__":
    main()
