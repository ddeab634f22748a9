"""The ranking on a terminal.

Owns how stories look there. Titles are by untrusted users: they are shown as text, without control characters.
"""

from collections.abc import Mapping, Sequence
from itertools import compress

from rich.table import Column, Table
from rich.text import Text

from hubbub.cli.output import strip_controls
from hubbub.clock import format_age
from scoring.band import BANDS
from scoring.lifecycle import SHOWN_AS
from streams.records.noise_score import NoiseScore

BAND_STYLES = dict(zip(BANDS, ("dim", "cyan", "yellow", "bright_red", "bold bright_red"), strict=True))
BAR_CELLS = 10
WIDE = 110
"""From this width in characters, a terminal has room for every column but the bars."""
BARS = 130
"""From this width, it has room for the bars too."""


def ranking(scores: Mapping[str, NoiseScore], top: int) -> list[NoiseScore]:
    """Return the ``top`` loudest stories, loudest first; equally loud ones by id."""
    return sorted(scores.values(), key=lambda score: (-score.noise, score.story))[:top]


def ranking_table(ranked: Sequence[NoiseScore], now_ms: int, width: int) -> Table:
    """Return the ranking as a table ``width`` characters wide. ``now_ms``: ages count from this time, UTC epoch ms.

    On a narrow terminal, other columns are left out so that titles keep their room.
    """
    wide, bars = width >= WIDE, width >= BARS
    columns = [
        Column("#", justify="right", width=2),
        Column("noise", justify="right", width=5),
        Column("", width=BAR_CELLS),
        Column("state", width=17 if wide else 8, no_wrap=True),
        Column("story", ratio=1, no_wrap=True),
        Column("category", width=9, no_wrap=True),
        Column("platforms", max_width=22, no_wrap=True),
        Column("items", justify="right", width=6),
        Column("/h", justify="right", width=5),
        Column("last", justify="right", width=6),
    ]
    shown = (True, True, bars, True, True, wide, wide, True, wide, True)
    table = Table(*compress(columns, shown), box=None, header_style="dim", pad_edge=False, width=width)
    for place, score in enumerate(ranked, 1):
        style = BAND_STYLES[score.band]
        cells = round(score.noise / 100 * BAR_CELLS)
        row = [
            Text(str(place), style="dim"),
            Text(f"{score.noise:.1f}", style=style),
            Text("█" * cells, style=style) + Text("░" * (BAR_CELLS - cells), style="dim"),
            Text(SHOWN_AS[score.state]),
            Text(strip_controls(score.title)),
            Text(strip_controls(score.category or ""), style="dim"),
            Text(strip_controls(" ".join(score.platforms)), style="dim"),
            Text(f"{sum(share.items for share in score.platforms.values()):,.0f}"),
            Text(f"{score.velocity_per_hour:.0f}", style="dim"),
            Text(format_age(now_ms - score.last_coverage_ms), style="dim"),
        ]
        table.add_row(*compress(row, shown))
    return table
