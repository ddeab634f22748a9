"""Why a story has its score, on a terminal.

Owns how the explanation looks. :mod:`streams.score.explaining` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from hubbub.cli.output import plain_table, strip_controls
from hubbub.clock import format_age
from hubbub.operate.matches import MatchReason
from ingest.signal import EARLIEST_MS, LATEST_MS
from scoring.lifecycle import SHOWN_AS
from streams.records.noise_score import NoiseScore
from streams.score.explaining import Explained

SHOWN_NAMES = 5
"""Figures and platforms whose evidence is listed; JSON has all."""


def render(score: NoiseScore, explained: Explained, matches: Mapping[str, MatchReason]) -> Group:
    """Return the explanation of ``score`` for a terminal. ``matches``: why its posts are in the story, by their ids."""
    head = Text.assemble(
        (f"{score.noise:.1f}", "bold"),
        f"  {score.band}, {SHOWN_AS[score.state]}{f', {strip_controls(score.category)}' if score.category else ''}   ",
        (strip_controls(score.title), "bold"),
    )
    scored = datetime.fromtimestamp(score.scored_ms / 1000, UTC)
    silence = format_age(score.scored_ms - score.last_coverage_ms)
    product = (
        f"noise {score.noise:.2f} = raw {score.raw:.2f} × decay {score.decay:.4f} ({silence} since its last coverage)"
    )
    return Group(
        head,
        Text(f"{product}, as of {scored:%Y-%m-%d %H:%M:%S} UTC", style="dim"),
        Text(),
        _factors_table(explained),
        *_people(explained),
        Text(),
        _evidence_table(score, explained),
        Text(),
        *_matches(score, matches),
        _raises_table(explained),
    )


def _people(explained: Explained) -> list[Text]:
    """Return one line of whom and what the story consists; none if an earlier version made the score."""
    shown = [f"{_words(key)} {_shown(key, value)}" for key, value in explained.people.items()]
    return [Text(strip_controls("people: " + ", ".join(shown)))] if shown else []


def _factors_table(explained: Explained) -> Table:
    table = plain_table("factor", "> value", "> × weight", "> = points", "from")
    for name, factor in explained.factors.items():
        inputs = [
            f"{_words(key)} {_shown(key, value)}" for key, value in factor.inputs.items() if _is_shown(key, value)
        ]
        row = (_words(name), f"{factor.value:.1f}", f"{factor.weight:.2f}", f"{factor.points:.2f}")
        shown = strip_controls(", ".join(inputs)) or "nothing seen yet"
        table.add_row(*row, Text.assemble(shown, "\n", (factor.how, "dim")))
    return table


def _is_shown(key: str, value: object) -> bool:
    """Return whether an input is worth showing: no evidence, not empty, and not the default."""
    return key not in _EVIDENCE and bool(value) and key not in {"exact", "assessed"}


_EVIDENCE = {
    "widest": "reach",
    "most_voted": "votes",
    "most_liked_for": "for",
    "most_liked_against": "against",
    "first_named_in": "named in",
    "first_posts": "first on",
}
"""Inputs that name posts, and what these posts are evidence of."""


def _evidence_table(score: NoiseScore, explained: Explained) -> Table:
    """Return the posts that contributed most, by what they contributed."""
    table = plain_table("for", "> it gave", "platform", "post")
    titles = {post.id: post.title or "" for post in score.top}
    for post in score.top:
        _add_post(table, "interactions", f"{post.interactions:,.0f}", post.platform, post.title or post.id)
    for name, factor in explained.factors.items():
        for key, value in factor.inputs.items():
            if key not in _EVIDENCE:
                continue
            if isinstance(value, dict):
                for what, signal in list(value.items())[:SHOWN_NAMES]:
                    words = titles.get(str(signal)) or str(signal)
                    _add_post(table, _words(name), f"{_EVIDENCE[key]} {what}", str(signal).partition(":")[0], words)
            elif isinstance(value, list):
                for item in _known(value):
                    _add_post(table, _EVIDENCE[key], item.gave(), item.platform, item.title or item.id)
    return table


def _matches(score: NoiseScore, matches: Mapping[str, MatchReason]) -> list[Table | Text]:
    """Return why the loudest posts are in the story; nothing if that is unknown."""
    table = plain_table("in the story since it", "post")
    for post in score.top:
        if (match := matches.get(post.id)) is not None:
            why = f"{MATCHED_BY.get(match.by, match.by)} {', '.join(match.because)}".rstrip()
            table.add_row(Text(strip_controls(why), style="dim"), Text(strip_controls(post.title or post.id)))
    return [table, Text()] if table.row_count else []


MATCHED_BY = {
    "new": "began a story",
    "url": "shares the link",
    "near_duplicate": "has the same words",
    "similar": "shares the words",
    "operator": "was put there by an operator",
}
"""What decided, in words."""


def _known(posts: list[object]) -> list[_Evidence]:
    """Return ``posts`` in a known form, else none: inputs are free in form, and may be of another version."""
    try:
        return msgspec.convert(posts, list[_Evidence])
    except msgspec.ValidationError:
        return []


class _Evidence(msgspec.Struct, frozen=True):
    """A post among the inputs of a factor."""

    id: str
    platform: str
    title: str = ""
    people: float | None = None
    of: str = ""
    likes: float | None = None
    like_ratio: float | None = None

    def gave(self) -> str:
        """Return its contribution in words."""
        if self.people is not None:
            return f"{self.people:,.0f} people" + (f" by {self.of}" if self.of else "")
        votes = f"{self.likes or 0:,.0f} likes"
        return votes if self.like_ratio is None else f"{votes}, {self.like_ratio:.0%} up"


def _add_post(table: Table, what: str, gave: str, platform: str, words: str) -> None:
    table.add_row(Text(what, style="dim"), *(Text(strip_controls(cell)) for cell in (gave, platform, words)))


def _raises_table(explained: Explained) -> Table:
    table = plain_table("> points", "what would raise it most now")
    for one in explained.raises:
        if one.points < 0.005:
            break
        table.add_row(f"+{one.points:.2f}", one.change)
    return table


def _words(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _shown(name: str, value: object) -> str:
    """Return one input in words. A name with ``_ms`` is a point in time or a duration."""
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_shown('', item)}" for key, item in value.items() if item) + ")"
    if isinstance(value, list):
        return ", ".join(_shown("", item) for item in value)
    if not isinstance(value, (int, float)):
        return str(value)
    if not name.endswith("_ms"):
        return f"{value:,.2f}".removesuffix(".00")
    if value < EARLIEST_MS:  # a duration, not a point in time
        return format_age(int(value))
    return f"{datetime.fromtimestamp(min(value, LATEST_MS) / 1000, UTC):%Y-%m-%d %H:%M}"
