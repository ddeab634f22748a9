"""The parts of the documentation that are generated from the code, such as the tables of settings and metrics.

Each stands in a Markdown file between ``<!-- table: NAME -->`` and ``<!-- end -->``. test_docs.py compares them with
the code; ``make docs`` writes them again.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import typer
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import hubbub
import ingest
import scoring
import streams
from hubbub.cli import app
from hubbub.settings import Settings
from scoring.band import BANDS
from scoring.lifecycle import SHOWN_AS
from tests.docs import platform_pages
from tests.docs.markdown import meaning, shown, table
from transport.topics import DAY_MS, TOPICS

ROOT = Path(__file__).parents[2]
PREFIX = "HUBBUB_"


def pages() -> list[Path]:
    """Return every Markdown file of the project."""
    folders = [ROOT / folder for folder in ("docs", "deploy", "benchmarks")]
    return [*sorted(ROOT.glob("*.md")), *(page for folder in folders for page in sorted(folder.rglob("*.md")))]


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


def _settings_table() -> str:
    rows = [(f"`{variable}`", shown(default), meaning(definition)) for variable, definition, default in settings()]
    return table(("Variable", "Default", "What it is"), rows)


def _metrics_table() -> str:
    rows: list[tuple[str, ...]] = []
    for metric in metrics():
        name = metric._name + ("_total" if metric._type == "counter" else "")
        rows.append((f"`{name}`", str(metric._type), ", ".join(metric._labelnames), metric._documentation))
    return table(("Metric", "Kind", "Labels", "What it counts"), rows)


def _topics_table() -> str:
    rows: list[tuple[str, ...]] = []
    for topic in TOPICS:
        partitions = "`kafka.partitions`" if topic.partitions is None else str(topic.partitions)
        kept = "last of each key" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} d"
        rows.append((f"`{topic.name}`", topic.key, partitions, kept, topic.purpose))
    return table(("Topic", "Key", "Partitions", "Kept", "What it holds"), rows)


def _scoring_settings_table() -> str:
    rows = [(f"`{name}`", _number(value)) for name, value in msgspec.to_builtins(scoring.DEFAULT).items()]
    return table(("Constant", "Value"), rows)


def _number(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number:.10g}" for key, number in value.items())
    return f"{value:.10g}"


def _scoring_files_table() -> str:
    return _files_table(ROOT / "scoring")


def _files_table(folder: Path) -> str:
    rows = []
    for path in sorted(folder.rglob("*.py")):
        first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
        name = str(path.relative_to(folder)).removesuffix("/__init__.py")
        rows.append((f"`{name}`", " ".join(first.split()).replace("``", "`")))
    return table(("File", "Purpose"), [row for row in rows if row[0] != "`__init__.py`"])


def _bands_table() -> str:
    ends = [*list(BANDS.values())[1:], 100.0]
    rows = [(f"`{name}`", f"{begin:g}", f"{end:g}") for (name, begin), end in zip(BANDS.items(), ends, strict=True)]
    return table(("Band", "From", "To"), rows)


def _states_table() -> str:
    return table(("State", "Shown as"), [(f"`{state}`", name) for state, name in SHOWN_AS.items()])


def _commands() -> str:
    root = typer.main.get_command(app)
    return "".join(_command(["hubbub"], root))


def _command(path: Sequence[str], command: Any) -> Iterator[str]:
    """Yield one section for ``command`` and for each command below it. (Any: typer has a click of its own.)"""
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    words = [*path, *(one.name.upper() + "…" * (one.nargs < 0) for one in arguments)]
    yield f"\n## {' '.join(path)}\n\n{' '.join(command.help.split())}\n"
    if inner:
        yield "\n" + ", ".join(f"[`{name}`](#{'-'.join([*path, name])})" for name in inner) + "\n"
    else:
        yield f"\n```\n{' '.join(words)}{' [OPTIONS]' if len(command.params) > len(arguments) else ''}\n```\n"
    if command.params:
        yield "\n" + table(("Argument or option", "Default", "Meaning"), [_parameter(one) for one in command.params])
    if command.epilog:
        yield f"\nExample: `{command.epilog.removeprefix('Example: ')}`\n"
    for name, one in inner.items():
        yield from _command([*path, name], one)


def _parameter(parameter: Any) -> tuple[str, str, str]:
    default = "required" if parameter.required else shown(parameter.default)
    names = (
        parameter.opts + parameter.secondary_opts if parameter.param_type_name == "option" else [parameter.name.upper()]
    )
    return " ".join(f"`{name}`" for name in names), default, parameter.help or ""


TABLES: dict[str, Callable[[], str]] = {
    "bands": _bands_table,
    "collectors": platform_pages.overview,
    "commands": _commands,
    "metrics": _metrics_table,
    "platforms_in_brief": platform_pages.brief,
    "scoring_files": _scoring_files_table,
    "scoring_settings": _scoring_settings_table,
    "settings": _settings_table,
    "states": _states_table,
    "topics": _topics_table,
    **{f"platform_{name}": partial(platform_pages.head, name) for name in platform_pages.PLATFORMS},
}


def main() -> None:
    """Write every generated part again."""
    for page in pages():
        page.write_text(render(page.read_text()))


if __name__ == "__main__":
    main()
