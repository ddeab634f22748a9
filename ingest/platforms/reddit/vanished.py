"""Vanished things: shown by a listing before, and no longer, although older ones still are.

Owns that comparison. Reddit leaves what was deleted or removed out of its listings, and says no more about it. Must
never know why a thing has vanished, nor what becomes of it. Pure: the order of a listing decides, no clock.
"""

from collections.abc import Sequence
from typing import Final

MAX_SHARE: Final = 0.2
"""Of the compared things. When more vanish at once the listing is incomplete, as Reddit's are at times."""
FEW: Final = 3
"""So many may always vanish at once: a share of a short listing says little."""


def is_implausible(missing: int, compared: int) -> bool:
    """Return whether so many are missing that the answer is incomplete, rather than that all of them are gone."""
    return missing > max(FEW, MAX_SHARE * compared)


class Vanished:
    """Compares each page sequence of one listing with the one before it.

    ``confirmations``: in how many comparisons in a row a thing must be missing.

    >>> vanished = Vanished(confirmations=1)
    >>> vanished.update(["d", "c", "b", "a"])
    []
    >>> vanished.update(["e", "d", "b"])  # "a" may have left at the end
    ['c']
    """

    def __init__(self, confirmations: int) -> None:
        self._confirmations = confirmations
        self._before: list[str] = []
        self._missed: dict[str, int] = {}

    def update(self, listed: Sequence[str]) -> list[str]:
        """Take the names that the listing shows now, newest first; return those that have vanished."""
        present = set(listed)
        compared = max((place for place, name in enumerate(self._before) if name in present), default=0)
        missing = [name for name in self._before[:compared] if name not in present]
        if is_implausible(len(missing), compared):
            return []  # the list from before stays, to be compared with the next one
        self._missed = {name: self._missed.get(name, 0) + 1 for name in missing}
        gone = [name for name, times in self._missed.items() if times >= self._confirmations]
        self._before = self._with(listed, [name for name in missing if name not in gone])
        for name in gone:
            del self._missed[name]
        return gone

    def _with(self, listed: Sequence[str], waiting: Sequence[str]) -> list[str]:
        """Return ``listed`` with the ``waiting`` names at their former places: above what stood below them."""
        above: dict[str, list[str]] = {}
        carried: list[str] = []
        present, waits = set(listed), set(waiting)
        for name in self._before:
            if name in waits:
                carried.append(name)
            elif name in present and carried:
                above[name], carried = carried, []
        return [part for name in listed for part in (*above.get(name, ()), name)]
