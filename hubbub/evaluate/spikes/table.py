"""Results of spike detectors, as a table for a terminal.

Owns the layout and the targets that are shown green or red. Must never know how anything is result.
"""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from hubbub.evaluate.spikes.measure import DetectorResult, TrialResult

SHOWN_AS = {
    "hubbub": "Hubbub",
    "poisson": "(a) Poisson per bucket",
    "three_times": "(b) 3 × the week's mean",
    "hourly": "(c) hourly recalculation",
}
MAX_DELAY, MAX_FALSE = 1 / 3, 1 / 2
"""The targets, as shares of (c)'s median delay and of (a)'s false alarms."""


def trial_table(name: str, result: TrialResult) -> Group:
    """Return the table of one set of stories, and how our detector compares with the targets."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", width=max(map(len, SHOWN_AS.values())))
    for column in ("median delay", "missed", "false alarms", "a story-day"):
        table.add_column(column, justify="right")
    for detector, one in result.detectors.items():
        delay = "—" if one.delay_minutes is None else _duration(one.delay_minutes)
        cells = (delay, f"{one.missed:,}", f"{one.false_alarms:,}", f"{one.false_per_story_day:.4f}")
        style = "bold" if detector == "hubbub" else ""
        table.add_row(Text(SHOWN_AS[detector], style=style), *(Text(cell, style=style) for cell in cells))
    head = Text.assemble(
        (name, "bold cyan"),
        (f"  {result.surges:,} spikes in {result.stories:,} stories, {result.story_days:,.0f} story-days", "dim"),
    )
    return Group(head, table, _verdict(result.detectors), Text())


def _verdict(results: dict[str, DetectorResult]) -> Text:
    """Return how our detector compares with the others; a number that meets its target is green."""
    mine, poisson, hourly = results["hubbub"], results["poisson"], results["hourly"]
    verdict = Text()
    if mine.delay_minutes is not None and hourly.delay_minutes:
        share = mine.delay_minutes / hourly.delay_minutes
        verdict.append(f"{share:.2f} of (c)'s delay", style="green" if share <= MAX_DELAY else "red").append(", ")
    if poisson.false_alarms:
        share = mine.false_alarms / poisson.false_alarms
        verdict.append(f"{share:.2f} of (a)'s false alarms", style="green" if share <= MAX_FALSE else "red")
    else:
        verdict.append("(a) has no false alarms", style="green" if not mine.false_alarms else "red")
    least = min(other.missed for other in results.values())
    more = mine.missed - least
    verdict.append(", ").append(
        "none misses fewer" if not more else f"{more} more missed than the best", style="red" if more else "green"
    )
    return verdict


def _duration(minutes: float) -> str:
    return f"{minutes:.1f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
