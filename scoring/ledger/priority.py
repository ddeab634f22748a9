"""Priority: which elements a sample keeps when it cannot keep all, and how many each of them stands for.

Owns priority sampling: Duffield, Lund & Thorup, "Priority sampling for estimation of arbitrary subset sums", JACM 54
(2007). Must never know what is sampled.

An element of weight w has the priority w/u. The number u in (0, 1] is derived from the key, so it is always the same.
The k largest priorities are kept; τ, the threshold, is the largest of the rest. A kept element stands for
max(1, τ/w) elements. A sum over any subset estimated this way is unbiased; for sums of the weight itself its relative
standard error is at most 1/√(k-1). Heavy elements are always kept and stand for themselves.

While weights do not fall, the result does not depend on order or repetition, and merging samples samples the union.
Where they fall, the result depends on the order alone, provided that an element is dropped at once.
"""


def priority(weight: float, key: int) -> float:
    """Return the priority of an element of ``weight`` (above 0) with a 64-bit ``key``.

    >>> priority(3.0, 2**64 - 1)
    3.0
    """
    return weight * 2.0**64 / (key + 1)


def stands_for(weight: float, threshold: float) -> float:
    """Return how many elements a kept one of ``weight`` (above 0) stands for in a sample with this ``threshold``.

    >>> stands_for(4.0, 0.0), stands_for(4.0, 10.0)
    (1.0, 2.5)
    """
    return max(1.0, threshold / weight)
