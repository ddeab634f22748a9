"""The comparison as a table, as JSON and as a picture.

Owns how figures are shown. Must never know how they were measured.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.metadata import version
from pathlib import Path

__all__ = ["ResultRow", "machine", "plot", "table", "write_json"]

BAR_WIDTH = 460
BAR_HEIGHT = 22
LABEL_WIDTH = 200


@dataclass(slots=True)
class ResultRow:
    """The figures of one participant. Rates in signals/s and CPU seconds per million signals, by round.

    ``faults``: where its results are wrong. ``left_out``: why it could not be measured.
    """

    name: str
    title: str
    rates: dict[str, float] = field(default_factory=dict)
    cpu_per_million: dict[str, float] = field(default_factory=dict)
    p50_ms: float | None = None
    p99_ms: float | None = None
    peak_bytes: int = 0
    faults: list[str] = field(default_factory=list)
    left_out: str = ""


def machine() -> dict[str, object]:
    """Return the facts that the figures depend on."""
    cpu = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) // 1024 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "memory_mib": memory[0] if memory else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("faust-streaming", "aiokafka", "msgspec", "uvloop")},
        "load_before": os.getloadavg(),
    }


def table(rows: Iterable[ResultRow]) -> str:
    """Return the figures as a Markdown table. The ratio is Hubbub's rate to the participant's without texts."""
    rows = list(rows)
    ours = next((row.rates.get("plain") for row in rows if row.name == "hubbub"), None)
    lines = [
        "| | signals/s | Hubbub is | CPU-s per million | with texts | 10 % relevant | p50 | p99 | memory | results |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        rate = row.rates.get("plain")
        cells = [
            row.title,
            _number(rate),
            f"{ours / rate:.1f}×" if ours and rate else "",
            _number(row.cpu_per_million.get("plain")),
            _number(row.rates.get("all")),
            _number(row.rates.get("tenth")),
            _number(row.p50_ms, " ms"),
            _number(row.p99_ms, " ms"),
            _number(row.peak_bytes / 2**20 if row.peak_bytes else None, " MiB"),
            _verdict(row),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_json(file: Path, rows: Sequence[ResultRow], facts: dict[str, object], signals: int) -> None:
    """Write all figures and the facts they depend on."""
    told = {"machine": facts, "load_after": os.getloadavg(), "signals": signals, "rows": [asdict(row) for row in rows]}
    file.write_text(json.dumps(told, indent=1) + "\n")


def plot(rows: Iterable[ResultRow]) -> str:
    """Return the rates as bars, in SVG."""
    shown = [(row.title, rate) for row in rows if (rate := row.rates.get("plain"))]
    most = max((rate for _, rate in shown), default=1.0)
    bars = []
    for index, (title, rate) in enumerate(shown):
        top, width = 40 + index * (BAR_HEIGHT + 8), max(1.0, BAR_WIDTH * rate / most)
        colour = "#c2410c" if title == "Hubbub" else "#94a3b8"
        bars.append(
            f'<text x="{LABEL_WIDTH - 8}" y="{top + 15}" text-anchor="end">{escape(title)}</text>'
            f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width:.0f}" height="{BAR_HEIGHT}" fill="{colour}"/>'
            f'<text x="{LABEL_WIDTH + width + 6:.0f}" y="{top + 15}">{rate:,.0f}</text>'
        )
    height = 56 + len(shown) * (BAR_HEIGHT + 8)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL_WIDTH + BAR_WIDTH + 90}" height="{height}" '
        'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{LABEL_WIDTH}" y="24" font-weight="bold">Signals a second</text>{"".join(bars)}</svg>\n'
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    return f"{value:,.0f}{unit}" if value >= 10 else f"{value:.1f}{unit}"


def _verdict(row: ResultRow) -> str:
    if row.left_out:
        return f"left out: {row.left_out}"
    if row.faults:
        return f"{len(row.faults)} wrong: {row.faults[0]}"
    return "equal" if row.name != "floor" else ""
