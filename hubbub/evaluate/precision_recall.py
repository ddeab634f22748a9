"""Precision and recall, counted over single decisions.

Owns the counts and what follows from them. Must never know what was decided. A ratio without a case is unknown (None).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Counts of decisions: right ones, wrong ones (``false``), and cases that were not found (``missed``).

    >>> counts = PrecisionRecall(right=3, false=1, missed=3)
    >>> counts.precision, counts.recall, counts.f1
    (0.75, 0.5, 0.6)
    >>> PrecisionRecall(right=0, false=0, missed=2).precision is None
    True
    """

    right: int
    false: int
    missed: int

    @property
    def precision(self) -> float | None:
        """The share of what was found that is right; None if nothing was found."""
        return _share(self.right, self.right + self.false)

    @property
    def recall(self) -> float | None:
        """The share of what there is to find that was found; None if there is nothing to find."""
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None if there was nothing to find and nothing was found."""
        return _share(2 * self.right, 2 * self.right + self.false + self.missed)

    def __add__(self, other: PrecisionRecall) -> PrecisionRecall:
        """Return the counts of both together."""
        return PrecisionRecall(self.right + other.right, self.false + other.false, self.missed + other.missed)

    def ratios(self) -> dict[str, float | None]:
        """Return the three ratios by name."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
