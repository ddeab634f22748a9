"""Why a story has its score, on a terminal.

Owns how the explanation looks. :mod:`streams.score.explaining` makes it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from hubbub.cli.control_characters import strip_controls
from hubbub.cli.ranking import SHOWN_STATES
from hubbub.clock import format_age
from streams.records.noise_score import NoiseScore
from streams.score.explaining import Explained

__all__ = ["render"]

EARLIEST_MS = 946_684_800_000
"""A number of milliseconds from here on (the year 2000) is a moment, below a length of time."""


SHOWN_NAMES = 5
"""Figures and platforms that are traced on a terminal; JSON has all."""


def render(score: NoiseScore, explained: Explained) -> Group:
    """Return the explanation of ``score`` for a terminal."""
    head = Text.assemble(
        (f"{score.noise:.1f}", "bold"),
        f"  {score.band}, {SHOWN_STATES[score.state]}{f', {score.category}' if score.category else ''}   ",
        (strip_controls(score.title), "bold"),
    )
    scored = datetime.fromtimestamp(score.scored_ms / 1000, UTC)
    silence = format_age(score.scored_ms - score.last_coverage_ms)
    product = (
        f"noise {score.noise:.2f} = raw {score.raw:.2f} × decay {score.decay:.4f} ({silence} since it was last covered)"
    )
    return Group(
        head,
        Text(f"{product}, as of {scored:%Y-%m-%d %H:%M:%S} UTC", style="dim"),
        Text(),
        _factors_table(explained),
        Text(),
        _traces(score, explained),
        Text(),
        _raises_table(explained),
    )


def _factors_table(explained: Explained) -> Table:
    table = _table("factor", "> value", "> × weight", "> = points", "from")
    for name, factor in explained.factors.items():
        inputs = [f"{_words(key)} {_shown(key, value)}" for key, value in factor.inputs.items() if _is_said(key, value)]
        row = (_words(name), f"{factor.value:.1f}", f"{factor.weight:.2f}", f"{factor.points:.2f}")
        said = strip_controls(", ".join(inputs)) or "nothing seen yet"
        table.add_row(*row, Text.assemble(said, "\n", (factor.how, "dim")))
    return table


def _is_said(key: str, value: object) -> bool:
    """Return whether an input is worth a word: it is no signal, not nothing, and not simply as usual."""
    return key not in _TRACES and bool(value) and key not in {"exact", "assessed"}


_TRACES = {
    "widest": "reach",
    "most_voted": "votes",
    "most_liked_for": "for",
    "most_liked_against": "against",
    "first_named_in": "named in",
    "first_posts": "first on",
}
"""Inputs that are signals, and what those are evidence of."""


def _traces(score: NoiseScore, explained: Explained) -> Table:
    """Return the posts that gave most, by what they gave."""
    table = _table("for", "> it gave", "platform", "post")
    titles = {post.id: post.title or "" for post in score.top}
    for post in score.top:
        _add_post(table, "interactions", f"{post.interactions:,.0f}", post.platform, post.title or post.id)
    for name, factor in explained.factors.items():
        for key, value in factor.inputs.items():
            if key not in _TRACES:
                continue
            if isinstance(value, dict):
                for what, signal in list(value.items())[:SHOWN_NAMES]:
                    words = titles.get(str(signal)) or str(signal)
                    _add_post(table, _words(name), f"{_TRACES[key]} {what}", str(signal).partition(":")[0], words)
            elif isinstance(value, list):
                for trace in _known(value):
                    _add_post(table, _TRACES[key], trace.gave(), trace.platform, trace.title or trace.id)
    return table


def _known(traces: list[object]) -> list[_Trace]:
    """Return what is understood of ``traces``: inputs are free in form, and may be of another version."""
    try:
        return msgspec.convert(traces, list[_Trace])
    except msgspec.ValidationError:
        return []


class _Trace(msgspec.Struct, frozen=True):
    """A signal among the inputs of a factor."""

    id: str
    platform: str
    title: str = ""
    people: float | None = None
    of: str = ""
    likes: float | None = None
    like_ratio: float | None = None

    def gave(self) -> str:
        """Return what it gave, in words."""
        if self.people is not None:
            return f"{self.people:,.0f} people" + (f" by {self.of}" if self.of else "")
        votes = f"{self.likes or 0:,.0f} likes"
        return votes if self.like_ratio is None else f"{votes}, {self.like_ratio:.0%} up"


def _add_post(table: Table, what: str, gave: str, platform: str, words: str) -> None:
    table.add_row(
        Text(what, style="dim"), Text(strip_controls(gave)), Text(strip_controls(platform)), Text(strip_controls(words))
    )


def _raises_table(explained: Explained) -> Table:
    table = _table("> points", "what would raise it most now")
    for one in explained.raises:
        if one.points < 0.005:
            break
        table.add_row(f"+{one.points:.2f}", one.change)
    return table


def _table(*columns: str) -> Table:
    """Return a table without lines; a column that begins with ``>`` is set to the right."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        right = column.startswith("> ")
        table.add_column(column.removeprefix("> "), justify="right" if right else "left", overflow="fold")
    return table


def _words(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _shown(name: str, value: object) -> str:
    """Return one input in words: ``_ms`` is a time, or a length of time."""
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_shown('', item)}" for key, item in value.items() if item) + ")"
    if isinstance(value, list):
        return ", ".join(_shown("", item) for item in value)
    if not isinstance(value, (int, float)):
        return str(value)
    if not name.endswith("_ms"):
        return f"{value:,.2f}".removesuffix(".00")
    return (
        format_age(int(value)) if value < EARLIEST_MS else f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M}"
    )
