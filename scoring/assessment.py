"""Assessment: what a story is about and how much hangs on it.

Owns the shape of an assessor's answer and the interface of an assessor. Must never know how the answer is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

__all__ = ["Assessment", "Assessor", "Category"]

Category = Literal[
    "labor", "safety", "privacy", "copyright", "policy", "business", "product", "research", "security", "other"
]


class Assessment(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """An assessor's answer; later ones are larger. ``impact``: the assessed consequence for the industry, 0 to 100.

    ``basis``: a number that stands for what was read and by whom, so that it is known when to ask anew; 0: not told.
    """

    assessed_ms: int
    impact: float
    category: Category
    basis: int = 0


class Assessor(Protocol):
    """Reads a story's texts and says how much hangs on it."""

    def assess(self, texts: Sequence[str], at_ms: int) -> Assessment:
        """Return the assessment of a story whose signals say ``texts`` (the loudest first)."""
        ...
