"""Who says how much hangs on a story, and when he is asked again.

Owns the assessors that a worker may be set to use. Each is a pure function of a story's ledger, so that a replay comes
to the same impact; how texts are read is scoring's (:mod:`scoring.impact`).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

import msgspec

from scoring import Assessment, Assessor, Ledger
from scoring.impact import OfflineAssessor
from streams.score.config import ScoreConfig

__all__ = ["OfflineStories", "StoryAssessor", "make_assessor", "unassessed"]


class StoryAssessor(Protocol):
    """Says what hangs on a story."""

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return what holds at ``at_ms``: the ledger's own assessment, if what it rests on is still so; None: nothing.

        ``story``: its id. Called at every tick at which the story is decided on, so the usual answer must be quick.
        """
        ...


def unassessed(story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
    """Say nothing of any story: its impact is the middle of the scale, its category unknown."""
    del story, ledger, at_ms
    return None


class OfflineStories:
    """Assesses stories by their loudest titles, anew whenever those have changed."""

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return the assessment of the titles that are the loudest now; None: there are no words yet."""
        del story
        titles = [title for title in ledger.titles() if title]
        if not titles:
            return None
        basis = int.from_bytes(blake2b("\n".join(titles).encode(), digest_size=8).digest())
        held = ledger.assessment
        if held is not None and held.basis == basis:
            return held
        return msgspec.structs.replace(self._assessor.assess(titles, at_ms), basis=basis)


def make_assessor(config: ScoreConfig) -> StoryAssessor:
    """Return the assessor that is set; the offline one takes about a second."""
    return unassessed if config.assessor == "none" else OfflineStories(OfflineAssessor())
