"""Sampling: which items a ledger keeps when it cannot keep all, and for how many each of them stands.

Owns priority sampling: Duffield, Lund & Thorup, "Priority sampling for estimation of arbitrary subset sums", JACM 54
(2007). Must never know what is sampled.

A thing of weight w has the priority w/u, where u in (0, 1] is drawn from its key, so that it is the same wherever and
whenever the thing turns up. The k largest priorities are kept; τ is the largest of the rest. Then a kept thing stands
for max(1, τ/w) things like it, and a sum over any subset estimated so is unbiased, with a relative standard error of at
most 1/√(k-1) for sums of the weight itself. Loud things are kept for certain and stand for themselves.

While weights do not fall, the result does not depend on order or repetition, and merging samples samples the union.
Where they do, it is a function of the order, if what is not kept is dropped at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["priority", "surplus"]

T = TypeVar("T")


def priority(weight: float, key: int) -> float:
    """Return the priority of a thing of ``weight`` (above 0) with a 64-bit ``key``.

    >>> priority(3.0, 2**64 - 1)
    3.0
    """
    return weight * 2.0**64 / (key + 1)


def surplus(priorities: Mapping[T, float], kept: int) -> tuple[list[T], float]:
    """Return the keys whose priority is not among the ``kept`` largest, and the largest of theirs (0 if none).

    >>> surplus({"a": 3.0, "b": 1.0, "c": 2.0}, 1)
    (['c', 'b'], 2.0)
    """
    ranked = sorted(priorities, key=lambda key: priorities[key], reverse=True)[kept:]
    return ranked, priorities[ranked[0]] if ranked else 0.0
