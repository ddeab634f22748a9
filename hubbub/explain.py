"""Why a story's score is what it is, for people at a terminal.

Owns finding the story that was asked for, and how its explanation looks. What explains is
:mod:`streams.score.explaining`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from hubbub.errors import UserError
from hubbub.terminal import SHOWN_STATES, plain
from streams.score.explaining import FactorExplained
from streams.serve.records import NoiseScore

__all__ = ["find", "render"]


def find(wanted: str, scores: Mapping[str, NoiseScore]) -> NoiseScore:
    """Return the story with the slug or id ``wanted``.

    Raises:
        UserError: there is no such story.
    """
    score = scores.get(wanted) or next((score for score in scores.values() if score.slug == wanted), None)
    if score is None:
        near = [s.slug for s in scores.values() if wanted.lower() in s.slug or wanted.lower() in s.title.lower()][:3]
        hint = f"did you mean: {', '.join(near)}?" if near else "see: hubbub scores"
        raise UserError(f"no story {wanted!r}; {hint}")
    return score


def render(score: NoiseScore, explanation: Mapping[str, object]) -> Group:
    """Return the explanation of ``score`` for a terminal."""
    factors = msgspec.convert(explanation["factors"], dict[str, FactorExplained])
    head = Text.assemble(
        (f"{score.noise:.1f}", "bold"),
        f"  {score.band}, {SHOWN_STATES[score.state]}   ",
        (plain(score.title), "bold"),
    )
    scored = datetime.fromtimestamp(score.scored_ms / 1000, UTC)
    product = f"noise {score.noise:.2f} = raw {score.raw:.2f} × decay {score.decay:.4f}"
    most = max(factors, key=lambda name: factors[name].points_to_gain)
    gain = f"most could be gained by {most.replace('_', ' ')}: {factors[most].points_to_gain:.1f} points"
    return Group(
        head,
        Text(f"{product}, as of {scored:%Y-%m-%d %H:%M:%S} UTC", style="dim"),
        Text(),
        _factors_table(factors),
        Text(),
        _posts_table(score),
        Text(),
        Text(gain, style="dim"),
    )


def _factors_table(factors: Mapping[str, FactorExplained]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("factor", "value", "× weight", "= points", "from"):
        table.add_column(column, justify="left" if column in {"factor", "from"} else "right", overflow="fold")
    for name, factor in factors.items():
        inputs = ", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in factor.inputs.items())
        row = (name.replace("_", " "), f"{factor.value:.1f}", f"{factor.weight:.2f}", f"{factor.points:.2f}")
        table.add_row(*row, Text(plain(inputs), style="dim"))
    return table


def _posts_table(score: NoiseScore) -> Table:
    posts = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("interactions", "platform", "loudest posts"):
        posts.add_column(column, justify="right" if column == "interactions" else "left", overflow="fold")
    for post in score.top:
        posts.add_row(f"{post.interactions:,.0f}", plain(post.platform), Text(plain(post.title or post.id)))
    return posts


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_short(item)}" for key, item in value.items()) + ")"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)
