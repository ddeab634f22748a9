"""LookupCache: what was worked out of a thing before, by the thing.

Owns remembering within bounds. Must never know what is worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["LookupCache"]

K = TypeVar("K")
T = TypeVar("T")


class LookupCache(dict[K, T]):
    """A function's values, looked up as in a dictionary, which `map` does twice as fast as it calls a cached function.

    >>> lengths = LookupCache(len, capacity=2)
    >>> list(map(lengths.__getitem__, ["one", "three", "three"])), len(lengths)
    ([3, 5, 5], 2)
    >>> lengths["a third"], list(lengths)
    (7, ['a third'])
    """

    __slots__ = ("_capacity", "_make")

    def __init__(self, make: Callable[[K], T], capacity: int) -> None:
        """``make``: the function; ``most``: how many values are kept before all are forgotten."""
        self._make = make
        self._capacity = capacity

    def __missing__(self, key: K) -> T:
        """Work out and keep what ``key`` comes to."""
        if len(self) >= self._capacity:
            self.clear()
        made = self[key] = self._make(key)
        return made
