"""What scoring needs from a signal's text: the public figures in it, and the sentiment of a reply.

Owns which signals are read, and the registry of figures in use. Must never know how figures are matched, nor how a
sentiment is found: that is scoring's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ingest.signal import Signal
from scoring import UNREAD, FigureFileError, FigureIndex, Reading, Sentiment, Tier, sentiment
from transport.errors import UserError

_FELT_ALONE: dict[Sentiment | None, Reading] = {None: UNREAD, **{felt: Reading((), felt) for felt in (-1, 0, 1)}}
"""For signals without a public figure, which most are: by sentiment."""


class FiguresError(UserError, ValueError):
    """An operator's own file of public figures cannot be used. The message says what to fix."""


class Reader(Protocol):
    """Reads the texts of signals."""

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """The tier of each public figure it can find, by id."""

    def __call__(self, signal: Signal) -> Reading:
        """Return the reading of ``signal``."""


class TextReader:
    """Reads signals for the ledger."""

    def __init__(self, figures: FigureIndex) -> None:
        self._figures = figures

    @classmethod
    def load(cls, figures_file: Path | None = None) -> TextReader:
        """Return a reader with the registry of figures that ships, and the operator's own, which takes precedence.

        Raises:
            FiguresError: the file is not there, or not a registry.
        """
        if figures_file is None:
            return cls(FigureIndex.default())
        try:
            return cls(FigureIndex.default(figures_file.read_text(encoding="utf-8")))
        except OSError as error:
            raise FiguresError(f"score.figures_file {str(figures_file)!r}: {error.strerror}") from None
        except (FigureFileError, UnicodeDecodeError) as error:
            why = f"score.figures_file {str(figures_file)!r}: {error}; its fields are in docs/explanation/scoring.md"
            raise FiguresError(why) from None

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """The tier of each figure it can find, by id."""
        return self._figures.tiers

    def __call__(self, signal: Signal) -> Reading:
        """Return the reading of ``signal``. Only replies are reactions, so only they have a sentiment."""
        feeling = sentiment(signal.text, signal.lang) if signal.kind == "reply" and signal.text else None
        figures = self._figures.match(signal)
        return Reading(figures, feeling) if figures else _FELT_ALONE[feeling]
