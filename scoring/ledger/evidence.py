"""Evidence: the few signals that each factor is traced back to.

Owns which signals are kept as evidence, of what, and in how many bytes. Must never know how a factor is computed.

For each subject, the signals with the largest amount in any one observation are kept. A maximum does not depend on
order or repetition.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from scoring.ledger.item import AUTHOR, COMMUNITY, LIKES, POST, REPLY, VIEWS, Item
from scoring.ledger.text import shorten
from scoring.observation import Reading, Signal
from scoring.settings import DEFAULT

AUDIENCE = "audience"
"""By people, at the default rates: one signal for each community, author or item that an audience is known from."""
VOTES = "votes"
"""By likes: items with a vote ratio."""
FAVOUR, AGAINST = "favour", "against"
"""By likes: positive replies, and negative ones."""
FIRST = "first on "
"""The earliest post on a platform; the platform's name follows."""
FIGURE = "figure "
"""The earliest signal that involves a public figure; the figure's id follows."""

KEPT = {AUDIENCE: 3, VOTES: 3, FAVOUR: 2, AGAINST: 2}
"""How many signals are kept, with their words. For any other subject one is kept, by its id alone."""
PER_SOURCE = {VIEWS: 1.0, COMMUNITY: DEFAULT.views_per_member, AUTHOR: DEFAULT.views_per_follower}
PER_LIKE, PER_OTHER_LIKE = DEFAULT.views_per_like, DEFAULT.other_views_per_like
MAX_FIGURES = 12
"""Figures traced, the first by alphabet."""
MAX_ID_BYTES = 96
MAX_NAME_BYTES = 64
MAX_PLATFORM_BYTES = 32
MAX_TITLE_BYTES = 100
MAX_PERMALINK_BYTES = 130


class Evidence(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """A signal and the amount it contributed. Its texts are untrusted: escape them.

    ``amount``: in the unit that the subject is ranked by. ``negated_ms``: minus the time of observation, so that of two
    equal amounts the earlier is the larger. ``key``: of the item, or of the community or author whose size it stated.
    ``detail``: the name of that community or author, or the item's share of up-votes; "" if there is none.
    """

    amount: float
    negated_ms: int
    key: int
    id: str
    platform: str
    detail: str = ""
    title: str = ""
    permalink: str = ""


class EvidenceSet:
    """The kept signals, by subject, then by key."""

    __slots__ = ("_floors", "kept")

    def __init__(self) -> None:
        self.kept: dict[str, dict[int, Evidence]] = {}
        self._floors: dict[str, tuple[float, int]] = {}
        """(amount, negated_ms) of the least signal of each full subject: what is smaller is not kept."""

    def take(self, signal: Signal, reading: Reading, item: Item, platform: str) -> None:
        """Keep ``signal``, observed as ``item`` on ``platform``, for each subject that it is among the largest of."""
        floors, negated_ms = self._floors, -signal.observed_ms
        # Most signals are not kept, so each is compared with the floor before anything is made of it.
        source = item.source
        if source:
            people = _people(source, item.audience, platform)
            floor = floors.get(AUDIENCE)
            if floor is None or (people, negated_ms) >= floor:
                self._offer_audience(signal, item, people)
        if item.kind == REPLY:
            if item.sentiment:
                what = FAVOUR if item.sentiment > 0 else AGAINST
                floor = floors.get(what)
                if floor is None or (item.likes, negated_ms) >= floor:
                    self._offer(what, item.likes, item.key, signal)
        elif item.kind == POST:
            what = FIRST + platform
            floor = floors.get(what)
            if floor is None or (-item.covered_ms, negated_ms) >= floor:
                self._offer(what, -item.covered_ms, item.key, signal)
        if item.like_ratio is not None:
            floor = floors.get(VOTES)
            if floor is None or (item.likes, negated_ms) >= floor:
                self._offer(VOTES, item.likes, item.key, signal, f"{item.like_ratio:.2f}")
        if reading.figures:
            for figure in reading.figures:
                self._offer(FIGURE + shorten(figure, MAX_NAME_BYTES), -item.covered_ms, item.key, signal)
            self._limit_figures()

    def merge(self, other: EvidenceSet) -> None:
        """Keep the largest of both."""
        for what, theirs in other.kept.items():
            for piece in theirs.values():
                self._keep(what, piece)
        self._limit_figures()

    def rewrite(self, piece: Callable[[str, Evidence], Evidence]) -> None:
        """Replace each kept signal by what ``piece`` makes of it, given its subject; amounts must stay."""
        for what, kept in self.kept.items():
            for key, old in kept.items():
                kept[key] = piece(what, old)

    def of(self, what: str) -> tuple[Evidence, ...]:
        """Return the evidence of the subject ``what``, the largest amount first."""
        return tuple(sorted(self.kept.get(what, {}).values(), reverse=True))

    def encode(self) -> dict[str, list[Evidence]]:
        """Return the encoded form."""
        return {what: list(kept.values()) for what, kept in self.kept.items()}

    @classmethod
    def decode(cls, stored: dict[str, list[Evidence]]) -> EvidenceSet:
        """Return the evidence that was encoded."""
        evidence = cls()
        for what, kept in stored.items():
            for piece in kept:
                evidence._keep(what, piece)
        return evidence

    def _limit_figures(self) -> None:
        for figure in sorted(what for what in self.kept if what.startswith(FIGURE))[MAX_FIGURES:]:
            del self.kept[figure], self._floors[figure]

    def _offer_audience(self, signal: Signal, item: Item, people: float) -> None:
        if item.source == COMMUNITY:
            name = None if signal.community is None else signal.community.name
            self._offer(AUDIENCE, people, item.community, signal, name)
        elif item.source == AUTHOR:
            self._offer(AUDIENCE, people, item.author, signal, None if signal.author is None else signal.author.name)
        else:
            self._offer(AUDIENCE, people, item.key, signal)

    def _offer(self, what: str, amount: float, key: int, signal: Signal, detail: str | None = None) -> None:
        kept = self.kept.get(what)
        old = None if kept is None else kept.get(key)
        if old is None or (amount, -signal.observed_ms) >= (old.amount, old.negated_ms):
            self._keep(what, _evidence_of(signal, amount, key, detail, worded=what in KEPT))

    def _keep(self, what: str, new: Evidence) -> None:
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
            self._floors[what] = least.amount, least.negated_ms


def _people(source: int, audience: int, platform: str) -> float:
    """Return how many people an ``audience`` from this kind of source stands for, at the default rates."""
    if source == LIKES:
        return audience * PER_LIKE.get(platform, PER_OTHER_LIKE)
    return audience * PER_SOURCE[source]


def _evidence_of(signal: Signal, amount: float, key: int, detail: str | None, *, worded: bool) -> Evidence:
    title, permalink = signal.title or signal.text or "", signal.permalink or ""
    return Evidence(
        amount,
        -signal.observed_ms,
        key,
        shorten(signal.id, MAX_ID_BYTES),
        shorten(signal.platform, MAX_PLATFORM_BYTES),
        shorten(detail or "", MAX_NAME_BYTES),
        shorten(title, MAX_TITLE_BYTES) if worded else "",
        shorten(permalink, MAX_PERMALINK_BYTES) if worded and len(permalink) <= MAX_PERMALINK_BYTES else "",
    )
