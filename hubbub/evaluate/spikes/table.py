"""What spike detectors were measured to do, as a table for a terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from hubbub.evaluate.spike_measure import Found, Measured

__all__ = ["trial_table"]

SHOWN_AS = {
    "hubbub": "Hubbub",
    "poisson": "(a) Poisson per bucket",
    "three_times": "(b) 3 × the week's mean",
    "hourly": "(c) hourly recalculation",
}
MOST_DELAY, MOST_FALSE = 1 / 3, 1 / 2
"""What is aimed at: of (c)'s median delay, and of (a)'s false alarms."""


def trial_table(name: str, measured: Measured) -> Group:
    """Return the table of one set of stories, and how ours stands against what is aimed at."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", width=max(map(len, SHOWN_AS.values())))
    for column in ("median delay", "missed", "false alarms", "a story-day"):
        table.add_column(column, justify="right")
    for detector, found in measured.detectors.items():
        delay = "—" if found.delay_minutes is None else _duration(found.delay_minutes)
        cells = (delay, f"{found.missed:,}", f"{found.false_alarms:,}", f"{found.false_per_story_day:.4f}")
        style = "bold" if detector == "hubbub" else ""
        table.add_row(Text(SHOWN_AS[detector], style=style), *(Text(cell, style=style) for cell in cells))
    head = Text.assemble(
        (name, "bold cyan"),
        (f"  {measured.surges:,} spikes in {measured.stories:,} stories, {measured.story_days:,.0f} story-days", "dim"),
    )
    return Group(head, table, _verdict(measured.detectors), Text())


def _verdict(found: dict[str, Found]) -> Text:
    """Return how ours stands against the others, each figure green where it is what is aimed at."""
    mine, poisson, hourly = found["hubbub"], found["poisson"], found["hourly"]
    verdict = Text()
    if mine.delay_minutes is not None and hourly.delay_minutes:
        share = mine.delay_minutes / hourly.delay_minutes
        verdict.append(f"{share:.2f} of (c)'s delay", style="green" if share <= MOST_DELAY else "red").append(", ")
    if poisson.false_alarms:
        share = mine.false_alarms / poisson.false_alarms
        verdict.append(f"{share:.2f} of (a)'s false alarms", style="green" if share <= MOST_FALSE else "red")
    else:
        verdict.append("(a) has no false alarms", style="green" if not mine.false_alarms else "red")
    least = min(other.missed for other in found.values())
    more = mine.missed - least
    verdict.append(", ").append(
        "none misses fewer" if not more else f"{more} more missed than the best", style="red" if more else "green"
    )
    return verdict


def _duration(minutes: float) -> str:
    return f"{minutes:.1f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
