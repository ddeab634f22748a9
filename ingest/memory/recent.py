"""Recent: what a collector has met lately, and what it then knew of it.

Owns how long that is remembered and how much of it: so that memory stops growing however long a collector runs. Must
never know what it is, nor read a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Recent"]

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, each remembered for ``kept_ms`` after it was last put, and not for three times as long.

    If there are more than ``most``, all but the later half go. Two generations, of which the older is dropped whole,
    cost one look more and no bookkeeping for each key.

    >>> time_ms = 0
    >>> recent = Recent[str, int](100, kept_ms=10, now_ms=lambda: time_ms)
    >>> recent.put("a", 1)
    >>> time_ms = 10; recent.put("b", 2); recent.get("a"), recent.get("b")
    (1, 2)
    >>> time_ms = 20; recent.put("c", 3); recent.get("a"), recent.get("b"), "b" in recent, len(recent)
    (None, 2, True, 2)
    """

    def __init__(self, most: int, kept_ms: int, now_ms: Callable[[], int]) -> None:
        """``now_ms``: the time that ``kept_ms`` is meant in."""
        self._most = most
        self._kept_ms = kept_ms
        self._now_ms = now_ms
        self._since_ms = now_ms()
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def __contains__(self, key: object) -> bool:
        return key in self._young or key in self._old

    def put(self, key: K, value: V) -> None:
        """Remember ``value`` for ``key``, anew if it was there already."""
        now_ms = self._now_ms()
        age_ms = now_ms - self._since_ms
        if age_ms >= self._kept_ms or len(self._young) >= self._most // 2:
            self._old = self._young if age_ms < 2 * self._kept_ms else {}
            self._young, self._since_ms = {}, now_ms
        self._young[key] = value

    def get(self, key: K) -> V | None:
        """Return the value for ``key``, None if there is none any more."""
        value = self._young.get(key)
        return self._old.get(key) if value is None else value
