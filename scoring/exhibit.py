"""Exhibit: the few signals that each factor is traced back to.

Owns which signals are kept as evidence, of what, and in how many bytes. Must never know what a factor makes of them.

Of each thing, the signals with the largest measure in any one observation are kept: a maximum, so order and repetition
do not matter.
"""

from __future__ import annotations

import msgspec

from scoring.item import AUTHOR, COMMUNITY, LIKES, POST, REPLY, VIEWS, Item
from scoring.loud import shorten
from scoring.observation import Reading, Signal
from scoring.settings import DEFAULT

__all__ = ["AGAINST", "AUDIENCE", "FAVOUR", "FIGURE", "FIRST", "VOTES", "Exhibit", "Exhibits"]

AUDIENCE = "audience"
"""By people, at the default rates: one signal for each community, author or item that is the source of an audience."""
VOTES = "votes"
"""By likes: items with a ratio of votes."""
FAVOUR, AGAINST = "favour", "against"
"""By likes: replies that are for, or against."""
FIRST = "first on "
"""The earliest post on a platform, whose name follows."""
FIGURE = "figure "
"""The earliest signal that involves a public figure, whose id follows."""

KEPT = {AUDIENCE: 3, VOTES: 3, FAVOUR: 2, AGAINST: 2}
"""How many, with their words; of anything else one, of which only the id is kept."""
PER_SOURCE = {VIEWS: 1.0, COMMUNITY: DEFAULT.views_per_member, AUTHOR: DEFAULT.views_per_follower}
PER_LIKE, PER_OTHER_LIKE = DEFAULT.views_per_like, DEFAULT.other_views_per_like
MAX_FIGURES = 16
"""The first in the alphabet."""
MAX_ID_BYTES = 96
MAX_NAME_BYTES = 64
MAX_TITLE_BYTES = 100
MAX_PERMALINK_BYTES = 160


class Exhibit(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """A signal and what it gave, in the measure that it is kept by. Its texts are a stranger's: escape them.

    ``minus_ms``: minus the time of its observation, so that of two that gave as much the earlier is the larger.
    ``key``: of the item, or of the community or author whose size it told. ``of``: that one's name, or the item's share
    of up-votes; "" if there is nothing to say.
    """

    gave: float
    minus_ms: int
    key: int
    id: str
    platform: str
    of: str = ""
    title: str = ""
    permalink: str = ""


class Exhibits:
    """The signals kept, by what they are evidence of, then by key."""

    __slots__ = ("_floors", "kept")

    def __init__(self) -> None:
        self.kept: dict[str, dict[int, Exhibit]] = {}
        self._floors: dict[str, tuple[float, int]] = {}
        """What gives less, or as much and later, is none of the kept: set where there is no room for more."""

    def take(self, signal: Signal, reading: Reading, item: Item, platform: str) -> None:
        """Keep ``signal``, which is observed as ``item`` on ``platform``, wherever it is among the most telling."""
        floors, minus_ms = self._floors, -signal.observed_ms
        # Most signals are none of the most telling, so that is asked of each before anything is made of it.
        source = item.source
        if source:
            people = _people(source, item.audience, platform)
            floor = floors.get(AUDIENCE)
            if floor is None or (people, minus_ms) >= floor:
                self._offer_audience(signal, item, people)
        if item.kind == REPLY:
            if item.sentiment:
                what = FAVOUR if item.sentiment > 0 else AGAINST
                floor = floors.get(what)
                if floor is None or (item.likes, minus_ms) >= floor:
                    self._offer(what, item.likes, item.key, signal)
        elif item.kind == POST:
            what = FIRST + platform
            floor = floors.get(what)
            if floor is None or (-item.covered_ms, minus_ms) >= floor:
                self._offer(what, -item.covered_ms, item.key, signal)
        if item.like_ratio is not None:
            floor = floors.get(VOTES)
            if floor is None or (item.likes, minus_ms) >= floor:
                self._offer(VOTES, item.likes, item.key, signal, f"{item.like_ratio:.2f}")
        if reading.figures:
            for figure in reading.figures:
                self._offer(FIGURE + shorten(figure, MAX_NAME_BYTES), -item.covered_ms, item.key, signal)
            self._limit_figures()

    def merge(self, other: Exhibits) -> None:
        """Keep the most telling of both."""
        for what, theirs in other.kept.items():
            for exhibit in theirs.values():
                self._keep(what, exhibit)
        self._limit_figures()

    def of(self, what: str) -> tuple[Exhibit, ...]:
        """Return what is evidence of ``what``, the most telling first."""
        return tuple(sorted(self.kept.get(what, {}).values(), reverse=True))

    def encode(self) -> dict[str, list[Exhibit]]:
        """Return the encoded form."""
        return {what: list(kept.values()) for what, kept in self.kept.items()}

    @classmethod
    def decode(cls, stored: dict[str, list[Exhibit]]) -> Exhibits:
        """Return the exhibits that were encoded."""
        exhibits = cls()
        for what, kept in stored.items():
            for exhibit in kept:
                exhibits._keep(what, exhibit)
        return exhibits

    def _limit_figures(self) -> None:
        for figure in sorted(what for what in self.kept if what.startswith(FIGURE))[MAX_FIGURES:]:
            del self.kept[figure], self._floors[figure]

    def _offer_audience(self, signal: Signal, item: Item, people: float) -> None:
        if item.source == COMMUNITY:
            of = None if signal.community is None else signal.community.name
            self._offer(AUDIENCE, people, item.community, signal, of)
        elif item.source == AUTHOR:
            self._offer(AUDIENCE, people, item.author, signal, None if signal.author is None else signal.author.name)
        else:
            self._offer(AUDIENCE, people, item.key, signal)

    def _offer(self, what: str, gave: float, key: int, signal: Signal, of: str | None = None) -> None:
        kept = self.kept.get(what)
        old = None if kept is None else kept.get(key)
        if old is None or (gave, -signal.observed_ms) >= (old.gave, old.minus_ms):
            self._keep(what, _exhibit(signal, gave, key, of, worded=what in KEPT))

    def _keep(self, what: str, new: Exhibit) -> None:
        kept = self.kept.setdefault(what, {})
        old = kept.get(new.key)
        if old is not None and new <= old:
            return
        kept[new.key] = new
        most = KEPT.get(what, 1)
        if len(kept) > most:
            del kept[min(kept.values()).key]
        if len(kept) == most:
            least = min(kept.values())
            self._floors[what] = least.gave, least.minus_ms


def _people(source: int, audience: int, platform: str) -> float:
    """Return how many people an ``audience`` from that source stands for."""
    if source == LIKES:
        return audience * PER_LIKE.get(platform, PER_OTHER_LIKE)
    return audience * PER_SOURCE[source]


def _exhibit(signal: Signal, gave: float, key: int, of: str | None, *, worded: bool) -> Exhibit:
    title, permalink = signal.title or signal.text or "", signal.permalink or ""
    return Exhibit(
        gave,
        -signal.observed_ms,
        key,
        shorten(signal.id, MAX_ID_BYTES),
        shorten(signal.platform, MAX_NAME_BYTES),
        shorten(of or "", MAX_NAME_BYTES),
        shorten(title, MAX_TITLE_BYTES) if worded else "",
        shorten(permalink, MAX_PERMALINK_BYTES) if worded and len(permalink) <= MAX_PERMALINK_BYTES else "",
    )
