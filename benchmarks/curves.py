"""Curves on logarithmic axes, in SVG.

Owns the drawing. Must never know what the figures mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Panel", "draw"]

WIDTH, HEIGHT, GAP = 300, 190, 50
LEFT, TOP = 56, 40
COLOURS = ("#c2410c", "#1d4ed8", "#15803d")


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes. ``lines``: by name, one figure for each of ``at``. All are above 0."""

    title: str
    at: Sequence[float]
    lines: dict[str, Sequence[float]]


def draw(panels: Sequence[Panel]) -> str:
    """Return the panels side by side."""
    width = LEFT + len(panels) * (WIDTH + GAP + LEFT)
    drawn = "".join(_panel(panel, LEFT + number * (WIDTH + GAP + LEFT)) for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 80}" font-family="sans-serif"'
        f' font-size="12"><rect width="100%" height="100%" fill="#fff"/>{drawn}</svg>\n'
    )


def _panel(panel: Panel, left: int) -> str:
    figures = [figure for line in panel.lines.values() for figure in line]
    lowest, highest = math.floor(math.log10(min(figures))), math.ceil(math.log10(max(figures)))
    highest = max(highest, lowest + 1)
    first, last = math.log10(panel.at[0]), math.log10(panel.at[-1])

    def place(at: float, figure: float) -> tuple[float, float]:
        across = (math.log10(at) - first) / (last - first)
        up = (math.log10(figure) - lowest) / (highest - lowest)
        return left + across * WIDTH, TOP + (1 - up) * HEIGHT

    parts = [f'<text x="{left}" y="{TOP - 16}" font-weight="bold">{escape(panel.title)}</text>']
    for power in range(lowest, highest + 1):
        _, y = place(panel.at[0], 10.0**power)
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{_short(10.0**power)}</text>')
    for at in panel.at:
        x, _ = place(at, figures[0])
        parts.append(f'<text x="{x:.0f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{_short(at)}</text>')
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [place(at, figure) for at, figure in zip(panel.at, line, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(f'<text x="{left}" y="{TOP + HEIGHT + 38 + 16 * number}" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)


def _short(number: float) -> str:
    """Return a number in a short form for an axis.

    >>> [_short(number) for number in (0.01, 8, 1_000, 250_000, 1_000_000)]
    ['0.01', '8', '1k', '250k', '1M']
    """
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"
