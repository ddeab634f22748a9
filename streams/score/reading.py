"""What scoring wants to know of a signal's text: the public figures involved, and how a reply feels about it.

Owns which signals are worth reading, and the registry of figures that is used. How figures are matched and feelings
judged is scoring's.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.signal import Signal
from scoring import FigureIndex, Reading, Tier, sentiment

__all__ = ["TextReader"]


class TextReader:
    """Reads signals for the ledger."""

    def __init__(self, figures: FigureIndex) -> None:
        self._figures = figures

    @classmethod
    def default(cls) -> TextReader:
        """Return a reader with the registry of figures that ships with scoring."""
        return cls(FigureIndex.default())

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """The tier of each figure it can find, by id."""
        return self._figures.tiers

    def __call__(self, signal: Signal) -> Reading:
        """Return what the text of ``signal`` says. Only replies are reactions, so only they have a sentiment."""
        feeling = sentiment(signal.text, signal.lang) if signal.kind == "reply" else None
        return Reading(figures=self._figures.match(signal), sentiment=feeling)
