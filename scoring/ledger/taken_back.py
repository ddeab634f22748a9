"""Taken back: the items of a story that their platform or author took back, and what is then kept of their words.

Owns which items those are. Must never know what an item counts: its counts stay.

Words of an observation are dropped if the item was taken back at that time or later. So neither the order of the
observations nor their repetition matters, and an item that is put back shows its words again.
"""

from collections.abc import Mapping

import msgspec

from scoring.ledger.evidence import AUDIENCE, Evidence
from scoring.ledger.identity import hashed
from scoring.ledger.top_candidates import TopCandidate

MAX_TAKEN_BACK = 64
"""Items remembered, those taken back last. Older ones have lost their words; only a late repeat would restore them."""


class TakenBack:
    """When items were taken back: UTC epoch ms of the latest observation that said so, by key."""

    __slots__ = ("at_ms",)

    def __init__(self, at_ms: Mapping[int, int] = {}) -> None:
        self.at_ms = dict(at_ms)

    def add(self, key: int, at_ms: int) -> None:
        """Take in that the item ``key`` was seen as taken back at ``at_ms``."""
        self.at_ms[key] = max(at_ms, self.at_ms.get(key, 0))
        if len(self.at_ms) > MAX_TAKEN_BACK:
            del self.at_ms[min(self.at_ms, key=lambda one: (self.at_ms[one], one))]

    def has(self, key: int, observed_ms: int) -> bool:
        """Return whether the words of the item ``key`` as of ``observed_ms`` were taken back."""
        return key in self.at_ms and observed_ms <= self.at_ms[key]

    def candidate(self, kept: TopCandidate) -> TopCandidate:
        """Return ``kept`` without its words if they were taken back."""
        if not self.has(kept.key, kept.observed_ms):
            return kept
        return msgspec.structs.replace(kept, title="", permalink="")

    def piece(self, what: str, kept: Evidence) -> Evidence:
        """Return a piece of evidence of the subject ``what`` without its words if they were taken back."""
        if not self.has(hashed(kept.id), -kept.negated_ms):
            return kept
        stripped = msgspec.structs.replace(kept, title="", permalink="")
        return msgspec.structs.replace(stripped, detail="") if what == AUDIENCE else stripped
